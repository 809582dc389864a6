/* answerset.h - the different answers to one question: what is the same but for capitals counts
 * as one, and its scores add up. */
#ifndef WEFT_ANSWERSET_H
#define WEFT_ANSWERSET_H

#include "base/mem.h"

typedef struct Answer {
    double score;
    int64_t start, end; /* characters of the text, where it was first found */
    char *text, *lower; /* its own */
    size_t text_n, lower_n;
} Answer;

typedef struct AnswerSet {
    Answer *answer; /* in the order they were found */
    int64_t n;
    /* private */
    int64_t room, slots;
    int64_t *slot; /* by hash of `lower`: 1 + index; 0: free */
} AnswerSet;

/* The answer with these words, whose text is UTF-8; *found says whether it was there already,
 * else start and end are the caller's to fill in. Valid until the next call. */
Answer *answerset_add(AnswerSet *s, Str text, double score, int *found);
void answerset_clear(AnswerSet *s); /* empty, to be filled again */
void answerset_free(AnswerSet *s);
/* Indices, best first; the first found among equals. Release with free(). */
int64_t *answerset_rank(AnswerSet *s);

#endif
