/* bpe_span.h - which bytes of the text a piece of a word stands for. */
#ifndef WEFT_BPE_SPAN_H
#define WEFT_BPE_SPAN_H

#include "text/bpe/bpe_rules.h"

#include <stddef.h>
#include <stdint.h>

/* A word in the text: its bytes there with what comes behind, the first one's offset, and
 * whether a space was put before it. */
typedef struct BpePlace {
    const char *p, *end;
    size_t n; /* with the space */
    int32_t at;
    bool space, first; /* first: it begins the whole text */
} BpePlace;

/* Is it the second byte of a character, or the third or fourth? */
static inline bool bpe_inside_char(const char *p)
{
    return ((unsigned char)*p & 0xc0) == 0x80;
}

/* The bytes of the whole text that bytes [begin, end) of the word stand for. */
void bpe_span(const BpeRules *rules, const BpePlace *w, size_t begin, size_t end, int32_t span[2]);

#endif
