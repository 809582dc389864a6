/* ops_attend.h - what the tests of attention share, there and back: a batch of rows, and the
 * weights of a head in double precision. */
#ifndef WEFT_OPS_ATTEND_H
#define WEFT_OPS_ATTEND_H

#include "tests/ops/ops.h"

enum { ATTEND_ROWS = 40 };

typedef struct Case {
    int64_t rows, len[ATTEND_ROWS];
    int heads, size;
    KType in;
    bool causal, probs, apart, bias, in_place;
    int64_t reach;
    int far; /* 1: queries meet distances, 2: keys do */
    float drop;
    /* Made of these by attend_begin: */
    int64_t starts[ATTEND_ROWS + 1], tokens, *number;
    Batch batch;
    uint64_t seed;
    uint32_t site;
    Mat table; /* of the bias */
    int32_t *entry;
    Mat far_key, far_query;
    AttendFar far_args;
} Case;

/* Heads side by side from column `col` on. */
typedef struct Side {
    const Mat *m;
    int64_t col;
} Side;

static inline double side_at(Side s, const Case *c, int64_t token, int64_t head, int64_t j)
{
    return mat_at(s.m, token, s.col + head * c->size + j);
}

/* Begins the case of that operation, and puts what all of it share; attend_end frees it. */
void attend_begin(const char *op, Case *c);
void attend_end(Case *c);
/* But for views and what comes out. */
Attend attend_args(const Case *c);
/* The same for row `row` alone, as a batch of its own; views are still those of the whole. */
Attend attend_alone(const Case *c, Attend a, int64_t row, Batch *one);

/* Of a head of a row with len tokens: the weights w, what dropout multiplies them by, m, both [len,
 * len], and lse [len]. */
void attend_weights(const Case *c, Side q, Side k, int64_t row, int64_t head, double *w, double *m,
                    double *lse);

#endif
