/* spbpe.h - SentencePiece's BPE: characters are joined by merges in order of rank (Sennrich et
 * al. 2016), in words or in the whole text. A character that the vocabulary lacks is written in
 * bytes (<0x00> .. <0xFF>) or unknown. */
#ifndef WEFT_SPBPE_H
#define WEFT_SPBPE_H

#include "text/sentencepiece/metaspace.h"
#include "text/tokenizer_in.h"

typedef struct SpBpeRules {
    int32_t unknown; /* -1: what is unknown gives nothing */
    bool fuse;       /* neighbours that are unknown are one */
    bool bytes;
    bool whole; /* a word that is an entry is not split */
} SpBpeRules;

/* Makes t->model of t->vocab, with its fingerprint. Takes over `normalizer`. */
void spbpe_set(Tokenizer *t, Normalizer *normalizer, WordRules words, const MergeList *merges,
               const SpBpeRules *rules);

#endif
