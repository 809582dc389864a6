/* spiece_in.h - how a tokenizer is made of SentencePiece's file: what spiece_load.c and
 * spiece_layouts.c share. */
#ifndef WEFT_SPIECE_IN_H
#define WEFT_SPIECE_IN_H

#include "text/normal/normal.h"
#include "text/sentencepiece/spiece.h"
#include "text/tokenizer_in.h"

typedef struct SpieceLoad {
    Tokenizer *t;
    const Spiece *s;
    const SpieceLayout *layout;
    const json_t *config;
    double *score; /* by id */
    int32_t cap;
    bool prefix, legacy; /* add_prefix_space, legacy */
    bool puncts;         /* split_by_punct */
    Err *e;
} SpieceLoad;

/* What a class makes of it. */
struct SpieceLayout {
    int (*entries)(SpieceLoad *l); /* to t->vocab and score */
    int32_t unknown;               /* its id; -1: as the file says */
    void (*normalise)(const SpieceLoad *l, Normalizer *n);
    int (*templates)(SpieceLoad *l);
    int (*own)(SpieceLoad *l); /* adds special tokens that only the class knows of; or NULL */
    bool bytes;                /* what is unknown is written in bytes */
    bool prefixes;             /* add_prefix_space and legacy are asked for */
    bool puncts;               /* split_by_punct is asked for */
    bool whole;                /* no mark begins a word; the normalizer puts legacy ones */
};

int spiece_add_special(SpieceLoad *l, Str text, bool lstrip);

#endif
