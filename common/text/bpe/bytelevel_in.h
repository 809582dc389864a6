/* bytelevel_in.h - what patterns that cut text into words are made of; for bytelevel.c and
 * tiktoken.c alone. */
#ifndef WEFT_BYTELEVEL_IN_H
#define WEFT_BYTELEVEL_IN_H

#include "base/utf8.h"
#include "text/bpe/bytelevel.h"
#include "text/unicode.h"

#include <stdatomic.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* \p{L}, \p{N}, \s, and what is none of these. */
enum { SYMBOL, LETTER, NUMBER, SPACE };

extern _Atomic(const uint8_t *) bytelevel_pages[UNI_PAGES];
const uint8_t *bytelevel_fill(uint32_t page);

static inline uint8_t class_at(const char *p, int *len)
{
    uint32_t cp = utf8_get(p, len);
    const uint8_t *page = bytelevel_pages[cp >> 8];
    return (page ? page : bytelevel_fill(cp >> 8))[cp & 255];
}

static inline const char *run_end(const char *p, const char *end, uint8_t class)
{
    int len;
    while (p < end && class_at(p, &len) == class)
        p += len;
    return p;
}

typedef struct Masks {
    uint64_t letter, number, space, blank, quote, foreign; /* blank: ' '; foreign: not ASCII */
} Masks;

#ifdef __SSE2__
/* Bytes of x that are in [low, low + n). */
static inline __m128i in_range(__m128i x, char low, char n)
{
    __m128i from_zero = _mm_sub_epi8(x, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(from_zero, _mm_set1_epi8((char)(n - 1))), from_zero);
}

static inline uint64_t bits_of(__m128i x, int at)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(x) << at;
}

static inline Masks masks_of(const char *block)
{
    Masks m = {0};
    for (int i = 0; i < BL_BLOCK; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(block + i));
        __m128i blank = _mm_cmpeq_epi8(x, _mm_set1_epi8(' '));
        __m128i low = _mm_or_si128(x, _mm_set1_epi8(0x20));
        m.letter |= bits_of(in_range(low, 'a', 26), i);
        m.number |= bits_of(in_range(x, '0', 10), i);
        m.space |= bits_of(_mm_or_si128(blank, in_range(x, '\t', 5)), i);
        m.blank |= bits_of(blank, i);
        m.quote |= bits_of(_mm_cmpeq_epi8(x, _mm_set1_epi8('\'')), i);
        m.foreign |= bits_of(x, i);
    }
    return m;
}
#else
static inline Masks masks_of(const char *block)
{
    Masks m = {0};
    for (int i = 0; i < BL_BLOCK; i++) {
        unsigned char c = (unsigned char)block[i], low = c | 0x20;
        uint64_t bit = UINT64_C(1) << i;
        m.letter |= low >= 'a' && low <= 'z' ? bit : 0;
        m.number |= c >= '0' && c <= '9' ? bit : 0;
        m.space |= c == ' ' || (c >= '\t' && c <= '\r') ? bit : 0;
        m.blank |= c == ' ' ? bit : 0;
        m.quote |= c == '\'' ? bit : 0;
        m.foreign |= c >= 0x80 ? bit : 0;
    }
    return m;
}
#endif

/* The n lowest bits. */
static inline uint64_t low_bits(unsigned n)
{
    return n < 64 ? (UINT64_C(1) << n) - 1 : ~UINT64_C(0);
}

#endif
