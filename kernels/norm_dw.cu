/* norm_dw.cu - sums of columns as in colsum.cu, of dy * n and of dy side by side. Reads dy and s
 * once, 8 bytes an element; 5 flops an element. */
#include "kernels/cuda_sums.h"

template <int W> static __global__ void norm_dw_rows(NormDw a, float *part)
{
    SHARED(float, shared);
    int64_t j = a.lo + ((int64_t)blockIdx.y * WARP + threadIdx.x) * W, cols = a.hi - a.lo;
    int64_t first = (int64_t)blockIdx.x * SUM_ROWS, wide = a.dbeta ? 2 * cols : cols;
    Wide<W> gamma = {}, beta = {};
#pragma unroll
    for (int n = 0; n < SUM_ROWS / SUM_WARPS; n++) {
        int64_t i = first + n * SUM_WARPS + threadIdx.y;
        if (i >= a.dy.rows || j >= a.hi)
            continue;
        Wide<W> dy = cuda_load<W>(cuda_row(a.dy, i), K_F32, j);
        Wide<W> s = cuda_load<W>(cuda_row(a.s, i), K_F32, j);
        float mean = a.stats[2 * i], scale = a.stats[2 * i + 1];
        for (int k = 0; k < W; k++)
            gamma.v[k] = fmaf(dy.v[k], (s.v[k] - mean) * scale, gamma.v[k]);
        wide_add<W>(&beta, dy);
    }
    block_add<W>(shared, &gamma);
    block_add<W>(shared + SUM_WARPS * WARP * W, &beta);
    if (threadIdx.y > 0 || j >= a.hi)
        return;
    cuda_store<W>(part, K_F32, blockIdx.x * wide + j - a.lo, gamma);
    if (a.dbeta)
        cuda_store<W>(part, K_F32, blockIdx.x * wide + cols + j - a.lo, beta);
}

void cuda_norm_dw(Piece *p, const NormDw *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t cols = a->hi - a->lo, parts = cuda_blocks(a->dy.rows, SUM_ROWS);
    if (cols <= 0)
        return;
    float *part = (float *)cuda_temp(p, (size_t)(parts * cols) * (a->dbeta ? 2 : 1) * sizeof *part);
    dim3 threads(WARP, SUM_WARPS);
    bool four = cols % 4 == 0 && a->lo % 4 == 0 && cuda_by_four(a->dy) && cuda_by_four(a->s);
    if (parts > 0 && four)
        LAUNCH(c, norm_dw_rows<4>, dim3((unsigned)parts, cuda_blocks(cols, 4 * WARP)), threads,
               2 * sum_room(4), *a, part);
    else if (parts > 0)
        LAUNCH(c, norm_dw_rows<1>, dim3((unsigned)parts, cuda_blocks(cols, WARP)), threads,
               2 * sum_room(1), *a, part);
    cuda_sum_parts(c, part, parts, cols, a->dgamma + a->lo, a->dbeta ? a->dbeta + a->lo : NULL,
                   a->add);
}
