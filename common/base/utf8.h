/* utf8.h - is it UTF-8? RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef WEFT_UTF8_H
#define WEFT_UTF8_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The offset of the first byte that does not belong, or n. NUL bytes count as characters. */
size_t utf8_check(const char *p, size_t n);

/* Are the n bytes the beginning of a character that lacks its last ones? */
bool utf8_begins(const char *p, size_t n);

/* The code point at p, in UTF-8 that has been checked; *len is its length in bytes. */
static inline uint32_t utf8_get(const char *p, int *len)
{
    const unsigned char *s = (const unsigned char *)p;
    if (s[0] < 0x80)
        return *len = 1, s[0];
    if (s[0] < 0xe0)
        return *len = 2, (s[0] & 0x1fu) << 6 | (s[1] & 0x3f);
    if (s[0] < 0xf0)
        return *len = 3, (s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3f);
    return *len = 4, (s[0] & 7u) << 18 | (s[1] & 0x3fu) << 12 | (s[2] & 0x3fu) << 6 | (s[3] & 0x3f);
}

/* What a line, or a terminal, must not get as it is: how many of the n >= 1 bytes at p are one
 * control character (U+0000 to U+001F, U+007F to U+009F) or, one at a time, no UTF-8. 0: a
 * character that may pass, of *len bytes. */
size_t utf8_control(const char *p, size_t n, size_t *len);
/* Writes such n bytes as \t, \n or each as \xNN to `to`, 4 n bytes at most; how many. */
size_t utf8_escape(const char *p, size_t n, char *to);

/* Writes a code point's UTF-8 (1 to 4 bytes) to p; returns the number of bytes. */
int utf8_put(uint32_t cp, char *p);

/* A place in a text, in bytes and in characters (code points), which transformers counts. */
typedef struct CharAt {
    size_t byte;
    int64_t chars;
} CharAt;

/* The characters before byte `to` (<= text.n); *at is any place of the text, {0} at first, and
 * moves there: what lies near costs little. */
int64_t chars_before(CharAt *at, Str text, size_t to);

#endif
