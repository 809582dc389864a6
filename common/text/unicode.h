/* unicode.h - what the reference tokenizers take a code point for.
 *
 * One byte of classes a code point, from pages of 256 that are filled when first asked for;
 * utf8proc gives decompositions, combining classes and most of lower case, and
 * unicode_tables.h what the reference thinks otherwise. Safe from several threads. */
#ifndef WEFT_UNICODE_H
#define WEFT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNI_DROP = 1,    /* cleaning removes it: controls, formats, private use, U+0000, U+FFFD */
    UNI_SPACE = 2,   /* White_Space */
    UNI_PUNCT = 4,   /* general category P, or a symbol of ASCII */
    UNI_MARK = 8,    /* a nonspacing mark (Mn) */
    UNI_MOVES = 16,  /* its combining class is not 0 */
    UNI_SPLITS = 32, /* it has a canonical decomposition */
    UNI_LOWER = 64,  /* lower case differs */
    UNI_CJK = 128,   /* an ideograph that BERT sets apart */
    UNI_PAGES = 0x110000 >> 8,
    UNI_PARTS = 4, /* code points of a canonical decomposition, at most */
};

extern _Atomic(const uint8_t *) uni_pages[UNI_PAGES];
const uint8_t *uni_page(uint32_t page); /* fills it */

/* The classes of a code point (below 0x110000). */
static inline uint8_t uni_class(uint32_t cp)
{
    const uint8_t *page = uni_pages[cp >> 8];
    return (page ? page : uni_page(cp >> 8))[cp & 255];
}

/* Code points [first, last]; a table of them rises. */
typedef struct UniRange {
    uint32_t first, last;
} UniRange;
bool uni_in(uint32_t cp, const UniRange *r, size_t n);

int uni_decompose(uint32_t cp, uint32_t part[UNI_PARTS]); /* canonical, in full; the count */
int uni_combining(uint32_t cp);
/* Without context. U+0130 alone has a second part (U+0307): *more, else 0. */
uint32_t uni_lower(uint32_t cp, uint32_t *more);
/* Its general category as a bit, for a set of them: UNI_GC(LU) | UNI_GC(LL) (utf8proc.h). */
uint32_t uni_category(uint32_t cp);
#define UNI_GC(category) (1u << UTF8PROC_CATEGORY_##category)
bool uni_is_word(uint32_t cp);    /* \w of regular expressions (UTS 18) */
bool uni_is_numeric(uint32_t cp); /* categories Nd, Nl, No */

#endif
