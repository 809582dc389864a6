#include "text/bpe/bytelevel_in.h"

#include "base/mem.h"
#include "text/bpe/bytelevel_tables.h"
#include "text/unicode.h"

#include <stdbool.h>
#include <stdlib.h>
#include <utf8proc.h>

/* ---- what a character is ---- */

_Atomic(const uint8_t *) bytelevel_pages[UNI_PAGES];

static bool is_young(uint32_t cp, const uint32_t (*range)[2], size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (cp >= range[i][0] && cp <= range[i][1])
            return true;
    return false;
}

static uint8_t classify(uint32_t cp)
{
    if (uni_class(cp) & UNI_SPACE)
        return SPACE;
    uint32_t category = uni_category(cp);
    if (category & (UNI_GC(LU) | UNI_GC(LL) | UNI_GC(LT) | UNI_GC(LM) | UNI_GC(LO)))
        return LETTER;
    if (category & (UNI_GC(ND) | UNI_GC(NL) | UNI_GC(NO)))
        return NUMBER;
    if (is_young(cp, young_letters, sizeof young_letters / sizeof *young_letters))
        return LETTER;
    if (is_young(cp, young_numbers, sizeof young_numbers / sizeof *young_numbers))
        return NUMBER;
    return SYMBOL;
}

const uint8_t *bytelevel_fill(uint32_t page)
{
    uint8_t *made = mem_alloc(256);
    const uint8_t *there = NULL;
    for (uint32_t i = 0; i < 256; i++)
        made[i] = classify(page << 8 | i);
    if (atomic_compare_exchange_strong(&bytelevel_pages[page], &there, made))
        return made;
    free(made); /* another thread was first */
    return there;
}

/* ---- the pattern, a word at a time ---- */

/* The length of the contraction at p, which is an apostrophe; 0: it is none. */
static inline size_t contraction(const char *p, size_t n)
{
    if (n < 2)
        return 0;
    switch (p[1]) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 2;
    case 'r':
    case 'v': return n > 2 && p[2] == 'e' ? 3 : 0;
    case 'l': return n > 2 && p[2] == 'l' ? 3 : 0;
    default: return 0;
    }
}

/* White space at p: all of it at the text's end, else all but its last character, which the
 * next word may begin with; `least`: no less than that. */
static const char *space_end(const char *p, const char *end, const char *least)
{
    const char *last = p;
    int len = 0;
    while (p < end && class_at(p, &len) == SPACE) {
        last = p;
        p += len;
    }
    return p == end || last < least ? p : last;
}

const char *bytelevel_word(const char *p, const char *end)
{
    int len, behind;
    uint8_t class = class_at(p, &len);
    if (*p == '\'') {
        size_t n = contraction(p, (size_t)(end - p));
        if (n)
            return p + n;
    }
    if (*p == ' ' && p + 1 < end) {
        uint8_t next = class_at(p + 1, &behind);
        if (next != SPACE)
            return run_end(p + 1 + behind, end, next);
    }
    return class == SPACE ? space_end(p, end, p + len) : run_end(p + len, end, class);
}

const char *bytelevel_first(const char *p, const char *end)
{
    int len;
    uint8_t class = class_at(p, &len);
    return class == SPACE ? space_end(p, end, p) : run_end(p + len, end, class);
}

/* ---- the pattern, a block of ASCII at a time ---- */

/* Words that begin with an apostrophe may be contractions, behind which a word begins. */
static uint64_t contractions(const char *block, uint64_t starts, uint64_t quote, unsigned known,
                             int last)
{
    for (uint64_t left = starts & quote; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (known - i < 3 && !last)
            return starts & low_bits(i + 1); /* what comes behind decides */
        size_t n = contraction(block + i, known - i);
        if (n)
            starts = (starts & ~(UINT64_C(3) << i << 1)) | (UINT64_C(1) << i << n);
    }
    return starts;
}

uint64_t bytelevel_starts(const char *block, size_t n, int last)
{
    Masks m = masks_of(block);
    unsigned known = (unsigned)n;
    m.foreign &= low_bits(known);
    if (m.foreign) {
        known = (unsigned)__builtin_ctzll(m.foreign);
        last = 0;
    }
    uint64_t inside = low_bits(known);
    uint64_t letter = m.letter & inside, number = m.number & inside, space = m.space & inside;
    uint64_t ink = inside & ~space, symbol = ink & ~letter & ~number;
    /* A word begins where the kind of character changes, ... */
    uint64_t starts = 1 | (letter & ~(letter << 1)) | (number & ~(number << 1)) |
                      (symbol & ~(symbol << 1)) | (space & ~(space << 1));
    /* ... but with the space before it, which is the last of a run of white space. */
    starts &= ~(ink & (m.blank << 1));
    starts |= space & (ink >> 1);
    if (starts & m.quote & inside)
        starts = contractions(block, starts & inside, m.quote & inside, known, last);
    if (last)
        starts |= UINT64_C(1) << known;
    return starts;
}
