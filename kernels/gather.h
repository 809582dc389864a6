/* gather.h - weighted sums of chosen rows: pooling, picked tokens, gradients of tables.
 *
 * y[out[i]] (+)= (sum over j in [starts[i], starts[i+1]) of x[index[j]]) * weight[i]
 *   x [_, cols] f32, bf16 or f16; y [rows, cols] f32, bf16 or f16; starts I64 [rows + 1]
 *   index I64, or NULL: j itself; weight f32 [rows], or NULL: 1
 *   starts NULL: one row each, y[i] = x[index[i]] * weight[i]
 *   out I64 [rows], no row twice, rows being how many there are then; NULL: i itself
 * Indices are those of the whole x, and of the whole y where `out` is given; else y begins at the
 * piece's first row, as starts, weight and out do.
 * Sums run in order, in f32: of x of unit variance within 5e-6 max(1, |sum|) times the root of
 * the segment's length, normalised mean squared error 1e-12, and 1e-11 from 1,000 items on; a bf16
 * or f16 y is rounded once. */
#ifndef WEFT_GATHER_H
#define WEFT_GATHER_H

typedef struct Gather {
    View x, y;
    const int64_t *starts, *index;
    const float *weight;
    const int64_t *out;
    int64_t rows; /* with `out` */
    bool add;
} Gather;

#endif
