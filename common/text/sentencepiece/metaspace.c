#include "text/sentencepiece/metaspace.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <stdlib.h>

enum { CACHE_BITS = 14, CACHE = 1 << CACHE_BITS, KEY = 16, PIECES = 8 };
enum { BYTE_PLAIN, BYTE_MAYBE, BYTE_ELSE }; /* MAYBE: unless a Replace matches there */

typedef struct Model {
    TokModel base;
    Normalizer *normalizer;
    WordRules rules;
    size_t mark_bytes;
    WordSplitter splitter;
    void *self;
    bool fast;
    enum { PREPENDS_NOTHING, PREPENDS_MARK, PREPENDS_ELSE } prepends; /* the normalizer */
    uint8_t byte[256];
    char to[128];    /* what ASCII becomes, or NORMAL_ELSE */
    char plain[256]; /* what plain bytes become, else 0 */
} Model;

/* A word of at most 16 bytes, with or without a mark before, and its pieces, each of which
 * begins where the one before ends. A line of the processor's cache. */
typedef struct Entry {
    uint64_t key[2];
    int32_t id[PIECES];
    uint8_t end[PIECES];         /* the mark counts */
    uint8_t count, size, marked; /* size 0: free */
    uint8_t filling[5];
} Entry;
_Static_assert(sizeof(Entry) == 64, "an entry is a cache line");

typedef struct Work {
    const Model *model;
    NormalWork *normal;
    void *splitter;
    Normal part, word;
    Subwords pieces;
    Entry *cache;
} Work;

/* ---- words to pieces ---- */

static void split(Work *w, const char *p, size_t n, size_t limit)
{
    w->pieces.n = 0;
    w->model->splitter.split(w->model->self, w->splitter, p, n, limit, &w->pieces);
}

/* Are the pieces few, and one behind the other? (Those of bytes are not.) */
static bool can_cache(const Subwords *p)
{
    if (p->n > PIECES)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (p->piece[i].begin != (i ? p->piece[i - 1].end : 0))
            return false;
    return true;
}

/* The cached split of the word in key; NULL: it is not to be cached. */
static inline const Entry *cached(Work *w, const uint64_t key[2], size_t n, bool marked)
{
    uint64_t mix = key[0] ^ (key[1] + n * 2 + marked) * 0x9e3779b97f4a7c15u;
    Entry *e = w->cache + (mix * 0xd6e8feb86659fd93u >> (64 - CACHE_BITS));
    if (e->size == n && e->marked == marked && e->key[0] == key[0] && e->key[1] == key[1])
        return e;
    char word[KEY + 4];
    size_t mark = marked ? w->model->mark_bytes : 0;
    memcpy(word, w->model->rules.mark, mark);
    memcpy(word + mark, key, n);
    split(w, word, mark + n, SIZE_MAX);
    if (!can_cache(&w->pieces))
        return NULL;
    e->key[0] = key[0];
    e->key[1] = key[1];
    e->size = (uint8_t)n;
    e->marked = marked;
    e->count = (uint8_t)w->pieces.n;
    for (size_t i = 0; i < w->pieces.n; i++) {
        e->id[i] = w->pieces.piece[i].id;
        e->end[i] = (uint8_t)w->pieces.piece[i].end;
    }
    return e;
}

static bool is_mark(const Model *m, const char *p, size_t n)
{
    return m->mark_bytes && n >= m->mark_bytes && memcmp(p, m->rules.mark, m->mark_bytes) == 0;
}

/* Ends the word collected so far. */
static void flush(Work *w, size_t limit, Tokens *out)
{
    const Normal *t = &w->word;
    const Entry *e = NULL;
    if (!t->n || out->n > limit) {
        w->word.n = 0;
        return;
    }
    bool marked = t->n > w->model->mark_bytes && is_mark(w->model, t->p, t->n);
    size_t mark = marked ? w->model->mark_bytes : 0;
    if (t->n - mark <= KEY) {
        uint64_t key[2] = {0};
        memcpy(key, t->p + mark, t->n - mark);
        e = cached(w, key, t->n - mark, marked);
        for (int i = 0; e && i < e->count; i++)
            tokens_add(out, e->id[i], t->span[i ? e->end[i - 1] : 0][0], t->span[e->end[i] - 1][1]);
    }
    if (!e) {
        split(w, t->p, t->n, limit - out->n);
        for (size_t i = 0; i < w->pieces.n; i++) {
            const Subword *p = w->pieces.piece + i;
            tokens_add(out, p->id, t->span[p->begin][0], t->span[p->end - 1][1]);
        }
    }
    w->word.n = 0;
}

