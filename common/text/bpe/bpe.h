/* bpe.h - byte pair encoding (Sennrich et al. 2016) of bytes: of the pairs of symbols side by
 * side the one of lowest rank is joined, the leftmost first, until none is left.
 *
 *     Bpe *b = bpe_new(&vocab, &merges, &e);
 *     BpeWork w = {0};                              // one a thread
 *     size_t from = 0;
 *     do {
 *         more = bpe_split(b, &w, word, &from);
 *         // w.id[0 .. w.n), w.end: where each ends in the word
 *     } while (more);
 */
#ifndef WEFT_BPE_H
#define WEFT_BPE_H

#include "text/merges.h"

typedef struct Bpe Bpe;

typedef struct BpeWork {
    int32_t *id, *end; /* the pieces */
    size_t n;
    /* private */
    int32_t *before, *after;
    uint32_t *rank;
    uint64_t *heap;
    size_t cap, heaped, heap_cap;
    struct BpeWork *ahead;
} BpeWork;

/* A word of n bytes; `space`: one comes before those at p, and counts. */
typedef struct BpeWord {
    const char *p;
    size_t n;
    bool space;
} BpeWord;

/* NULL: a byte is not in the vocabulary (text/bytechars.h), or a merge is there twice. Neither
 * argument is needed afterwards. */
Bpe *bpe_new(const Vocab *v, const MergeList *merges, Err *e);
void bpe_free(Bpe *b);

/* The pieces of a word of one byte or more. Those of a long word come in parts, so that they
 * take bounded memory and the caller may stop: true says that more follow. *from is 0 for the
 * first part. */
bool bpe_split(const Bpe *b, BpeWork *w, BpeWord word, size_t *from);
/* A word that is one piece as it is. */
void bpework_one(BpeWork *w, int32_t id, size_t n);
void bpework_clear(BpeWork *w);

#endif
