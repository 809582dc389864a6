/* bpe_model.c - from text to ids by way of a cache of words.
 *
 * Words of plain ASCII go from the text to the cache a block at a time. Everything that is not
 * so simple goes word by word: what is not ASCII, long words, what follows a space that the
 * rules put there, and pieces of words whose spans need a look at the text. */
#include "text/bpe/bpe_model.h"

#include "base/utf8.h"
#include "text/bpe/bpe_span.h"
#include "text/bpe/bytelevel.h"
#include "text/bytechars.h"

#include <stdlib.h>

enum {
    KEY = 16,          /* bytes of a key: a word of up to 15 and its length */
    INLINE = 3,        /* pieces that an entry holds by itself */
    BUCKETS = 1 << 16, /* of two entries, a cache line */
    LISTS = 1 << 20,   /* numbers in the lists; beyond, the cache begins anew */
    LONGEST = 120,     /* bytes of words that are cached */
    LISTED = 255,      /* an entry's count: its pieces are in a list */
};

/* A word and what it splits into. Longer words than a key have a hash for one, and stand before
 * their list. */
typedef struct Entry {
    uint64_t key[2];
    int32_t id[INLINE];  /* or: where the list is, how many pieces */
    uint8_t count, lead; /* pieces, 0: free; spaces that the first one's span leaves out */
    uint8_t end[2];      /* where the first two pieces end */
} Entry;

typedef struct Bucket {
    Entry entry[2]; /* the younger one first */
} Bucket;

typedef struct BpeModel {
    TokModel base;
    Bpe *bpe;
    const Vocab *vocab;
    BpeRules rules;
} BpeModel;

typedef struct Work {
    const BpeModel *model;
    Bucket *cache;
    void *memory;  /* where the cache is; zeroed without being touched */
    int32_t *list; /* id, end, id, end, ... */
    size_t listed;
    BpeWork pieces;
    Buf entry; /* a word as the vocabulary writes it */
} Work;

/* ---- words to pieces ---- */

static void add_piece(const Work *work, const BpePlace *w, int32_t id, size_t begin, size_t end,
                      Tokens *out)
{
    int32_t span[2];
    bpe_span(&work->model->rules, w, begin, end, span);
    tokens_add(out, id, span[0], span[1]);
}

/* The id of a word that is in the vocabulary, or -1. */
static int32_t find_word(Work *work, BpeWord word)
{
    work->entry.n = 0;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t byte = word.space ? (i ? (uint8_t)word.p[i - 1] : ' ') : (uint8_t)word.p[i];
        char *to = buf_room(&work->entry, 4);
        work->entry.n += (size_t)utf8_put(byte_char(byte), to);
    }
    return vocab_find(work->model->vocab, str_of(work->entry.p, work->entry.n));
}

/* The word's next part into work->pieces; true: there are more. */
static bool split(Work *work, BpeWord word, size_t *from)
{
    const BpeModel *m = work->model;
    if (m->rules.words_first && *from == 0 && word.n <= m->vocab->longest) {
        int32_t id = find_word(work, word);
        if (id >= 0) {
            bpework_one(&work->pieces, id, word.n);
            return false;
        }
    }
    return bpe_split(m->bpe, &work->pieces, word, from);
}

/* Not cached: in parts. */
static void add_long(Work *work, const BpePlace *w, size_t limit, Tokens *out)
{
    BpeWord word = {w->p, w->n, w->space};
    size_t from = 0, begin = 0;
    bool more = true;
    while (more && out->n <= limit) {
        more = split(work, word, &from);
        for (size_t i = 0; i < work->pieces.n; i++) {
            size_t end = (size_t)work->pieces.end[i];
            add_piece(work, w, work->pieces.id[i], begin, end, out);
            begin = end;
        }
    }
}

/* ---- the cache ---- */

/* 16 bytes of which the first n, at most 15, are the word; and n. */
static inline void make_key(const char *p, size_t n, uint64_t key[2])
{
    static const uint64_t keep[2][KEY] = {
        {0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
         UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
         UINT64_MAX},
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
         0xffffffffffff, 0xffffffffffffff}};
    memcpy(key, p, KEY);
    key[0] &= keep[0][n];
    key[1] = (key[1] & keep[1][n]) | (uint64_t)n << 56;
}

