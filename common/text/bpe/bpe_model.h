/* bpe_model.h - the tokenizer of GPT-2, RoBERTa, BART, Llama 3 and Qwen 2: words by a pattern, byte
 * pairs. */
#ifndef WEFT_BPE_MODEL_H
#define WEFT_BPE_MODEL_H

#include "store/jsonfile.h"
#include "text/bpe/bpe.h"
#include "text/bpe/bpe_rules.h"
#include "text/cut/cut.h"
#include "text/normal/normal.h"
#include "text/tokenizer.h"
#include "text/tokmodel.h"

/* Takes over b. The vocabulary must stay. */
TokModel *bpe_model_new(Bpe *b, const Vocab *v, const BpeRules *rules);
/* Makes t->model of t->vocab and the merges, and the fingerprint, for which `parts` says what
 * stands before, or is NULL; the normalizer and the cuts are taken over, and may be NULL. */
int bpe_set(Tokenizer *t, const BpeRules *rules, const MergeList *merges, Normalizer *normal,
            Cuts *cuts, const char *parts, Err *e);

#endif
