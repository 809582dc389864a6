/* regex.h - regular expressions as the library `tokenizers` writes them: Oniguruma's syntax for
 * Ruby, on Unicode throughout, matched by PCRE2. What the two read differently is translated, or
 * refused by name. */
#ifndef WEFT_REGEX_H
#define WEFT_REGEX_H

#include "base/err.h"
#include "base/mem.h"

typedef struct Regex Regex;         /* shared by threads */
typedef struct RegexWork RegexWork; /* one a thread, for all expressions */

/* The text of the expression need not stay. */
Regex *regex_new(const char *pattern, Err *e);
void regex_free(Regex *r);
RegexWork *regexwork_new(void);
void regexwork_free(RegexWork *w);

/* The first match in the text that begins at byte `from` or behind it, text[*begin, *end): 1; 0:
 * there is none; -1: the search was given up, regexwork_failed() says why. */
int regex_find(const Regex *r, RegexWork *w, Str text, size_t from, size_t *begin, size_t *end);
const char *regexwork_failed(const RegexWork *w);

/* All matches one by one: begin with a RegexScan of zeros. An empty one right behind a match is
 * none. */
typedef struct RegexScan {
    size_t at, last;
    bool any;
} RegexScan;
int regex_next(const Regex *r, RegexWork *w, Str text, RegexScan *s, size_t *begin, size_t *end);

/* Appends the expression in PCRE2's syntax. For regex.c alone. */
int regex_translate(const char *pattern, Buf *out, Err *e);

#endif
