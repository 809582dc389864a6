/* lse.h - log-sum-exp over a vocabulary that comes in panels, and the target's logit.
 *
 * For each row of x [rows, cols], which are the columns [col0, col0 + cols) of a whole:
 *   top[i]   largest so far
 *   sum[i]   sum so far of e^(x - top[i])                Milakov & Gimelshein 2018
 *   seen[i]  x[target[i] - col0], where that column is in the panel
 *   all[i]   sum so far of x, for label smoothing; NULL: not wanted
 *   where[i] the column of the whole that top[i] stands in, the first of equal ones; -1 where there
 *            is none above -infinity; NULL: not wanted
 * begin: the first panel, which sets top and sum. After the last one,
 *   log softmax(x[i])[target] = seen - (top + log sum).
 * x f32 or bf16; target and where I32 [rows], of target -1: none, and NULL: none at all; top, seen
 * f32 [rows], sum and all f64 [rows].
 * log sum within 1e-6 of double precision; top and seen are exact. Reads x twice, from the cache
 * where a panel fits. */
#ifndef WEFT_LSE_H
#define WEFT_LSE_H

typedef struct Lse {
    View x;
    int64_t col0;
    bool begin;
    const int32_t *target;
    float *top, *seen;
    double *sum, *all;
    int32_t *where;
} Lse;

#endif
