/* bpe_cache.h - from words to ids: a cache of words and the pieces they split into.
 *
 * A word of up to 15 bytes is a key by itself, and has up to three pieces beside it. Where there
 * are more, or their spans need a look at the text, a list has them; longer words have a hash
 * for a key, and stand before their list. */
#ifndef WEFT_BPE_CACHE_H
#define WEFT_BPE_CACHE_H

#include "text/bpe/bpe.h"
#include "text/bpe/bpe_span.h"
#include "text/tokens.h"

#include <string.h>

enum {
    BPE_KEY = 16,          /* bytes of a key: a word of up to 15 and its length */
    BPE_INLINE = 3,        /* pieces that an entry holds by itself */
    BPE_BUCKETS = 1 << 16, /* of two entries, a cache line */
};

typedef struct BpeEntry {
    uint64_t key[2];
    int32_t id[BPE_INLINE]; /* or: where the list is, how many pieces */
    uint8_t count, lead;    /* pieces, 0: free; spaces that the first one's span leaves out */
    uint8_t end[2];         /* where the first two pieces end */
} BpeEntry;

typedef struct BpeBucket {
    BpeEntry entry[2]; /* the younger one first */
} BpeBucket;

typedef struct BpeCache {
    const Bpe *bpe;
    const Vocab *vocab;
    const BpeRules *rules;
    BpeBucket *bucket;
    void *memory;  /* where the buckets are; zeroed without being touched */
    int32_t *list; /* id, end, id, end, ... */
    size_t listed;
    BpeWork pieces;
    Buf entry; /* a word as the vocabulary writes it */
} BpeCache;

/* The three must stay. */
BpeCache *bpe_cache_new(const Bpe *b, const Vocab *v, const BpeRules *rules);
void bpe_cache_free(BpeCache *c);

/* Appends the tokens of any word. */
void bpe_cache_add(BpeCache *c, const BpePlace *w, size_t limit, Tokens *out);

/* A key: 16 bytes of which the first n, at most 15, are the word; and n. */
static inline void bpe_key(const char *p, size_t n, uint64_t key[2])
{
    static const uint64_t keep[2][BPE_KEY] = {
        {0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
         UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
         UINT64_MAX},
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff,
         0xffffffffffff, 0xffffffffffffff}};
    memcpy(key, p, BPE_KEY);
    key[0] &= keep[0][n];
    key[1] = (key[1] & keep[1][n]) | (uint64_t)n << 56;
}

static inline BpeBucket *bpe_bucket(const BpeCache *c, const uint64_t key[2])
{
    uint64_t h = (key[0] ^ (key[1] << 29 | key[1] >> 35)) * 0x9e3779b97f4a7c15u;
    return c->bucket + (((h ^ key[1] * 0xd6e8feb86659fd93u) >> 32) & (BPE_BUCKETS - 1));
}

/* NULL: it is not in this bucket. */
static inline const BpeEntry *bpe_lookup(const BpeBucket *b, const uint64_t key[2])
{
    const BpeEntry *e = b->entry;
    /* Which of the two is by chance, so no branch may depend on it. */
    e += ((e[1].key[0] ^ key[0]) | (e[1].key[1] ^ key[1])) == 0;
    return ((e->key[0] ^ key[0]) | (e->key[1] ^ key[1])) == 0 ? e : NULL;
}

#endif