/* ---- normalised text to words ---- */

typedef void Flush(Work *w, size_t limit, Tokens *out);

/* Cuts [i, end) into words. `fresh`: it begins what a mark is put before. */
static void cut(Work *w, const Normal *t, size_t i, size_t end, bool fresh, Flush *ends,
                size_t limit, Tokens *out)
{
    const Model *m = w->model;
    bool runs = m->rules.runs && ends == flush; /* no words to the reference */
    bool after_mark = false;
    for (size_t n; i < end && out->n <= limit; i += n) {
        int len;
        uint32_t cp = utf8_get(t->p + i, &len);
        const int32_t *at = t->span[i];
        n = (size_t)len;
        if (m->rules.spaces && (uni_class(cp) & UNI_SPACE)) {
            ends(w, limit, out);
            fresh = true;
            continue;
        }
        bool mark = is_mark(m, t->p + i, end - i) || (m->rules.metaspace && cp == ' ');
        bool punct = m->rules.punct && (uni_class(cp) & UNI_PUNCT);
        if (punct && !fresh) {
            ends(w, limit, out);
            fresh = true;
        }
        if (!fresh) {
            if (mark && (m->rules.split || (runs && !after_mark)))
                ends(w, limit, out);
        } else if (m->rules.metaspace && !mark &&
                   (m->rules.put == MARK_ALWAYS || (m->rules.put == MARK_FIRST && at[0] == 0))) {
            normal_add(&w->word, m->rules.mark, m->mark_bytes, at[0], at[1]);
        }
        fresh = false;
        after_mark = mark;
        if (mark)
            normal_add(&w->word, m->rules.mark, m->mark_bytes, at[0], at[1]);
        else
            normal_add(&w->word, t->p + i, n, at[0], at[1]);
        if (punct) {
            ends(w, limit, out);
            fresh = true;
        }
    }
    ends(w, limit, out);
}

static void encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out)
{
    (void)m;
    cut(work, t, begin, end, true, flush, limit, out);
}

static void normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out)
{
    Work *w = work;
    normal_room(out, 1); /* a text even where nothing is left */
    normalizer_run(((const Model *)m)->normalizer, w->normal, (NormalPart){text, at, true, true},
                   out);
}

/* ---- words of ASCII ---- */

static inline int kind_of(const Model *m, const char *p, const char *end)
{
    int kind = m->byte[(unsigned char)*p];
    if (kind == BYTE_MAYBE)
        return normalizer_replaces(m->normalizer, str_of(p, (size_t)(end - p))) ? BYTE_ELSE
                                                                                : BYTE_PLAIN;
    return kind;
}

/* Does a word end at p, so that nothing before it and nothing behind it change each other? */
static inline bool ends_word(const Model *m, const char *p, const char *end)
{
    return p == end || (*p == ' ' && end - p > 1 && kind_of(m, p + 1, end) == BYTE_PLAIN);
}

/* Where the part at p ends: behind a plain character, before a space and another. */
static const char *part_end(const Model *m, const char *p, const char *end)
{
    for (p++; p < end; p++) {
        p = memchr(p, ' ', (size_t)(end - p));
        if (!p)
            return end;
        if (m->byte[(unsigned char)p[-1]] == BYTE_PLAIN && ends_word(m, p, end))
            return p;
    }
    return end;
}

/* A word of plain characters. */
typedef struct Plain {
    union {
        uint64_t key[2];
        char byte[KEY];
    } u; /* its first bytes, normalised */
    size_t n;
} Plain;

static inline void read_plain(const Model *m, const char *p, const char *end, Plain *to)
{
    const char *q = p;
    *to = (Plain){.n = 0};
    for (;; q++) {
        char c;
        while (q < end && (c = m->plain[(unsigned char)*q])) {
            if (q - p < KEY)
                to->u.byte[q - p] = c;
            q++;
        }
        if (q == end || kind_of(m, q, end) != BYTE_PLAIN)
            break;
        if (q - p < KEY) /* it might have been replaced */
            to->u.byte[q - p] = *q;
    }
    to->n = (size_t)(q - p);
}

