/* normal_in.h - what a normalizer is made of; for normal*.c alone. */
#ifndef WEFT_NORMAL_IN_H
#define WEFT_NORMAL_IN_H

#include "base/utf8.h"
#include "text/normal/charsmap.h"
#include "text/normal/normal.h"
#include "text/regex.h"

typedef enum NormalStepKind {
    NORMAL_STEP_CHARSMAP,
    NORMAL_STEP_NMT,
    NORMAL_STEP_FORM,
    NORMAL_STEP_LOWERCASE,
    NORMAL_STEP_STRIP_ACCENTS,
    NORMAL_STEP_STRIP,
    NORMAL_STEP_REPLACE,
    NORMAL_STEP_REPLACE_SPACES,
    NORMAL_STEP_REPLACE_REGEX,
    NORMAL_STEP_PREPEND,
} NormalStepKind;

typedef struct NormalStep {
    NormalStepKind kind;
    Charsmap map;
    NormalForm form;
    bool left, right;
    char *pattern, *content;
    size_t pattern_bytes, content_bytes;
    Regex *regex;
} NormalStep;

struct Normalizer {
    NormalStep *step;
    int steps;
};

/* A transformation of `from`, told character by character as the reference's NormalizedString
 * takes it: `change` is 0 for a character in the place of one, 1 for one more, -N for one in
 * the place of one with N that go behind it. */
typedef struct Edit {
    const Normal *from;
    Normal *to;
    size_t at; /* the first byte of `from` that has not been replaced */
} Edit;

/* Skips n characters. */
static inline void edit_skip(Edit *x, size_t n)
{
    for (; n && x->at < x->from->n; n--) {
        int len;
        utf8_get(x->from->p + x->at, &len);
        x->at += (size_t)len;
    }
}

static inline void edit_put(Edit *x, uint32_t cp, int change)
{
    char text[4];
    size_t here = change > 0 ? x->at - (x->at > 0) : x->at;
    if (here >= x->from->n)
        here = x->from->n - 1;
    normal_add(x->to, text, (size_t)utf8_put(cp, text), x->from->span[here][0],
               x->from->span[here][1]);
    if (change <= 0)
        edit_skip(x, (size_t)(1 - change));
}

/* One of Unicode's normal forms (UAX #15). */
typedef struct Composing Composing;
Composing *composing_new(void);
void composing_free(Composing *c);
void normal_form(Composing *c, NormalForm form, Edit *x);

bool normal_is_mark(uint32_t cp); /* StripAccents takes it off */

/* The bytes of the extended grapheme cluster (UAX #29) that begins t, of n bytes. */
size_t grapheme_size(const char *p, size_t n);

#endif
