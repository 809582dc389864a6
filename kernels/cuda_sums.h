/* cuda_sums.h - what sums over rows share (colsum.cu, norm_dw.cu): blocks of WARP x SUM_WARPS
 * threads, a lane a column or four. */
#ifndef WEFT_CUDA_SUMS_H
#define WEFT_CUDA_SUMS_H

#include "kernels/cuda.h"

/* Rows that a block adds, and its warps; rows of a warp that are read at a time. */
enum { SUM_ROWS = 128, SUM_WARPS = 8, SUM_AHEAD = 8 };

/* Shared memory for block_add<W>. */
static inline size_t sum_room(int w)
{
    return (size_t)(SUM_WARPS * WARP * w) * sizeof(float);
}

template <int W> static __device__ inline void wide_add(Wide<W> *sum, const Wide<W> &x)
{
    for (int k = 0; k < W; k++)
        sum->v[k] += x.v[k];
}

/* The first warp's sums become those of all warps, added in order. */
template <int W> static __device__ inline void block_add(float *shared, Wide<W> *sum)
{
    cuda_store<W>(shared, K_F32, (threadIdx.y * WARP + threadIdx.x) * W, *sum);
    __syncthreads();
    for (int i = 1; threadIdx.y == 0 && i < SUM_WARPS; i++)
        wide_add<W>(sum, cuda_load<W>(shared, K_F32, (i * WARP + threadIdx.x) * W));
}

/* colsum.cu: y[c] (+)= the sum of part [parts, cols] over its rows, in fixed order; y2 not NULL:
 * part is [parts, 2 * cols], and its second half goes there. */
void cuda_sum_parts(Cuda *c, const float *part, int64_t parts, int64_t cols, float *y, float *y2,
                    bool add);

#endif
