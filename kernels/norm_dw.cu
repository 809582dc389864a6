/* norm_dw.cu - sums of columns as in colsum.cu, of dy * n and of dy side by side. Reads dy and s
 * once, 8 bytes an element; 5 flops an element. */
#include "kernels/cuda_sums.h"

/* What is read beyond the last row is the last row, times 0. */
template <int W>
static __global__ void __launch_bounds__(SUM_WARPS *WARP, 2) norm_dw_rows(NormDw a, float *part)
{
    const int AHEAD = SUM_AHEAD / 2; /* of both dy and s */
    SHARED(float, shared);
    int64_t j = a.lo + ((int64_t)blockIdx.y * WARP + threadIdx.x) * W, cols = a.hi - a.lo;
    int64_t first = (int64_t)blockIdx.x * SUM_ROWS + threadIdx.y, wide = a.dbeta ? 2 * cols : cols;
    Wide<W> gamma = {}, beta = {};
    for (int n = 0; n < SUM_ROWS / SUM_WARPS && j < a.hi; n += AHEAD) {
        Wide<W> dy[AHEAD], s[AHEAD];
        float mean[AHEAD], scale[AHEAD];
#pragma unroll
        for (int k = 0; k < AHEAD; k++) {
            int64_t i = first + (n + k) * SUM_WARPS;
            i = i < a.dy.rows ? i : a.dy.rows - 1;
            dy[k] = cuda_load<W>(cuda_row(a.dy, i), K_F32, j);
            s[k] = cuda_load<W>(cuda_row(a.s, i), K_F32, j);
            mean[k] = a.stats[2 * i];
            scale[k] = a.stats[2 * i + 1];
        }
#pragma unroll
        for (int k = 0; k < AHEAD; k++) {
            bool there = first + (n + k) * SUM_WARPS < a.dy.rows;
            for (int w = 0; w < W; w++) {
                dy[k].v[w] = there ? dy[k].v[w] : 0;
                gamma.v[w] = fmaf(dy[k].v[w], (s[k].v[w] - mean[k]) * scale[k], gamma.v[w]);
            }
            wide_add<W>(&beta, dy[k]);
        }
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
