/* tiktoken.c - how Llama 3 and Qwen 2 cut a text into words: as GPT-4 does, but for how many
 * digits are a word. */
#include "text/bpe/bytelevel_in.h"

#include <stdbool.h>

/* ---- the pattern, a word at a time ---- */

/* The letter that p begins with, small; 0: none that a contraction has. The long s is one, as the
 * case is of no account. */
static inline char small(const char *p, const char *end, size_t *len)
{
    static const char long_s[] = "\xc5\xbf";
    *len = 1;
    if (p >= end)
        return 0;
    if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
        return (char)(*p | 0x20);
    *len = 2;
    return p + 1 < end && p[0] == long_s[0] && p[1] == long_s[1] ? 's' : 0;
}

/* The length of the contraction at p, which is an apostrophe; 0: it is none. */
static inline size_t contraction(const char *p, const char *end)
{
    size_t len, more;
    switch (small(p + 1, end, &len)) {
    case 's':
    case 't':
    case 'm':
    case 'd': return 1 + len;
    case 'r':
    case 'v': return small(p + 2, end, &more) == 'e' ? 3 : 0;
    case 'l': return small(p + 2, end, &more) == 'l' ? 3 : 0;
    default: return 0;
    }
}

static inline bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static const char *symbols_end(const char *p, const char *end)
{
    p = run_end(p, end, SYMBOL);
    while (p < end && is_newline(*p))
        p++;
    return p;
}

/* White space: as far as its last line goes, else all of it at the text's end, else all but its
 * last character, which the next word may begin with. */
static const char *space_end(const char *p, const char *end)
{
    const char *first = p, *last = p, *line = NULL;
    int len = 0;
    while (p < end && class_at(p, &len) == SPACE) {
        last = p;
        if (is_newline(*p))
            line = p + 1;
        p += len;
    }
    if (line)
        return line;
    return p == end || last == first ? p : last;
}

static inline const char *word(const char *p, const char *end, int digits)
{
    int len, behind;
    uint8_t class = class_at(p, &len), next;
    if (class == LETTER)
        return run_end(p + len, end, LETTER);
    if (class == NUMBER) {
        while (--digits && (p += len) < end)
            if (class_at(p, &len) != NUMBER)
                return p;
        return digits ? p : p + len;
    }
    if (*p == '\'') {
        size_t n = contraction(p, end);
        if (n)
            return p + n;
    }
    if (p + len < end) {
        next = class_at(p + len, &behind);
        if (next == LETTER && !is_newline(*p))
            return run_end(p + len + behind, end, LETTER);
        if (next == SYMBOL && *p == ' ')
            return symbols_end(p + len, end);
    }
    return class == SYMBOL ? symbols_end(p, end) : space_end(p, end);
}

const char *bytelevel_word_llama3(const char *p, const char *end)
{
    return word(p, end, 3);
}

const char *bytelevel_word_qwen2(const char *p, const char *end)
{
    return word(p, end, 1);
}

/* ---- the pattern, a block of ASCII at a time ---- */

#ifdef __SSE2__
static inline uint64_t newlines_of(const char *block)
{
    uint64_t m = 0;
    for (int i = 0; i < BL_BLOCK; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(block + i));
        m |= bits_of(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('\n')),
                                  _mm_cmpeq_epi8(x, _mm_set1_epi8('\r'))),
                     i);
    }
    return m;
}
#else
static inline uint64_t newlines_of(const char *block)
{
    uint64_t m = 0;
    for (int i = 0; i < BL_BLOCK; i++)
        m |= is_newline(block[i]) ? UINT64_C(1) << i : 0;
    return m;
}
#endif

/* The bits of `set` from those of `first` upward, as far as set goes on; each of first is the
 * lowest of its run. */
static inline uint64_t runs_from(uint64_t first, uint64_t set)
{
    return set & ~(set + first);
}

/* Behind a contraction a word begins; behind other apostrophes goes on what they begin. */
static uint64_t contractions(const char *block, uint64_t starts, uint64_t quote, uint64_t letter,
                             unsigned known, int last)
{
    for (uint64_t left = quote; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (known - i < 4 && !last)
            return starts & low_bits(i + 1); /* what comes behind decides */
        size_t n = contraction(block + i, block + known);
        if (n)
            starts |= (UINT64_C(1) << i << n) & letter;
    }
    return starts;
}

/* Behind a run's last line begins what is left of it. */
static uint64_t behind_lines(uint64_t space, uint64_t newline, unsigned known, int last)
{
    uint64_t starts = 0;
    for (uint64_t left = space & ~newline & newline << 1; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint64_t run = runs_from(UINT64_C(1) << i, space >> i << i);
        bool ends = last || !(run >> (known - 1));
        if (ends && !(run & newline))
            starts |= UINT64_C(1) << i;
    }
    return starts;
}

static inline uint64_t digits_of(uint64_t number, int digits)
{
    if (digits == 1)
        return number;
    uint64_t starts = number & ~(number << 1), at = starts;
    uint64_t whole = number & number << 1 & number << 2 & number << 3;
    while ((at = at << 3 & whole))
        starts |= at;
    return starts;
}

static inline uint64_t starts_of(const char *block, size_t n, int last, int digits)
{
    Masks m = masks_of(block);
    unsigned known = (unsigned)n;
    m.foreign &= low_bits(known);
    if (m.foreign) {
        known = (unsigned)__builtin_ctzll(m.foreign);
        last = 0;
    }
    if (!known)
        return 1;
    uint64_t inside = low_bits(known), letter = m.letter & inside, number = m.number & inside;
    uint64_t blank = m.blank & inside, ink = inside & ~m.space, symbol = ink & ~letter & ~number;
    uint64_t newline = newlines_of(block) & inside;
    /* Lines that end right behind symbols are theirs. */
    uint64_t theirs = runs_from(newline & symbol << 1, newline);
    uint64_t space = inside & m.space & ~theirs, joins = space & ~newline;
    uint64_t symbols =
        symbol & ~(symbol << 1) & ~(blank << 1); /* the first of those by themselves */
    uint64_t one = symbols & ~(symbol >> 1);
    uint64_t starts = 1 | symbols | digits_of(number, digits) | (space & ~(space << 1)) |
                      (joins & ink >> 1) | (letter & ~(letter << 1) & ~(joins << 1) & ~(one << 1));
    if (space & ~newline & newline << 1)
        starts |= behind_lines(space, newline, known, last);
    if (one & m.quote)
        starts = contractions(block, starts, one & m.quote, letter, known, last);
    if (last)
        starts |= UINT64_C(1) << known;
    return starts;
}

uint64_t bytelevel_starts_llama3(const char *block, size_t n, int last)
{
    return starts_of(block, n, last, 3);
}

uint64_t bytelevel_starts_qwen2(const char *block, size_t n, int last)
{
    return starts_of(block, n, last, 1);
}
