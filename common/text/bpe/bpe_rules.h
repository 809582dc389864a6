/* bpe_rules.h - in what byte-level tokenizers differ. */
#ifndef WEFT_BPE_RULES_H
#define WEFT_BPE_RULES_H

#include "text/bpe/bytelevel.h"

#include <stdbool.h>

typedef struct BpeRules {
    const BlPattern *pattern; /* how a text is cut into words */
    bool prefix;              /* a space goes before each piece of text that begins without one */
    bool trim;                /* spans leave out spaces at both ends of a token, ... */
    bool trim_prefix;         /* ... but not the one that the first token begins with */
    bool words_first;         /* words that the vocabulary has are not split (ignore_merges) */
} BpeRules;

#endif
