#include "store/jsonscan.h"

#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 60, DIGITS_MAX = 18 };

void scan_free(JsonScan *s)
{
    free(s->text[0].p);
    free(s->text[1].p);
}

static inline bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char scan_next(JsonScan *s)
{
    while (s->p < s->end && is_space(*s->p))
        s->p++;
    return s->p < s->end ? *s->p : '\0';
}

int scan_unexpected(const JsonScan *s, const char *wanted, Err *e)
{
    if (s->p >= s->end)
        return err_set(e, "ends where %s should come", wanted);
    unsigned char c = (unsigned char)*s->p;
    if (c >= 0x20 && c < 0x7f)
        return err_set(e, "'%c' where %s should come", c, wanted);
    return err_set(e, "byte 0x%02x where %s should come", c, wanted);
}

int scan_take(JsonScan *s, char c, Err *e)
{
    char wanted[] = {'\'', c, '\'', '\0'};
    if (scan_next(s) != c)
        return scan_unexpected(s, wanted, e);
    s->p++;
    return 0;
}

int scan_more(JsonScan *s, char close, bool *first, Err *e)
{
    char c = scan_next(s), wanted[] = "',' or ' '";
    if (c == close) {
        s->p++;
        return 0;
    }
    if (*first || c == ',') {
        s->p += !*first;
        *first = false;
        return 1;
    }
    wanted[8] = close;
    return scan_unexpected(s, wanted, e);
}

/* Four hexadecimal digits. */
static int hex4(JsonScan *s, uint32_t *out, Err *e)
{
    *out = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        char c = s->p < s->end ? *s->p : '\0', low = (char)(c | 0x20);
        if (is_digit(c))
            *out = *out << 4 | (uint32_t)(c - '0');
        else if (low >= 'a' && low <= 'f')
            *out = *out << 4 | (uint32_t)(low - 'a' + 10);
        else
            return scan_unexpected(s, "a hexadecimal digit", e);
    }
    return 0;
}

/* What stands behind \u: a code point, of one unit or of two. */
static int escaped_point(JsonScan *s, Buf *b, Err *e)
{
    uint32_t cp, low;
    if (hex4(s, &cp, e) < 0)
        return -1;
    if (cp >= 0xdc00 && cp <= 0xdfff)
        return err_set(e, "a string has the second half of a surrogate pair alone");
    if (cp >= 0xd800 && cp <= 0xdbff) {
        if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
            return err_set(e, "a string has the first half of a surrogate pair alone");
        s->p += 2;
        if (hex4(s, &low, e) < 0)
            return -1;
        if (low < 0xdc00 || low > 0xdfff)
            return err_set(e, "a string has the first half of a surrogate pair alone");
        cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
    }
    b->n += (size_t)utf8_put(cp, buf_room(b, 4));
    return 0;
}

static int escape(JsonScan *s, Buf *b, Err *e)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = s->p < s->end ? *s->p : '\0';
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        s->p++;
        buf_add(b, to + (at - from), 1);
        return 0;
    }
    if (c != 'u')
        return scan_unexpected(s, "an escape", e);
    s->p++;
    return escaped_point(s, b, e);
}

/* A string from its first escape on; what came before begins at p. */
static int escaped_string(JsonScan *s, const char *p, Str *out, Err *e)
{
    Buf *b = &s->text[s->turn ^= 1];
    b->n = 0;
    for (;;) {
        while (s->p < s->end && *s->p != '"' && *s->p != '\\' && (unsigned char)*s->p >= 0x20)
            s->p++;
        buf_add(b, p, (size_t)(s->p - p));
        if (s->p >= s->end || (*s->p != '"' && *s->p != '\\'))
            return scan_unexpected(s, "the rest of a string", e);
        if (*s->p++ == '"')
            break;
        if (escape(s, b, e) < 0)
            return -1;
        p = s->p;
    }
    *out = str_of(b->p, b->n);
    return 0;
}

int scan_string(JsonScan *s, Str *out, Err *e)
{
    if (scan_next(s) != '"')
        return scan_unexpected(s, "a string", e);
    const char *p = ++s->p, *end = s->end;
    unsigned char any = 0, c = 0;
    while (p < end && (c = (unsigned char)*p, c >= 0x20 && c != '"' && c != '\\')) {
        any |= c;
        p++;
    }
    if (p < end && c == '"') {
        *out = str_of(s->p, (size_t)(p - s->p));
        s->p = p + 1;
    } else {
        const char *begin = s->p;
        s->p = p;
        if (escaped_string(s, begin, out, e) < 0)
            return -1;
        any = 0x80;
    }
    if (any < 0x80 || utf8_check(out->p, out->n) == out->n)
        return 0;
    return err_set(e, "a string is not UTF-8");
}

int scan_int(JsonScan *s, int64_t *out, Err *e)
{
    bool minus = scan_next(s) == '-';
    const char *p = s->p + minus, *first = p;
    int64_t n = 0;
    for (; p < s->end && is_digit(*p) && p - first < DIGITS_MAX; p++)
        n = n * 10 + (*p - '0');
    if (p == first || (*first == '0' && p - first > 1) ||
        (p < s->end && (is_digit(*p) || *p == '.' || *p == 'e' || *p == 'E')))
        return scan_unexpected(s, "a whole number", e);
    *out = minus ? -n : n;
    s->p = p;
    return 0;
}

/* Where the number at p ends; NULL: it is none. */
static const char *number_end(const char *p, const char *end)
{
    p += p < end && *p == '-';
    if (p >= end || !is_digit(*p) || (*p == '0' && p + 1 < end && is_digit(p[1])))
        return NULL;
    while (p < end && is_digit(*p))
        p++;
    if (p < end && *p == '.') {
        if (++p >= end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '-' || *p == '+');
        if (p >= end || !is_digit(*p))
            return NULL;
        while (p < end && is_digit(*p))
            p++;
    }
    return p;
}

int scan_real(JsonScan *s, double *out, Err *e)
{
    char number[NUMBER_MAX + 1];
    scan_next(s);
    const char *end = number_end(s->p, s->end);
    if (!end)
        return scan_unexpected(s, "a number", e);
    size_t n = (size_t)(end - s->p);
    if (n > NUMBER_MAX)
        return err_set(e, "a number of %zu characters is too long", n);
    memcpy(number, s->p, n);
    number[n] = '\0';
    *out = strtod(number, NULL); /* programs keep the C locale's decimal point */
    if (!isfinite(*out))
        return err_set(e, "the number %s is too large", number);
    s->p = end;
    return 0;
}

long scan_line(const JsonScan *s, const char *at)
{
    long line = 1;
    for (const char *p = s->begin; p < at && (p = memchr(p, '\n', (size_t)(at - p))); p++)
        line++;
    return line;
}
