/* lse_bwd.cu - a warp a row: lanes take every 32nd column, or four. Moves cols * (sizes of x and
 * dx) a row, an exponential and 4 flops an element. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

static __device__ inline float loss_of(const LseBwd &a, int64_t i)
{
    if (a.target[i] < 0)
        return 0;
    double loss = (double)a.top[i] + log(a.sum[i]), smooth = (double)a.smooth;
    loss -= (1 - smooth) * (double)a.seen[i];
    if (smooth > 0)
        loss -= smooth / (double)a.whole * a.all[i];
    return (float)(loss * (a.weight ? (double)a.weight[i] : 1));
}

template <int W> static __global__ void softmax_less_target(LseBwd a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    if (i >= a.x.rows)
        return;
    int64_t target = a.target[i] - a.col0;
    float weight = a.target[i] < 0 ? 0 : a.weight ? a.weight[i] : 1;
    float top = a.top[i], log_sum = (float)log(a.sum[i]), even = a.smooth / (float)a.whole;
    for (int64_t j = (int64_t)threadIdx.x * W; j < n; j += WARP * W) {
        Wide<W> g = cuda_load<W>(cuda_row(a.x, i), a.x.type, j);
        for (int k = 0; k < W; k++) {
            float q = j + k == target ? 1 - a.smooth + even : even;
            g.v[k] = weight == 0 ? 0 : weight * (expf(g.v[k] - top - log_sum) - q);
        }
        cuda_store<W>(cuda_row(a.dx, i), a.dx.type, j, g);
    }
    if (a.loss && threadIdx.x == 0)
        a.loss[i] = loss_of(a, i);
}

void cuda_lse_bwd(Piece *p, const LseBwd *a)
{
    Cuda *c = cuda_of(p->dev);
    unsigned blocks = cuda_blocks(a->x.rows, ROWS);
    if (blocks > 0 && cuda_by_four(a->x) && cuda_by_four(a->dx))
        LAUNCH(c, softmax_less_target<4>, blocks, dim3(WARP, ROWS), 0, *a);
    else if (blocks > 0)
        LAUNCH(c, softmax_less_target<1>, blocks, dim3(WARP, ROWS), 0, *a);
}