/* The plain word at p, byte `at` of the original. `start` is where its mark comes from; < 0: it
 * has none. */
static inline void add_word(Work *w, const Plain *word, const char *p, int32_t start, int32_t at,
                            size_t limit, Tokens *out)
{
    const Model *m = w->model;
    int32_t mark = start < 0 ? 0 : (int32_t)m->mark_bytes;
    const Entry *e = word->n <= KEY ? cached(w, word->u.key, word->n, mark > 0) : NULL;
    if (e) {
        tokens_room(out, PIECES);
        int32_t begin = mark ? start : at;
        for (int i = 0; i < e->count; i++) {
            int32_t end = at + e->end[i] - mark;
            out->id[out->n] = e->id[i];
            out->span[out->n][0] = begin;
            out->span[out->n++][1] = end > at ? end : start + 1;
            begin = end < at ? start : end; /* of a mark in bytes */
        }
        return;
    }
    if (mark)
        normal_add(&w->word, m->rules.mark, m->mark_bytes, start, start + 1);
    for (size_t i = 0; i < word->n; i++)
        normal_add(&w->word, m->to + (unsigned char)p[i], 1, at + (int32_t)i, at + (int32_t)i + 1);
    flush(w, limit, out);
}

/* Where the mark of the word at byte `at` comes from; -1: it has none. */
static inline int32_t mark_of(const Model *m, bool spaced, int32_t at)
{
    if (spaced && !m->rules.spaces)
        return at - 1;
    if (!spaced && m->prepends == PREPENDS_MARK)
        return at;
    if (!m->rules.metaspace || m->rules.put == MARK_NEVER || (m->rules.put == MARK_FIRST && at > 0))
        return -1;
    return at;
}

/* What is not plain, by way of the normalizer. False: see normalizer_part(). */
static bool add_part(Work *w, NormalPart part, size_t limit, Tokens *out)
{
    bool in_step;
    const Normal *t = normalizer_part(w->model->normalizer, w->normal, part, &in_step);
    if (!in_step && !part.last)
        return false;
    cut(w, t, 0, t->n, part.first, flush, limit, out);
    return true;
}

static void encode(const TokModel *base, void *work, Str text, int32_t at, size_t limit,
                   Tokens *out)
{
    const Model *m = (const Model *)base;
    const char *p = text.p, *end = p + text.n;
    if (!m->fast) {
        add_part(work, (NormalPart){text, at, true, true}, limit, out);
        return;
    }
    while (p < end && out->n <= limit) {
        bool spaced = p > text.p, first = p == text.p; /* at a space, but for the first */
        const char *q = p + spaced;
        Plain word;
        read_plain(m, q, end, &word);
        if (word.n && ends_word(m, q + word.n, end) && !(first && m->prepends == PREPENDS_ELSE)) {
            int32_t here = at + (int32_t)(q - text.p);
            add_word(work, &word, q, mark_of(m, spaced, here), here, limit, out);
            p = q + word.n;
            continue;
        }
        q = part_end(m, p, end);
        NormalPart part = {str_of(p, (size_t)(q - p)), at + (int32_t)(p - text.p), first, q == end};
        if (!add_part(work, part, limit, out)) {
            part.text.n = (size_t)(end - p);
            part.last = true;
            q = end;
            add_part(work, part, limit, out);
        }
        p = q;
    }
}

/* ---- the word that holds a byte ---- */

/* Ends a word whose bytes alone are wanted. */
static void note(Work *w, size_t limit, Tokens *out)
{
    const Normal *t = &w->word;
    (void)limit;
    if (t->n)
        tokens_add(out, 0, t->span[0][0], t->span[t->n - 1][1]);
    w->word.n = 0;
}

/* Of several that one character has become, the first. */
static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    Work *w = work;
    Tokens words = {0};
    w->part.n = 0;
    normalise(m, work, text, 0, &w->part);
    cut(w, &w->part, 0, w->part.n, true, note, SIZE_MAX, &words);
    span[0] = at;
    span[1] = at + 1;
    for (size_t i = 0; i < words.n; i++)
        if (words.span[i][0] <= at && at < words.span[i][1]) {
            span[0] = words.span[i][0];
            span[1] = words.span[i][1];
            break;
        }
    tokens_free(&words);
}

