/* bins.h - histograms. */
#ifndef WEFT_BINS_H
#define WEFT_BINS_H

#include "io/stream.h"
#include "plot/chart.h"

/* How many rows of a stream have how many tokens. */
Chart *lengths_chart(In *in, Err *e);

/* What score says of each row. */
typedef struct Answered {
    double score, margin; /* of the best answer; NaN: not told */
    int right;            /* is that the gold label? -1: there is none */
} Answered;

/* Shares of [0, 1] by the score: how sure the answers were and how many of them are right. */
typedef struct Reliability Reliability;
Reliability *reliability_new(void);
void reliability_add(Reliability *r, const Answered *a);
Chart *reliability_end(Reliability *r, Err *e); /* frees r */

/* How far the best answer is before the second, right and wrong ones apart. */
typedef struct Margins Margins;
Margins *margins_new(void);
void margins_add(Margins *m, const Answered *a);
Chart *margins_end(Margins *m, Err *e); /* frees m */

#endif
