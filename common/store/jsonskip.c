/* jsonskip.c - over a JSON value without reading it, 64 bytes at a time: bit i of a mask is byte
 * i of a block (as in Langdale and Lemire 2019). */
#include "store/jsonscan.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64 };

typedef struct Skip {
    int64_t depth; /* brackets that are open */
    bool quoted;   /* in a string */
} Skip;

/* Bytes that are `c`, with the bits of `fold` set in each before. */
static uint64_t equal(const char *p, char fold, char c)
{
    uint64_t out = 0;
#ifdef __SSE2__
    __m128i set = _mm_set1_epi8(fold), want = _mm_set1_epi8(c);
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i x = _mm_or_si128(_mm_loadu_si128((const __m128i *)(p + i)), set);
        out |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, want)) << i;
    }
#else
    for (int i = 0; i < BLOCK; i++)
        out |= (uint64_t)((p[i] | fold) == c) << i;
#endif
    return out;
}

/* Bit i: an odd number of bits up to i is set. */
static uint64_t parity(uint64_t x)
{
    for (int i = 1; i < BLOCK; i *= 2)
        x ^= x << i;
    return x;
}

/* A block that has no escapes and does not close the value; else false, and nothing is done. */
static bool skip_block(Skip *k, const char *p)
{
    if (equal(p, 0, '\\'))
        return false;
    uint64_t quoted = parity(equal(p, 0, '"')) ^ -(uint64_t)k->quoted;
    uint64_t open = equal(p, 0x20, '{') & ~quoted; /* and [, which is { without that bit */
    uint64_t close = equal(p, 0x20, '}') & ~quoted;
    int closed = __builtin_popcountll(close);
    if (k->depth <= closed)
        return false;
    k->depth += __builtin_popcountll(open) - closed;
    k->quoted = quoted >> (BLOCK - 1);
    return true;
}

/* Up to `stop`, or behind what closes the value. */
static const char *skip_bytes(Skip *k, const char *p, const char *stop)
{
    while (p < stop && (k->depth || k->quoted)) {
        char c = *p++;
        if (k->quoted && c == '\\')
            p++;
        else if (c == '"')
            k->quoted = !k->quoted;
        else if (!k->quoted)
            k->depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    }
    return p;
}

/* Over a number or a word. */
static int skip_plain(JsonScan *s, Err *e)
{
    const char *first = s->p;
    while (s->p < s->end && *s->p && !strchr(",:[]{}\" \n\t\r", *s->p))
        s->p++;
    return s->p > first ? 0 : scan_unexpected(s, "a value", e);
}

int scan_skip(JsonScan *s, Err *e)
{
    char c = scan_next(s);
    Skip k = {.depth = c == '[' || c == '{', .quoted = c == '"'};
    const char *p = s->p + 1;
    if (!k.depth && !k.quoted)
        return skip_plain(s, e);
    while (p < s->end && (k.depth || k.quoted)) {
        if (s->end - p >= BLOCK && skip_block(&k, p))
            p += BLOCK;
        else
            p = skip_bytes(&k, p, s->end - p > BLOCK ? p + BLOCK : s->end);
    }
    s->p = p < s->end ? p : s->end; /* an escape may lead beyond */
    if (k.quoted || p > s->end)
        return err_set(e, "a string does not end");
    return k.depth ? err_set(e, "ends in the middle of a value") : 0;
}