static inline Bucket *bucket_of(const Work *work, const uint64_t key[2])
{
    uint64_t h = (key[0] ^ (key[1] << 29 | key[1] >> 35)) * 0x9e3779b97f4a7c15u;
    return work->cache + (((h ^ key[1] * 0xd6e8feb86659fd93u) >> 32) & (BUCKETS - 1));
}

static inline const Entry *lookup(const Bucket *b, const uint64_t key[2])
{
    const Entry *e = b->entry;
    /* Which of the two is by chance, so no branch may depend on it. */
    e += ((e[1].key[0] ^ key[0]) | (e[1].key[1] ^ key[1])) == 0;
    return ((e->key[0] ^ key[0]) | (e->key[1] ^ key[1])) == 0 ? e : NULL;
}

/* A full bucket's words go on to the one beside it. */
static inline Bucket *beside(const Work *work, const Bucket *b)
{
    return work->cache + ((b - work->cache) ^ 1);
}

static const Entry *lookup_both(const Work *work, const Bucket *b, const uint64_t key[2])
{
    const Entry *e = lookup(b, key);
    return e ? e : lookup(beside(work, b), key);
}

static void put_first(const Work *work, Bucket *b, const Entry *e)
{
    Bucket *next = beside(work, b);
    if (!next->entry[1].count)
        next->entry[1] = b->entry[1];
    b->entry[1] = b->entry[0];
    b->entry[0] = *e;
}

/* Can spans be told from where the pieces end alone? */
static bool is_simple(const Work *work, BpeWord word)
{
    const BpeWork *pieces = &work->pieces;
    const char *behind = word.p + !word.space; /* the word's first byte */
    if (pieces->n > INLINE)
        return false;
    /* A run of white space: its pieces are trimmed at both ends. */
    if (work->model->rules.trim && memchr(behind, ' ', word.n - 1))
        return false;
    for (size_t i = 0; i + 1 < pieces->n; i++)
        if (bpe_inside_char(word.p + pieces->end[i] - word.space))
            return false;
    return true;
}

static const Entry *keep_list(Work *work, Entry *e, const char *bytes, size_t n)
{
    const BpeWork *pieces = &work->pieces;
    size_t text = bytes ? (n + 3) / 4 : 0;
    if (work->listed + text + 2 * pieces->n > LISTS) {
        memset(work->cache, 0, BUCKETS * sizeof *work->cache);
        work->listed = 0;
        return NULL; /* this once */
    }
    if (bytes)
        memcpy(work->list + work->listed, bytes, n);
    work->listed += text;
    e->id[0] = (int32_t)work->listed;
    e->id[1] = (int32_t)pieces->n;
    e->count = LISTED;
    for (size_t i = 0; i < pieces->n; i++) {
        work->list[work->listed++] = pieces->id[i];
        work->list[work->listed++] = pieces->end[i];
    }
    return e;
}

/* Splits a word and keeps what comes out. `bytes`: the word where it is longer than a key. */
static const Entry *miss(Work *work, Bucket *b, const uint64_t key[2], BpeWord word,
                         const char *bytes)
{
    const BpeWork *pieces = &work->pieces;
    Entry e = {.key = {key[0], key[1]}};
    size_t from = 0;
    split(work, word, &from);
    if (bytes || !is_simple(work, word)) {
        if (!keep_list(work, &e, bytes, word.n))
            return NULL;
    } else {
        e.count = (uint8_t)pieces->n;
        e.lead = work->model->rules.trim && (word.space || word.p[0] == ' ');
        e.end[0] = e.end[1] = (uint8_t)word.n;
        for (size_t i = 0; i < pieces->n; i++) {
            e.id[i] = pieces->id[i];
            if (i < 2)
                e.end[i] = (uint8_t)pieces->end[i];
        }
    }
    put_first(work, b, &e);
    return b->entry;
}

/* The pieces of a word, with their spans from the text. */
static void add_entry(const Work *work, const Entry *e, const BpePlace *w, Tokens *out)
{
    size_t begin = 0;
    if (e->count != LISTED) {
        for (int i = 0; i < e->count; i++) {
            size_t end = i < 2 ? e->end[i] : w->n;
            add_piece(work, w, e->id[i], begin, end, out);
            begin = end;
        }
        return;
    }
    const int32_t *list = work->list + e->id[0];
    for (int32_t i = 0; i < e->id[1]; i++) {
        size_t end = (size_t)list[2 * i + 1];
        add_piece(work, w, list[2 * i], begin, end, out);
        begin = end;
    }
}

