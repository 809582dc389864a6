/* bpe_model.c - from text to words.
 *
 * Words of plain ASCII go from the text to the cache a block at a time. Everything that is not
 * so simple goes word by word: what is not ASCII, long words, what follows a space that the
 * rules put there, and pieces of words whose spans need a look at the text. */
#include "text/bpe/bpe_model.h"

#include "text/bpe/bpe_cache.h"
#include "text/bpe/bytelevel.h"

#include <stdlib.h>

typedef struct BpeModel {
    TokModel base;
    Bpe *bpe;
    const Vocab *vocab;
    BpeRules rules;
} BpeModel;

/* ---- text to words ---- */

/* The text, as far as it has been read; `at` is p's offset in the whole. */
typedef struct Reader {
    const char *p, *end;
    int32_t at;
} Reader;

static void read_word(BpeCache *c, Reader *r, size_t limit, Tokens *out)
{
    const char *stop = c->rules->pattern->word(r->p, r->end);
    BpePlace w = {
        .p = r->p, .end = r->end, .n = (size_t)(stop - r->p), .at = r->at, .first = r->at == 0};
    bpe_cache_add(c, &w, limit, out);
    r->at += (int32_t)w.n;
    r->p = stop;
}

/* The first word of a piece of text, where the rules make it a special one. */
static void read_first(BpeCache *c, Reader *r, size_t limit, Tokens *out)
{
    const BpeRules *rules = c->rules;
    if (!rules->prefix || *r->p == ' ') {
        if (rules->trim && rules->trim_prefix && r->at == 0)
            read_word(c, r, limit, out);
        return;
    }
    const char *stop = rules->pattern->first(r->p, r->end);
    BpePlace w = {.p = r->p,
                  .end = r->end,
                  .n = (size_t)(stop - r->p) + 1,
                  .at = r->at,
                  .space = true,
                  .first = r->at == 0};
    bpe_cache_add(c, &w, limit, out);
    r->at += (int32_t)(stop - r->p);
    r->p = stop;
}

/* What an entry holds by itself: up to three pieces are written, as many count. */
static inline void put_entry(const BpeEntry *e, int32_t at, int32_t n, Tokens *out)
{
    int32_t *id = out->id + out->n, (*span)[2] = out->span + out->n;
    memcpy(id, e->id, sizeof e->id);
    span[0][0] = at + e->lead;
    span[0][1] = span[1][0] = at + e->end[0];
    span[1][1] = span[2][0] = at + e->end[1];
    span[2][1] = at + n;
    out->n += e->count;
}

/* A word of a block, its key if it is short, and where that would be in the cache. */
typedef struct Spot {
    uint64_t key[2];
    const BpeBucket *bucket;
    uint32_t begin, n;
} Spot;

/* All words of a block but the last are sought in the cache at the same time: most of the time
 * goes by with waiting for it. */
static unsigned find_spots(const BpeCache *c, const char *block, uint64_t starts, Spot *spot)
{
    unsigned begin = 0, count = 0;
    for (starts &= starts - 1; starts; starts &= starts - 1, count++) {
        Spot *s = spot + count;
        unsigned stop = (unsigned)__builtin_ctzll(starts);
        s->begin = begin;
        s->n = stop - begin;
        bpe_key(block + begin, s->n & (BPE_KEY - 1), s->key);
        s->bucket = bpe_bucket(c, s->key);
        __builtin_prefetch(s->bucket);
        begin = stop;
    }
    return count;
}

/* The words of a block whose beginnings are in `starts`, but the last. `block` holds the same
 * bytes as r->p, and BPE_KEY more that may be read. */
static void read_block(BpeCache *c, Reader *r, const char *block, uint64_t starts, Tokens *out)
{
    Spot spot[BL_BLOCK], *s = spot, *end = spot + find_spots(c, block, starts, spot);
    for (; s < end; s++) {
        const BpeEntry *e = s->n < BPE_KEY ? bpe_lookup(s->bucket, s->key) : NULL;
        if (e && e->count <= BPE_INLINE) {
            put_entry(e, r->at + (int32_t)s->begin, (int32_t)s->n, out);
        } else {
            BpePlace w = {
                .p = r->p + s->begin, .end = r->end, .n = s->n, .at = r->at + (int32_t)s->begin};
            bpe_cache_add(c, &w, SIZE_MAX, out);
            tokens_room(out, BL_BLOCK + BPE_INLINE);
        }
    }
    r->p += end[-1].begin + end[-1].n;
    r->at += (int32_t)(end[-1].begin + end[-1].n);
}

static void encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
{
    Reader r = {text.p, text.p + text.n, at};
    const BlPattern *pattern = ((const BpeModel *)m)->rules.pattern;
    if (!text.n)
        return;
    read_first(work, &r, limit, out);
    while (r.p < r.end && out->n <= limit) {
        char tail[BL_BLOCK + BPE_KEY];
        const char *block = r.p;
        size_t left = (size_t)(r.end - r.p), n = left < BL_BLOCK ? left : BL_BLOCK;
        if (left < sizeof tail) {
            memset(tail, ' ', sizeof tail);
            block = memcpy(tail, r.p, n);
        }
        uint64_t starts = pattern->starts(block, n, n < BL_BLOCK);
        if (starts & (starts - 1)) {
            tokens_room(out, BL_BLOCK + BPE_INLINE);
            read_block(work, &r, block, starts, out);
        } else {
            read_word(work, &r, limit, out);
        }
    }
}

/* ---- the interface ---- */

/* A place from which on cutting is as from the text's beginning: a space behind something else
 * always begins a word. */
static const char *restart(const BpeRules *rules, const char *p, const char *at)
{
    if (rules->pattern == &bytelevel_whole)
        return p;
    for (const char *q = at; q > p; q--)
        if (*q == ' ' && (unsigned char)q[-1] < 0x80 && q[-1] > ' ')
            return q;
    return p;
}

static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    const BpeRules *rules = &((const BpeModel *)m)->rules;
    const char *p, *end = text.p + text.n, *stop = restart(rules, text.p, text.p + at);
    bool space = stop == text.p && rules->prefix && *stop != ' ';
    BpePlace place;
    do {
        p = stop;
        stop = space ? rules->pattern->first(p, end) : rules->pattern->word(p, end);
        place = (BpePlace){.p = p,
                           .end = end,
                           .n = (size_t)(stop - p) + space,
                           .at = (int32_t)(p - text.p),
                           .space = space,
                           .first = p == text.p};
        space = false;
    } while (stop <= text.p + at && stop < end);
    Tokens tokens = {0};
    bpe_cache_add(work, &place, SIZE_MAX, &tokens);
    span[0] = tokens.span[0][0];
    span[1] = tokens.span[tokens.n - 1][1];
    tokens_free(&tokens);
}

static void *work_new(const TokModel *model)
{
    const BpeModel *m = (const BpeModel *)model;
    return bpe_cache_new(m->bpe, m->vocab, &m->rules);
}

static void work_free(void *work)
{
    bpe_cache_free(work);
}

static void model_free(TokModel *m)
{
    bpe_free(((BpeModel *)m)->bpe);
    free(m);
}

TokModel *bpe_model_new(Bpe *b, const Vocab *v, const BpeRules *rules)
{
    BpeModel *m = mem_zero(1, sizeof *m);
    m->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .word = word,
                         .free = model_free};
    m->bpe = b;
    m->vocab = v;
    m->rules = *rules;
    return &m->base;
}
