/* bert.h - BERT's tokenizer: BertNormalizer (clean, set ideographs apart, NFD and marks off, lower
 * case), BertPreTokenizer (white space splits, punctuation stands alone), WordPiece. */
#ifndef WEFT_BERT_H
#define WEFT_BERT_H

#include "text/tokenizer_in.h"

typedef struct BertRules {
    bool clean, cjk, strip, lower;
    int max_chars; /* a word's; longer ones are unknown */
    int32_t unknown;
    const char *prefix; /* "##" */
} BertRules;

TokModel *bert_new(const Vocab *v, const BertRules *rules);

/* The flags of a BertNormalizer. */
int bert_read_normalizer(const json_t *o, BertRules *rules, Err *e);

/* Makes t->model of t->vocab, with its fingerprint. `unknown` is the unknown word's text, which
 * must be in the vocabulary. */
int bert_set(Tokenizer *t, BertRules rules, const char *unknown, Err *e);

#endif
