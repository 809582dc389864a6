#include "text/bpe/bpe_cache.h"

#include "base/utf8.h"
#include "text/bytechars.h"

#include <stdlib.h>

enum {
    LISTS = 1 << 20, /* numbers in the lists; beyond, the cache begins anew */
    LONGEST = 120,   /* bytes of words that are cached */
    LISTED = 255,    /* an entry's count: its pieces are in a list */
};

/* ---- words to pieces ---- */

static void add_piece(const BpeCache *c, const BpePlace *w, int32_t id, size_t begin, size_t end,
                      Tokens *out)
{
    int32_t span[2];
    bpe_span(c->rules, w, begin, end, span);
    tokens_add(out, id, span[0], span[1]);
}

/* The id of a word that is in the vocabulary, or -1. */
static int32_t find_word(BpeCache *c, BpeWord word)
{
    c->entry.n = 0;
    for (size_t i = 0; i < word.n; i++) {
        uint8_t byte = word.space ? (i ? (uint8_t)word.p[i - 1] : ' ') : (uint8_t)word.p[i];
        char *to = buf_room(&c->entry, 4);
        c->entry.n += (size_t)utf8_put(byte_char(byte), to);
    }
    return vocab_find(c->vocab, str_of(c->entry.p, c->entry.n));
}

/* The word's next part into c->pieces; true: there are more. */
static bool split(BpeCache *c, BpeWord word, size_t *from)
{
    if (c->rules->words_first && *from == 0 && word.n <= c->vocab->longest) {
        int32_t id = find_word(c, word);
        if (id >= 0) {
            bpework_one(&c->pieces, id, word.n);
            return false;
        }
    }
    return bpe_split(c->bpe, &c->pieces, word, from);
}

/* The pieces of a part of a word that begins at its byte `begin`; where the part ends. */
static size_t add_pieces(const BpeCache *c, const BpePlace *w, size_t begin, Tokens *out)
{
    for (size_t i = 0; i < c->pieces.n; i++) {
        size_t end = (size_t)c->pieces.end[i];
        add_piece(c, w, c->pieces.id[i], begin, end, out);
        begin = end;
    }
    return begin;
}

/* Not cached: in parts. */
static void add_long(BpeCache *c, const BpePlace *w, size_t limit, Tokens *out)
{
    BpeWord word = {w->p, w->n, w->space};
    size_t from = 0, begin = 0;
    bool more = true;
    while (more && out->n <= limit) {
        more = split(c, word, &from);
        begin = add_pieces(c, w, begin, out);
    }
}

/* ---- the cache ---- */

/* A full bucket's words go on to the one beside it. */
static inline BpeBucket *beside(const BpeCache *c, const BpeBucket *b)
{
    return c->bucket + ((b - c->bucket) ^ 1);
}

static const BpeEntry *lookup_both(const BpeCache *c, const BpeBucket *b, const uint64_t key[2])
{
    const BpeEntry *e = bpe_lookup(b, key);
    return e ? e : bpe_lookup(beside(c, b), key);
}

static void put_first(const BpeCache *c, BpeBucket *b, const BpeEntry *e)
{
    BpeBucket *next = beside(c, b);
    if (!next->entry[1].count)
        next->entry[1] = b->entry[1];
    b->entry[1] = b->entry[0];
    b->entry[0] = *e;
}

/* Can spans be told from where the pieces end alone? */
static bool is_simple(const BpeCache *c, BpeWord word)
{
    const BpeWork *pieces = &c->pieces;
    const char *behind = word.p + !word.space; /* the word's first byte */
    if (pieces->n > BPE_INLINE)
        return false;
    /* A run of white space: its pieces are trimmed at both ends. */
    if (c->rules->trim && memchr(behind, ' ', word.n - 1))
        return false;
    for (size_t i = 0; i + 1 < pieces->n; i++)
        if (bpe_inside_char(word.p + pieces->end[i] - word.space))
            return false;
    return true;
}

static const BpeEntry *keep_list(BpeCache *c, BpeEntry *e, const char *bytes, size_t n)
{
    const BpeWork *pieces = &c->pieces;
    size_t text = bytes ? (n + 3) / 4 : 0;
    if (c->listed + text + 2 * pieces->n > LISTS) {
        memset(c->bucket, 0, BPE_BUCKETS * sizeof *c->bucket);
        c->listed = 0;
        return NULL; /* this once */
    }
    if (bytes)
        memcpy(c->list + c->listed, bytes, n);
    c->listed += text;
    e->id[0] = (int32_t)c->listed;
    e->id[1] = (int32_t)pieces->n;
    e->count = LISTED;
    for (size_t i = 0; i < pieces->n; i++) {
        c->list[c->listed++] = pieces->id[i];
        c->list[c->listed++] = pieces->end[i];
    }
    return e;
}

