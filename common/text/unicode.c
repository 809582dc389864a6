#include "text/unicode.h"

#include "base/mem.h"
#include "text/unicode_tables.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <utf8proc.h>

_Atomic(const uint8_t *) uni_pages[UNI_PAGES];

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define IN(cp, ranges) uni_in(cp, ranges, COUNT(ranges))

/* BERT's "Chinese characters"; U+2B820 to U+2B91F are left out by the reference too. */
static const UniRange cjk[] = {
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xf900, 0xfaff},   {0x20000, 0x2a6df},
    {0x2a700, 0x2b73f}, {0x2b740, 0x2b81f}, {0x2b920, 0x2ceaf}, {0x2f800, 0x2fa1f},
};

/* Decompositions younger than the reference's tables (Unicode 13 and 16). */
static const UniRange young[] = {
    {0x105c9, 0x105e4}, {0x11383, 0x11391}, {0x113c5, 0x113c8},
    {0x11938, 0x11938}, {0x16121, 0x16128}, {0x16d68, 0x16d6a},
};

bool uni_in(uint32_t cp, const UniRange *r, size_t n)
{
    size_t lo = 0;
    while (lo < n) {
        size_t mid = (lo + n) / 2;
        if (cp > r[mid].last)
            lo = mid + 1;
        else if (cp < r[mid].first)
            n = mid;
        else
            return true;
    }
    return false;
}

int uni_decompose(uint32_t cp, uint32_t part[UNI_PARTS])
{
    utf8proc_int32_t to[UNI_PARTS];
    int last = 0;
    utf8proc_ssize_t n = 0;
    if (!IN(cp, young))
        n = utf8proc_decompose_char((utf8proc_int32_t)cp, to, UNI_PARTS, UTF8PROC_DECOMPOSE, &last);
    if (n < 1 || n > UNI_PARTS) {
        part[0] = cp;
        return 1;
    }
    for (int i = 0; i < n; i++)
        part[i] = (uint32_t)to[i];
    return (int)n;
}

int uni_combining(uint32_t cp)
{
    if (!(uni_class(cp) & UNI_MOVES))
        return 0;
    return utf8proc_get_property((utf8proc_int32_t)cp)->combining_class;
}

uint32_t uni_lower(uint32_t cp, uint32_t *more)
{
    *more = cp == 0x130 ? 0x307 : 0;
    for (size_t i = 0; i < COUNT(later); i++)
        if (cp >= later[i].first && cp <= later[i].last)
            return (uint32_t)((int32_t)cp + later[i].add);
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)cp);
}

uint32_t uni_category(uint32_t cp)
{
    return 1u << utf8proc_category((utf8proc_int32_t)cp);
}

bool uni_is_word(uint32_t cp)
{
    /* Alphabetic symbols: circled and squared letters. */
    static const UniRange symbols[] = {
        {0x24b6, 0x24e9}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};
    const uint32_t words = UNI_GC(LU) | UNI_GC(LL) | UNI_GC(LT) | UNI_GC(LM) | UNI_GC(LO) |
                           UNI_GC(MN) | UNI_GC(MC) | UNI_GC(ME) | UNI_GC(ND) | UNI_GC(NL) |
                           UNI_GC(PC);
    return uni_category(cp) & words || cp == 0x200c || cp == 0x200d || IN(cp, symbols) ||
           IN(cp, later_words);
}

bool uni_is_numeric(uint32_t cp)
{
    return uni_category(cp) & (UNI_GC(ND) | UNI_GC(NL) | UNI_GC(NO)) || IN(cp, later_digits);
}

static uint8_t classify(uint32_t cp)
{
    uint32_t part[UNI_PARTS], more;
    uint8_t c = 0;
    if (IN(cp, dropped))
        c |= UNI_DROP;
    if (IN(cp, space))
        c |= UNI_SPACE;
    if (IN(cp, punct))
        c |= UNI_PUNCT;
    if (IN(cp, mark))
        c |= UNI_MARK;
    if (IN(cp, moves))
        c |= UNI_MOVES;
    if (IN(cp, cjk))
        c |= UNI_CJK;
    if (uni_decompose(cp, part) != 1 || part[0] != cp)
        c |= UNI_SPLITS;
    if (uni_lower(cp, &more) != cp)
        c |= UNI_LOWER;
    return c;
}

const uint8_t *uni_page(uint32_t page)
{
    uint8_t *made = mem_alloc(256);
    const uint8_t *there = NULL;
    for (uint32_t i = 0; i < 256; i++)
        made[i] = classify(page << 8 | i);
    if (atomic_compare_exchange_strong(&uni_pages[page], &there, made))
        return made;
    free(made); /* another thread was first */
    return there;
}
