/* added.h - tokens that are found in a text as they stand ([MASK], <mask>, added words): the
 * leftmost, of those the longest, with the white space beside them where they ask for it. */
#ifndef WEFT_ADDED_H
#define WEFT_ADDED_H

#include "base/mem.h"

#include <stdbool.h>

typedef struct Added {
    char *text; /* what is sought */
    size_t n;
    int32_t id;
    bool single_word, lstrip, rstrip, normalized, special;
} Added;

typedef struct AddedSet {
    Added *token;
    int count;
    int at[257];      /* tokens that begin with byte b are [at[b], at[b + 1]), longest first */
    int firsts, only; /* how many bytes begin one; the one there is */
} AddedSet;

/* Takes over a.text. Call added_ready() after the last one. */
void added_add(AddedSet *s, Added a);
void added_ready(AddedSet *s);
void added_free(AddedSet *s);

/* The next token in t at or behind *from, whose text with its white space is [*begin, *end);
 * *from then goes on behind the token itself. `done` is where the match before ended. NULL:
 * there are no more. */
const Added *added_next(const AddedSet *s, Str t, size_t done, size_t *from, size_t *begin,
                        size_t *end);

/* Takes the white space at both ends off t[*begin, *end). */
void added_trim(Str t, size_t *begin, size_t *end);

#endif