/* Splits a word and keeps what comes out. `bytes`: the word where it is longer than a key. */
static const BpeEntry *miss(BpeCache *c, BpeBucket *b, const uint64_t key[2], BpeWord word,
                            const char *bytes)
{
    const BpeWork *pieces = &c->pieces;
    BpeEntry e = {.key = {key[0], key[1]}};
    size_t from = 0;
    split(c, word, &from);
    if (bytes || !is_simple(c, word)) {
        if (!keep_list(c, &e, bytes, word.n))
            return NULL;
    } else {
        e.count = (uint8_t)pieces->n;
        e.lead = c->rules->trim && (word.space || word.p[0] == ' ');
        e.end[0] = e.end[1] = (uint8_t)word.n;
        for (size_t i = 0; i < pieces->n; i++) {
            e.id[i] = pieces->id[i];
            if (i < 2)
                e.end[i] = (uint8_t)pieces->end[i];
        }
    }
    put_first(c, b, &e);
    return b->entry;
}

/* The pieces of a word, with their spans from the text. */
static void add_entry(const BpeCache *c, const BpeEntry *e, const BpePlace *w, Tokens *out)
{
    size_t begin = 0;
    if (e->count != LISTED) {
        for (int i = 0; i < e->count; i++) {
            size_t end = i < 2 ? e->end[i] : w->n;
            add_piece(c, w, e->id[i], begin, end, out);
            begin = end;
        }
        return;
    }
    const int32_t *list = c->list + e->id[0];
    for (int32_t i = 0; i < e->id[1]; i++) {
        size_t end = (size_t)list[2 * i + 1];
        add_piece(c, w, list[2 * i], begin, end, out);
        begin = end;
    }
}

static inline uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

/* A word of BPE_KEY to LONGEST bytes: a hash is its key, and its bytes are compared. */
static void add_middling(BpeCache *c, const BpePlace *w, Tokens *out)
{
    char bytes[LONGEST + 8] = " ";
    memcpy(bytes + w->space, w->p, w->n - w->space);
    uint64_t key[2] = {w->n, (uint64_t)BPE_KEY << 56 | w->n}, x;
    for (size_t i = 0; i < w->n; i += 8) {
        memcpy(&x, bytes + i, 8); /* zeros behind the word */
        key[0] = mix(key[0], x);
    }
    BpeBucket *b = bpe_bucket(c, key);
    const BpeEntry *e = lookup_both(c, b, key);
    if (e && memcmp(c->list + e->id[0] - (w->n + 3) / 4, bytes, w->n) != 0) {
        add_long(c, w, SIZE_MAX, out); /* another word of the same hash */
        return;
    }
    if (!e)
        e = miss(c, b, key, (BpeWord){w->p, w->n, w->space}, bytes);
    if (e)
        add_entry(c, e, w, out);
    else
        add_pieces(c, w, 0, out);
}

void bpe_cache_add(BpeCache *c, const BpePlace *w, size_t limit, Tokens *out)
{
    if (w->n > LONGEST) {
        add_long(c, w, limit, out);
    } else if (w->n >= BPE_KEY) {
        add_middling(c, w, out);
    } else {
        char bytes[BPE_KEY] = " ";
        uint64_t key[2];
        memcpy(bytes + w->space, w->p, w->n - w->space);
        bpe_key(bytes, w->n, key);
        BpeBucket *b = bpe_bucket(c, key);
        const BpeEntry *e = lookup_both(c, b, key);
        if (!e)
            e = miss(c, b, key, (BpeWord){w->p, w->n, w->space}, NULL);
        if (e)
            add_entry(c, e, w, out);
        else
            add_pieces(c, w, 0, out);
    }
}

/* ---- memory ---- */

BpeCache *bpe_cache_new(const Bpe *b, const Vocab *v, const BpeRules *rules)
{
    BpeCache *c = mem_zero(1, sizeof *c);
    c->bpe = b;
    c->vocab = v;
    c->rules = rules;
    c->memory = mem_zero(BPE_BUCKETS + 1, sizeof *c->bucket);
    c->bucket = (BpeBucket *)(((uintptr_t)c->memory + sizeof *c->bucket - 1) &
                              -(uintptr_t)sizeof *c->bucket);
    c->list = mem_array(LISTS, sizeof *c->list);
    return c;
}

void bpe_cache_free(BpeCache *c)
{
    free(c->memory);
    free(c->list);
    free(c->entry.p);
    bpework_clear(&c->pieces);
    free(c);
}
