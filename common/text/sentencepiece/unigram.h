/* unigram.h - Unigram (Kudo 2018, as SentencePiece and `tokenizers` have it): of all ways to
 * write a word in pieces, the one whose scores, logarithms of probabilities, have the largest
 * sum; of equal ones that which was found first. */
#ifndef WEFT_UNIGRAM_H
#define WEFT_UNIGRAM_H

#include "text/sentencepiece/metaspace.h"
#include "text/tokenizer_in.h"

typedef struct UnigramRules {
    int32_t unknown; /* stands for what no piece begins; neighbours of that kind are one */
    bool bytes;      /* that is rather written in <0x00> .. <0xFF>, where all are there */
} UnigramRules;

/* What splits words by the vocabulary (at most 2^24 - 1 ids) with a score an id. */
void *unigram_new(const Vocab *v, const double *score, const UnigramRules *rules);
extern const WordSplitter unigram_splitter;

/* Makes t->model of t->vocab, with its fingerprint. Takes over `normalizer`. */
int unigram_set(Tokenizer *t, Normalizer *normalizer, const WordRules *words, const double *score,
                const UnigramRules *rules, Err *e);

#endif
