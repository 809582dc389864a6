/* wordpiece.h - WordPiece (Schuster and Nakajima 2012, as BERT has it): the longest entry that
 * begins the word, then the longest that goes on, with "##" before it. */
#ifndef WEFT_WORDPIECE_H
#define WEFT_WORDPIECE_H

#include "text/vocab.h"

typedef struct WordPiece {
    const Vocab *vocab;
    char *prefix;    /* "##" */
    int32_t unknown; /* id for words that do not come out */
    int max_chars;   /* longer words are unknown */
} WordPiece;

/* Splits word[0, n). Pieces' ids and where they end in the word; 0: it does not come out.
 * id, end and hash have room for n. */
int wordpiece_split(const WordPiece *w, const char *word, int n, int32_t *id, int *end,
                    uint64_t *hash);

#endif
