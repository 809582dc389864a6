/* jsonscan.h - reads JSON (RFC 8259) as it stands, without a tree: for documents that are nearly
 * all one table.
 *
 *     JsonScan s = scan_of(text, n);
 *     scan_take(&s, '{', &e); ... scan_string(&s, &key, &e); scan_take(&s, ':', &e); ...
 *     scan_free(&s);
 *
 * What fails returns -1 and leaves s->p where it failed; scan_line() is that place. */
#ifndef WEFT_JSONSCAN_H
#define WEFT_JSONSCAN_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

typedef struct JsonScan {
    const char *begin, *p, *end;
    Buf text[2]; /* private: strings that had escapes */
    int turn;
} JsonScan;

static inline JsonScan scan_of(const char *p, size_t n)
{
    return (JsonScan){.begin = p, .p = p, .end = p + n};
}

void scan_free(JsonScan *s);
char scan_next(JsonScan *s); /* what comes behind white space, not yet taken; 0: nothing */
int scan_take(JsonScan *s, char c, Err *e);
/* Between the members or elements of what `close` ends, before each: 1 there is one more; 0 it
 * is closed now; -1. *first is true before the first, and is cleared. */
int scan_more(JsonScan *s, char close, bool *first, Err *e);
/* A string, which stays until the second next one. It is checked to be UTF-8. */
int scan_string(JsonScan *s, Str *out, Err *e);
int scan_int(JsonScan *s, int64_t *out, Err *e); /* at most 18 digits */
int scan_real(JsonScan *s, double *out, Err *e); /* at most 60 characters; finite */
/* Passes over a value: strings and brackets are told apart, the rest is not looked at. */
int scan_skip(JsonScan *s, Err *e);
/* The error that something else stands at s->p than was wanted. */
int scan_unexpected(const JsonScan *s, const char *wanted, Err *e);
long scan_line(const JsonScan *s, const char *at); /* from 1 */

#endif