/* ---- making it ---- */

static void *work_new(const TokModel *base)
{
    Work *w = mem_zero(1, sizeof *w);
    w->model = (const Model *)base;
    w->normal = normalwork_new();
    w->splitter = w->model->splitter.work_new(w->model->self);
    w->cache = mem_aligned(CACHE * sizeof *w->cache);
    memset(w->cache, 0, CACHE * sizeof *w->cache);
    return w;
}

static void work_free(void *work)
{
    Work *w = work;
    normalwork_free(w->normal);
    w->model->splitter.work_free(w->splitter);
    free(w->part.p);
    free(w->part.span);
    free(w->word.p);
    free(w->word.span);
    free(w->pieces.piece);
    free(w->cache);
    free(w);
}

static void model_free(TokModel *base)
{
    Model *m = (Model *)base;
    normalizer_free(m->normalizer);
    m->splitter.free(m->self);
    free(m);
}

/* What a space between words becomes must be what words are cut at. */
static bool cuts_at_space(const Model *m)
{
    Normal t = {0};
    NormalWork *w = normalwork_new();
    normalizer_run(m->normalizer, w, (NormalPart){str_of("a a", 3), 0, false, false}, &t);
    bool kept = m->to['a'] && t.n == 3 && t.p[1] == ' ';
    bool marked = t.n == 2 + m->mark_bytes && is_mark(m, t.p + 1, t.n - 1) && t.span[1][0] == 1 &&
                  t.span[1][1] == 2;
    free(t.p);
    free(t.span);
    normalwork_free(w);
    if (m->rules.spaces)
        return kept;
    return (kept && m->rules.metaspace) || marked;
}

/* What becomes of a text's first word tells what is put before it. */
static void find_prepended(Model *m)
{
    Normal t = {0};
    NormalWork *w = normalwork_new();
    if (normalizer_prepends(m->normalizer)) {
        normalizer_run(m->normalizer, w, (NormalPart){str_of("a", 1), 0, true, false}, &t);
        bool mark = t.n == m->mark_bytes + 1 && is_mark(m, t.p, t.n) && !m->rules.spaces;
        m->prepends = mark ? PREPENDS_MARK : PREPENDS_ELSE;
    }
    free(t.p);
    free(t.span);
    normalwork_free(w);
}

/* A Replace may look ASCII over, but not letters in two cases nor spaces. */
static bool is_symbol(int c)
{
    return c > ' ' && c < 127 && (uni_class((uint32_t)c) & UNI_PUNCT);
}

static void classify(Model *m)
{
    normalizer_bytes(m->normalizer, m->to);
    memset(m->byte, BYTE_ELSE, sizeof m->byte);
    m->fast = (m->rules.split || m->rules.runs || m->rules.spaces) && cuts_at_space(m) &&
              !normalizer_may_replace(m->normalizer, ' ');
    for (int c = 0; c < 128; c++) {
        char to = m->to[c];
        if (to == NORMAL_ELSE || to == m->rules.mark[0] || (uni_class((uint32_t)to) & UNI_SPACE) ||
            (m->rules.punct && (uni_class((uint32_t)to) & UNI_PUNCT)))
            continue;
        if (!normalizer_may_replace(m->normalizer, (char)c)) {
            m->byte[c] = BYTE_PLAIN;
            m->plain[c] = to;
        } else if (is_symbol(c) && to == c) {
            m->byte[c] = BYTE_MAYBE;
        }
    }
}

TokModel *words_model(Normalizer *normalizer, const WordRules *rules, const WordSplitter *splitter,
                      void *self)
{
    Model *m = mem_zero(1, sizeof *m);
    m->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .normalise = normalise,
                         .encode_normal = encode_normal,
                         .word = word,
                         .free = model_free};
    m->normalizer = normalizer;
    m->rules = *rules;
    m->mark_bytes = strlen(rules->mark);
    m->splitter = *splitter;
    m->self = self;
    classify(m);
    find_prepended(m);
    return &m->base;
}
