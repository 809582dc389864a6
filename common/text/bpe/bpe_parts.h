/* bpe_parts.h - a BPE of bytes behind a normalizer and what cuts words. */
#ifndef WEFT_BPE_PARTS_H
#define WEFT_BPE_PARTS_H

#include "text/bpe/bpe_model.h"

/* Takes over b, the normalizer and the cuts, of which either may be NULL. The vocabulary must stay.
 */
TokModel *bpe_parts_new(Bpe *b, const Vocab *v, const BpeRules *rules, Normalizer *normal,
                        Cuts *cuts);

#endif
