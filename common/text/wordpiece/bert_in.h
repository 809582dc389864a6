/* bert_in.h - what bert*.c share.
 *
 * Words of plain ASCII, which most are, go from the text to a cache of words without a step
 * between. Everything else is normalised code point by code point into a word that knows where
 * each of its bytes came from. */
#ifndef WEFT_BERT_IN_H
#define WEFT_BERT_IN_H

#include "text/unicode.h"
#include "text/wordpiece/bert.h"
#include "text/wordpiece/wordpiece.h"

enum { BERT_CACHE = 1 << 14, BERT_KEY = 16, BERT_PIECES = 8 };
enum { BYTE_WORD, BYTE_SPACE, BYTE_PUNCT, BYTE_OTHER }; /* OTHER: not ASCII, or to be dropped */

typedef struct Bert {
    TokModel base;
    BertRules rules;
    WordPiece pieces;
    uint8_t byte[256];
    int32_t symbol[128]; /* ids of punctuation characters */
} Bert;

/* A word of at most 16 bytes and what it splits into. */
typedef struct BertEntry {
    uint64_t key[2];
    int32_t id[BERT_PIECES];
    uint8_t end[BERT_PIECES];
    uint8_t count, size; /* size 0: free */
} BertEntry;

/* A nonstarter that waits for canonical order. */
typedef struct BertPending {
    uint32_t cp;
    uint8_t combining;
    bool own;     /* first of its original's decomposition */
    size_t order; /* in the text: those of equal class stay so */
} BertPending;

typedef struct BertWork {
    const Bert *bert;
    BertEntry *cache;
    char *word; /* the word being collected; every byte's origin in span */
    int32_t (*span)[2];
    int size, chars;
    int32_t first, last; /* of the whole word, however long it is */
    int32_t *id;         /* a split's pieces */
    int *end;
    uint64_t *hash;
    BertPending *pending;
    int32_t (*origin)[2]; /* of the pending ones that are their own, in the text's order */
    size_t npending, norigin, cap;
    int32_t at[2]; /* the origin of what was last put in order */
} BertWork;

/* A TokModel's functions: bert_normal.c's, */
void bert_normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out);
/* and bert_words.c's. */
void bert_encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out);
void bert_encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                        size_t limit, Tokens *out);

#endif
