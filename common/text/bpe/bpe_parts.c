/* bpe_parts.c - a normalizer before a BPE of bytes. What it changes nothing in goes to bpe_model.c
 * as it is. */
#include "text/bpe/bpe_parts.h"

#include <stdlib.h>

typedef struct Parts {
    TokModel base;
    TokModel *plain; /* what cuts words and joins bytes; its spans are not trimmed */
    const Vocab *vocab;
    Normalizer *normal;
    bool trim, trim_prefix;
} Parts;

typedef struct PartsWork {
    const Parts *of;
    void *plain;
    NormalWork *normal;
    Normal text;
    Str source; /* what was normalised last; its first byte is the whole text's `at` */
    int32_t at;
} PartsWork;

static void *work_new(const TokModel *m)
{
    PartsWork *w = mem_zero(1, sizeof *w);
    w->of = (const Parts *)m;
    w->plain = w->of->plain->work_new(w->of->plain);
    w->normal = normalwork_new();
    return w;
}

static void work_free(void *work)
{
    PartsWork *w = work;
    w->of->plain->work_free(w->plain);
    normalwork_free(w->normal);
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

static void encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out)
{
    const Parts *x = (const Parts *)m;
    PartsWork *w = work;
    size_t first = out->n;
    x->plain->encode(x->plain, w->plain, str_of(t->p + begin, end - begin), (int32_t)begin, limit,
                     out);
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
    if (!x->trim && normalizer_keeps(x->normal, text)) {
        x->plain->encode(x->plain, w->plain, text, at, limit, out);
        return;
    }
    w->text.n = 0;
    normalise(m, work, text, at, &w->text);
    encode_normal(m, work, &w->text, 0, w->text.n, limit, out);
}

static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    const Parts *x = (const Parts *)m;
    PartsWork *w = work;
    size_t i = 0;
    w->text.n = 0;
    normalise(m, work, text, 0, &w->text);
    while (i < w->text.n && w->text.span[i][1] <= at)
        i++;
    span[0] = at;
    span[1] = at + 1;
    if (i == w->text.n)
        return;
    x->plain->word(x->plain, w->plain, str_of(w->text.p, w->text.n), (int32_t)i, span);
    while (x->trim && span[0] < span[1] - 1 && w->text.p[span[0]] == ' ')
        span[0]++;
    while (x->trim && span[0] < span[1] - 1 && w->text.p[span[1] - 1] == ' ')
        span[1]--;
    int32_t last = w->text.span[span[1] - 1][1];
    span[0] = w->text.span[span[0]][0];
    span[1] = last;
}

static void parts_free(TokModel *m)
{
    Parts *x = (Parts *)m;
    x->plain->free(x->plain);
    normalizer_free(x->normal);
    free(x);
}

TokModel *bpe_parts_new(Bpe *b, const Vocab *v, const BpeRules *rules, Normalizer *normal)
{
    Parts *x = mem_zero(1, sizeof *x);
    BpeRules plain = *rules;
    plain.trim = plain.trim_prefix = false;
    x->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .normalise = normalise,
                         .encode_normal = encode_normal,
                         .word = word,
                         .free = parts_free};
    x->plain = bpe_model_new(b, v, &plain);
    x->vocab = v;
    x->normal = normal;
    x->trim = rules->trim;
    x->trim_prefix = rules->trim_prefix;
    return &x->base;
}
