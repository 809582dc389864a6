#include "base/utf8.h"

#include <string.h>

/* Bytes of ASCII from p on, counted in eights. */
static size_t ascii_run(const char *p, size_t n)
{
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        uint64_t w[4];
        memcpy(w, p + i, 32);
        if ((w[0] | w[1] | w[2] | w[3]) & 0x8080808080808080u)
            break;
    }
    for (; i + 8 <= n; i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        if (w & 0x8080808080808080u)
            break;
    }
    return i;
}

/* The length of a character by its first byte, and what the second may be (Unicode, table 3-7);
 * 0: none begins so. */
static int length(unsigned char first, unsigned char *lo, unsigned char *hi)
{
    *lo = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    *hi = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Are the bytes of the first n that stand behind the first one right? */
static bool follows(const unsigned char *s, size_t n, unsigned char lo, unsigned char hi)
{
    if (n > 1 && (s[1] < lo || s[1] > hi))
        return false;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Length of the well-formed sequence at s, or 0. */
static inline size_t sequence(const unsigned char *s, size_t n)
{
    unsigned char lo, hi;
    size_t len = (size_t)length(s[0], &lo, &hi);
    return len <= n && follows(s, len, lo, hi) ? len : 0;
}

bool utf8_begins(const char *p, size_t n)
{
    const unsigned char *s = (const unsigned char *)p;
    unsigned char lo, hi;
    return n && n < (size_t)length(s[0], &lo, &hi) && follows(s, n, lo, hi);
}

size_t utf8_check(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        i += ascii_run(p + i, n - i);
        /* Until eight more bytes: text that is not ASCII rarely is so for one character. */
        for (size_t stop = i + 8; i < n && i < stop;) {
            size_t len = sequence((const unsigned char *)p + i, n - i);
            if (!len)
                return i;
            i += len;
        }
    }
    return n;
}

size_t utf8_control(const char *p, size_t n, size_t *len)
{
    const unsigned char *s = (const unsigned char *)p;
    *len = s[0] < 0x80 ? 1 : sequence(s, n);
    if (s[0] < 0x20 || s[0] == 0x7f || !*len)
        return 1;
    return s[0] == 0xc2 && s[1] < 0xa0 ? 2 : 0;
}

size_t utf8_escape(const char *p, size_t n, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        to[m++] = '\\';
        if (c == '\t' || c == '\n') {
            to[m++] = c == '\t' ? 't' : 'n';
            continue;
        }
        to[m++] = 'x';
        to[m++] = digits[c >> 4];
        to[m++] = digits[c & 15];
    }
    return m;
}

int utf8_put(uint32_t cp, char *p)
{
    if (cp < 0x80) {
        p[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        p[0] = (char)(0xc0 | cp >> 6);
        p[1] = (char)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        p[0] = (char)(0xe0 | cp >> 12);
        p[1] = (char)(0x80 | (cp >> 6 & 0x3f));
        p[2] = (char)(0x80 | (cp & 0x3f));
        return 3;
    }
    p[0] = (char)(0xf0 | cp >> 18);
    p[1] = (char)(0x80 | (cp >> 12 & 0x3f));
    p[2] = (char)(0x80 | (cp >> 6 & 0x3f));
    p[3] = (char)(0x80 | (cp & 0x3f));
    return 4;
}

static bool begins_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

int64_t chars_before(CharAt *at, Str text, size_t to)
{
    if (at->byte > text.n) /* another text */
        *at = (CharAt){0};
    for (; at->byte < to; at->byte++)
        at->chars += begins_char(text.p[at->byte]);
    while (at->byte > to)
        at->chars -= begins_char(text.p[--at->byte]);
    return at->chars;
}
