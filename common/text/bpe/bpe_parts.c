/* bpe_parts.c - a normalizer and what cuts words before a BPE of bytes. What the first changes
 * nothing in goes to bpe_model.c as it is. */
#include "text/bpe/bpe_parts.h"

#include <stdlib.h>

typedef struct Parts {
    TokModel base;
    TokModel *plain; /* what cuts words and joins bytes; its spans are not trimmed */
    const Vocab *vocab;
    Normalizer *normal; /* NULL: none */
    Cuts *cuts;         /* NULL: none */
    bool trim, trim_prefix;
} Parts;

typedef struct PartsWork {
    const Parts *of;
    void *plain;
    NormalWork *normal;
    CutWork *cut;
    Normal text;
    Str source; /* what was read last; its first byte is the whole text's `at` */
    int32_t at;
} PartsWork;

static void *work_new(const TokModel *m)
{
    PartsWork *w = mem_zero(1, sizeof *w);
    w->of = (const Parts *)m;
    w->plain = w->of->plain->work_new(w->of->plain);
    w->normal = normalwork_new();
    w->cut = cutwork_new();
    return w;
}

static void work_free(void *work)
{
    PartsWork *w = work;
    w->of->plain->work_free(w->plain);
    normalwork_free(w->normal);
    cutwork_free(w->cut);
    free(w->text.p);
    free(w->text.span);
    free(w);
}

static void normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out)
{
    PartsWork *w = work;
    w->source = text;
    w->at = at;
    normalizer_run(((const Parts *)m)->normal, w->normal,
                   (NormalPart){.text = text, .at = at, .first = true, .last = true}, out);
}

/* Is the byte at p behind a character's first one? */
static inline bool inside(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

/* Takes as many characters off as the token has spaces at its ends, as bpe_span() does. */
static void trim(const Parts *x, const PartsWork *w, int32_t id, int32_t span[2])
{
    static const char space[] = "\xc4\xa0";
    Str token = vocab_text(x->vocab, id);
    const char *end = w->source.p + w->source.n;
    const char *p = w->source.p + (span[0] - w->at), *q = w->source.p + (span[1] - w->at);
    size_t before = 0, behind = 0, spaces = token.n / 2;
    while (before < spaces && memcmp(token.p + 2 * before, space, 2) == 0)
        before++;
    while (behind < spaces && memcmp(token.p + token.n - 2 * behind - 2, space, 2) == 0)
        behind++;
    if (before == 1 && span[0] == 0 && x->trim_prefix)
        before = 0;
    for (; before && p < q; before--)
        for (p++; p < q && p < end && inside(p); p++)
            ;
    for (; behind && q > p; behind--)
        for (q--; q > p && inside(q); q--)
            ;
    span[0] = w->at + (int32_t)(p - w->source.p);
    span[1] = w->at + (int32_t)(q - w->source.p);
}

/* The tokens of text[begin, end), whose spans begin at byte `at` of the text. */
static void encode_words(const Parts *x, PartsWork *w, const char *text, size_t begin, size_t end,
                         int32_t at, size_t limit, Tokens *out)
{
    const WordList *words = x->cuts ? cuts_run(x->cuts, w->cut, text, begin, end) : NULL;
    if (!words) {
        x->plain->encode(x->plain, w->plain, str_of(text + begin, end - begin), at + (int32_t)begin,
                         limit, out);
        return;
    }
    out->failed = cutwork_failed(w->cut);
    for (size_t i = 0; i < words->n && out->n <= limit; i++) {
        Word one = words->word[i];
        x->plain->encode(x->plain, w->plain, str_of(text + one.begin, one.end - one.begin),
                         at + (int32_t)one.begin, limit, out);
    }
}

static void encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out)
{
    const Parts *x = (const Parts *)m;
    PartsWork *w = work;
    size_t first = out->n;
    encode_words(x, w, t->p, begin, end, 0, limit, out);
    if (normalwork_failed(w->normal))
        out->failed = normalwork_failed(w->normal);
    for (size_t i = first; i < out->n; i++) {
        int32_t *span = out->span[i], last = t->span[span[1] - 1][1];
        span[0] = t->span[span[0]][0];
        span[1] = last;
        if (x->trim)
            trim(x, w, out->id[i], span);
    }
}

static void encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
{
    const Parts *x = (const Parts *)m;
    PartsWork *w = work;
    size_t first = out->n;
    if (!x->normal || normalizer_keeps(x->normal, text)) {
        w->source = text;
        w->at = at;
        encode_words(x, w, text.p, 0, text.n, at, limit, out);
        for (size_t i = first; x->trim && i < out->n; i++)
            trim(x, w, out->id[i], out->span[i]);
        return;
    }
    w->text.n = 0;
    normalise(m, work, text, at, &w->text);
    encode_normal(m, work, &w->text, 0, w->text.n, limit, out);
}

/* The word of t[0, n) that has byte i, of which the first is `at` in the text. */
static void find_word(const Parts *x, PartsWork *w, const char *t, size_t n, int32_t i,
                      int32_t span[2])
{
    size_t begin = 0, end = n;
    const WordList *words = x->cuts ? cuts_run(x->cuts, w->cut, t, 0, n) : NULL;
    for (size_t k = 0; words && k < words->n; k++) {
        Word one = words->word[k];
        if (one.begin <= (size_t)i && (size_t)i < one.end) {
            begin = one.begin;
            end = one.end;
        }
    }
    x->plain->word(x->plain, w->plain, str_of(t + begin, end - begin), i - (int32_t)begin, span);
    span[0] += (int32_t)begin;
    span[1] += (int32_t)begin;
    while (x->trim && span[0] < span[1] - 1 && t[span[0]] == ' ')
        span[0]++;
    while (x->trim && span[0] < span[1] - 1 && t[span[1] - 1] == ' ')
        span[1]--;
}

static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    const Parts *x = (const Parts *)m;
    PartsWork *w = work;
    size_t i = 0;
    if (!x->normal) {
        find_word(x, w, text.p, text.n, at, span);
        return;
    }
    w->text.n = 0;
    normalise(m, work, text, 0, &w->text);
    while (i < w->text.n && w->text.span[i][1] <= at)
        i++;
    span[0] = at;
    span[1] = at + 1;
    if (i == w->text.n)
        return;
    find_word(x, w, w->text.p, w->text.n, (int32_t)i, span);
    int32_t last = w->text.span[span[1] - 1][1];
    span[0] = w->text.span[span[0]][0];
    span[1] = last;
}

static void parts_free(TokModel *m)
{
    Parts *x = (Parts *)m;
    x->plain->free(x->plain);
    normalizer_free(x->normal);
    cuts_free(x->cuts);
    free(x);
}

TokModel *bpe_parts_new(Bpe *b, const Vocab *v, const BpeRules *rules, Normalizer *normal,
                        Cuts *cuts)
{
    Parts *x = mem_zero(1, sizeof *x);
    BpeRules plain = *rules;
    plain.trim = plain.trim_prefix = false;
    x->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .normalise = normal ? normalise : NULL,
                         .encode_normal = normal ? encode_normal : NULL,
                         .word = word,
                         .free = parts_free};
    x->plain = bpe_model_new(b, v, &plain);
    x->vocab = v;
    x->normal = normal;
    x->cuts = cuts;
    x->trim = rules->trim;
    x->trim_prefix = rules->trim_prefix;
    return &x->base;
}
