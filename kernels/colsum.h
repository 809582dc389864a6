/* colsum.h - sums of columns.
 *
 * y[c] (+)= sum over rows of x[i][c]     x [rows, cols] f32, bf16 or f16; y f32 [cols]
 * for the columns [lo, hi) (all: 0, cols). Rows are added in blocks of 512, in order, in f32:
 * within 5e-6 max(1, |y|) times the root of rows for x of unit variance. */
#ifndef WEFT_COLSUM_H
#define WEFT_COLSUM_H

typedef struct Colsum {
    View x;
    float *y;
    int64_t lo, hi;
    bool add;
} Colsum;

#endif
