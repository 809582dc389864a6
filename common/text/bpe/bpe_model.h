/* bpe_model.h - the tokenizer of GPT-2, RoBERTa and BART: GPT-2's pattern, byte pairs. */
#ifndef WEFT_BPE_MODEL_H
#define WEFT_BPE_MODEL_H

#include "store/jsonfile.h"
#include "text/bpe/bpe.h"
#include "text/tokmodel.h"

typedef struct BpeRules {
    bool prefix;      /* a space goes before each piece of text that begins without one */
    bool trim;        /* spans leave out spaces at both ends of a token, ... */
    bool trim_prefix; /* ... but not the one that the first token begins with */
    bool words_first; /* words that the vocabulary has are not split (ignore_merges) */
} BpeRules;

/* Takes over b. The vocabulary must stay. */
TokModel *bpe_model_new(Bpe *b, const Vocab *v, const BpeRules *rules);
/* Makes t->model of t->vocab and the merges, and the fingerprint. */
int bpe_set(Tokenizer *t, const BpeRules *rules, const MergeList *merges, Err *e);

#endif
