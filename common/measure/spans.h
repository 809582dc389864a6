/* spans.h - from start and end logits of a window to the likeliest answers in it, by the rules
 * of transformers' question-answering pipeline. */
#ifndef WEFT_SPANS_H
#define WEFT_SPANS_H

#include "base/mem.h"

#include <stdbool.h>

typedef struct Span {
    int64_t first, last; /* tokens of the window */
    double score;
} Span;

typedef struct SpanWork {
    double *start, *end; /* probabilities, of n tokens */
    Span *many;          /* gathered, where more than a few are asked for */
    int64_t room;
} SpanWork;

/* The k likeliest spans of at most `longest` tokens, best first; the number there are. logit
 * is [n, 2], start and end; a token that is not `allowed` can be no part of the answer, and the
 * first token, the classifier's, stands for none: *null is that there is none. */
int64_t spans_best(SpanWork *w, const float *logit, const bool *allowed, int64_t n, int64_t longest,
                   int64_t k, Span *span, double *null);
void spans_free(SpanWork *w);

#endif