/* Those of a miss that was not kept. */
static void add_pieces(const Work *work, const BpePlace *w, Tokens *out)
{
    size_t begin = 0;
    for (size_t i = 0; i < work->pieces.n; i++) {
        size_t end = (size_t)work->pieces.end[i];
        add_piece(work, w, work->pieces.id[i], begin, end, out);
        begin = end;
    }
}

static inline uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* A word of KEY to LONGEST bytes: a hash is its key, and its bytes are compared. */
static void add_middling(Work *work, const BpePlace *w, Tokens *out)
{
    char bytes[LONGEST + 8] = " ";
    memcpy(bytes + w->space, w->p, w->n - w->space);
    uint64_t key[2] = {w->n, (uint64_t)KEY << 56 | w->n}, x;
    for (size_t i = 0; i < w->n; i += 8) {
        memcpy(&x, bytes + i, 8); /* zeros behind the word */
        key[0] = mix(key[0], x);
    }
    Bucket *b = bucket_of(work, key);
    const Entry *e = lookup_both(work, b, key);
    if (e && memcmp(work->list + e->id[0] - (w->n + 3) / 4, bytes, w->n) != 0) {
        add_long(work, w, SIZE_MAX, out); /* another word of the same hash */
        return;
    }
    if (!e)
        e = miss(work, b, key, (BpeWord){w->p, w->n, w->space}, bytes);
    if (e)
        add_entry(work, e, w, out);
    else
        add_pieces(work, w, out);
}

/* Any word. */
static void add_word(Work *work, const BpePlace *w, size_t limit, Tokens *out)
{
    if (w->n > LONGEST) {
        add_long(work, w, limit, out);
    } else if (w->n >= KEY) {
        add_middling(work, w, out);
    } else {
        char bytes[KEY] = " ";
        uint64_t key[2];
        memcpy(bytes + w->space, w->p, w->n - w->space);
        make_key(bytes, w->n, key);
        Bucket *b = bucket_of(work, key);
        const Entry *e = lookup_both(work, b, key);
        if (!e)
            e = miss(work, b, key, (BpeWord){w->p, w->n, w->space}, NULL);
        if (e)
            add_entry(work, e, w, out);
        else
            add_pieces(work, w, out);
    }
}

/* ---- text to words ---- */

/* The text, as far as it has been read; `at` is p's offset in the whole. */
typedef struct Reader {
    const char *p, *end;
    int32_t at;
} Reader;

static void read_word(Work *work, Reader *r, size_t limit, Tokens *out)
{
    const char *stop = bytelevel_word(r->p, r->end);
    BpePlace w = {
        .p = r->p, .end = r->end, .n = (size_t)(stop - r->p), .at = r->at, .first = r->at == 0};
    add_word(work, &w, limit, out);
    r->at += (int32_t)w.n;
    r->p = stop;
}

/* The first word of a piece of text, where the rules make it a special one. */
static void read_first(Work *work, Reader *r, size_t limit, Tokens *out)
{
    const BpeRules *rules = &work->model->rules;
    if (!rules->prefix || *r->p == ' ') {
        if (rules->trim && rules->trim_prefix && r->at == 0)
            read_word(work, r, limit, out);
        return;
    }
    const char *stop = bytelevel_first(r->p, r->end);
    BpePlace w = {.p = r->p,
                  .end = r->end,
                  .n = (size_t)(stop - r->p) + 1,
                  .at = r->at,
                  .space = true,
                  .first = r->at == 0};
    add_word(work, &w, limit, out);
    r->at += (int32_t)(stop - r->p);
    r->p = stop;
}

/* What an entry holds by itself: up to three pieces are written, as many count. */
static inline void put_entry(const Entry *e, int32_t at, int32_t n, Tokens *out)
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
    const Bucket *bucket;
    uint32_t begin, n;
} Spot;

/* All words of a block but the last are sought in the cache at the same time: most of the time
 * goes by with waiting for it. */
