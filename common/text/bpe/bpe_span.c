#include "text/bpe/bpe_span.h"

static inline bool is_space(const BpePlace *w, size_t i)
{
    return w->space ? i == 0 || w->p[i - 1] == ' ' : w->p[i] == ' ';
}

/* The characters that bytes [begin, end) of the word belong to; the space put before a word
 * belongs to the word's first character. */
static void span_of(const BpePlace *w, size_t begin, size_t end, const char *span[2])
{
    span[0] = w->p + (w->space && begin ? begin - 1 : begin);
    span[1] = w->p + (w->space && end > 1 ? end - 1 : end);
    while (bpe_inside_char(span[0]))
        span[0]--;
    while (span[1] < w->end && bpe_inside_char(span[1]))
        span[1]++;
}

/* Takes off as many characters as the piece has spaces, whatever they are. */
static void trim(const BpeRules *rules, const BpePlace *w, size_t begin, size_t end,
                 const char *span[2])
{
    size_t before = 0, behind = 0;
    while (begin + before < end && is_space(w, begin + before))
        before++;
    while (behind < end - begin && is_space(w, end - behind - 1))
        behind++;
    if (before == 1 && w->first && span[0] == w->p && rules->trim_prefix)
        before = 0;
    for (; before && span[0] < span[1]; before--)
        do
            span[0]++;
        while (span[0] < span[1] && bpe_inside_char(span[0]));
    for (; behind && span[1] > span[0]; behind--)
        do
            span[1]--;
        while (span[1] > span[0] && bpe_inside_char(span[1]));
}

void bpe_span(const BpeRules *rules, const BpePlace *w, size_t begin, size_t end, int32_t span[2])
{
    const char *at[2];
    span_of(w, begin, end, at);
    if (rules->trim)
        trim(rules, w, begin, end, at);
    span[0] = w->at + (int32_t)(at[0] - w->p);
    span[1] = w->at + (int32_t)(at[1] - w->p);
}