static unsigned find_spots(const Work *work, const char *block, uint64_t starts, Spot *spot)
{
    unsigned begin = 0, count = 0;
    for (starts &= starts - 1; starts; starts &= starts - 1, count++) {
        Spot *s = spot + count;
        unsigned stop = (unsigned)__builtin_ctzll(starts);
        s->begin = begin;
        s->n = stop - begin;
        make_key(block + begin, s->n & (KEY - 1), s->key);
        s->bucket = bucket_of(work, s->key);
        __builtin_prefetch(s->bucket);
        begin = stop;
    }
    return count;
}

/* The words of a block whose beginnings are in `starts`, but the last. `block` holds the same
 * bytes as r->p, and KEY more that may be read. */
static void read_block(Work *work, Reader *r, const char *block, uint64_t starts, Tokens *out)
{
    Spot spot[BL_BLOCK], *s = spot, *end = spot + find_spots(work, block, starts, spot);
    for (; s < end; s++) {
        const Entry *e = s->n < KEY ? lookup(s->bucket, s->key) : NULL;
        if (e && e->count <= INLINE) {
            put_entry(e, r->at + (int32_t)s->begin, (int32_t)s->n, out);
        } else {
            BpePlace w = {
                .p = r->p + s->begin, .end = r->end, .n = s->n, .at = r->at + (int32_t)s->begin};
            add_word(work, &w, SIZE_MAX, out);
            tokens_room(out, BL_BLOCK + INLINE);
        }
    }
    r->p += end[-1].begin + end[-1].n;
    r->at += (int32_t)(end[-1].begin + end[-1].n);
}

static void encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
{
    Reader r = {text.p, text.p + text.n, at};
    (void)m;
    if (!text.n)
        return;
    read_first(work, &r, limit, out);
    while (r.p < r.end && out->n <= limit) {
        char tail[BL_BLOCK + KEY];
        const char *block = r.p;
        size_t left = (size_t)(r.end - r.p), n = left < BL_BLOCK ? left : BL_BLOCK;
        if (left < sizeof tail) {
            memset(tail, ' ', sizeof tail);
            block = memcpy(tail, r.p, n);
        }
        uint64_t starts = bytelevel_starts(block, n, n < BL_BLOCK);
        if (starts & (starts - 1)) {
            tokens_room(out, BL_BLOCK + INLINE);
            read_block(work, &r, block, starts, out);
        } else {
            read_word(work, &r, limit, out);
        }
    }
}

/* ---- the interface ---- */

/* A place from which on cutting is as from the text's beginning: white space behind something
 * else always begins a word. */
static const char *restart(const char *p, const char *at)
{
    for (const char *q = at; q > p; q--)
        if ((*q == ' ' || *q == '\n') && (unsigned char)q[-1] < 0x80 && q[-1] > ' ')
            return q;
    return p;
}

static void word(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    const BpeRules *rules = &((const BpeModel *)m)->rules;
    const char *p, *end = text.p + text.n, *stop = restart(text.p, text.p + at);
    bool space = stop == text.p && rules->prefix && *stop != ' ';
    Work *w = work;
    BpePlace place;
    do {
        p = stop;
        stop = space ? bytelevel_first(p, end) : bytelevel_word(p, end);
        place = (BpePlace){.p = p,
                           .end = end,
                           .n = (size_t)(stop - p) + space,
                           .at = (int32_t)(p - text.p),
                           .space = space,
                           .first = p == text.p};
        space = false;
    } while (stop <= text.p + at && stop < end);
    Tokens tokens = {0};
    add_word(w, &place, SIZE_MAX, &tokens);
    span[0] = tokens.span[0][0];
    span[1] = tokens.span[tokens.n - 1][1];
    tokens_free(&tokens);
}

static void *work_new(const TokModel *m)
{
    Work *w = mem_zero(1, sizeof *w);
    w->model = (const BpeModel *)m;
    w->memory = mem_zero(BUCKETS + 1, sizeof *w->cache);
    w->cache =
        (Bucket *)(((uintptr_t)w->memory + sizeof *w->cache - 1) & -(uintptr_t)sizeof *w->cache);
    w->list = mem_array(LISTS, sizeof *w->list);
    return w;
}

static void work_free(void *work)
{
    Work *w = work;
    free(w->memory);
    free(w->list);
    free(w->entry.p);
    bpework_clear(&w->pieces);
    free(w);
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
