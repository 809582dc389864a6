/* xent.cu - a warp a row, sums in double: lanes take every 32nd class, and their sums are added
 * in a fixed order. Reads x three times, writes dx once; few classes, so the time is the
 * launch. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

static __global__ void cross_entropy(Xent a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    int lane = threadIdx.x;
    if (i >= a.x.rows)
        return;
    const float *x = (const float *)cuda_row(a.x, i);
    float *dx = a.dx.p ? (float *)cuda_row(a.dx, i) : NULL;
    int32_t target = a.target[i];
    float top = -INFINITY;
    double sum = 0, all = 0;
    for (int64_t c = lane; c < n; c += WARP)
        top = fmaxf(top, x[c]);
    top = warp_max(top);
    for (int64_t c = lane; c < n; c += WARP) {
        sum += exp((double)x[c] - (double)top);
        all += (double)x[c];
    }
    double lse = (double)top + log(warp_sum(sum)), smooth = (double)a.smooth;
    double weight = a.weight ? (double)a.weight[i] : 1, even = smooth / (double)n;
    all = warp_sum(all);
    if (lane == 0) {
        double seen = target < 0 ? 0 : (1 - smooth) * (double)x[target] + even * all;
        if (smooth == 0 && target >= 0)
            seen = (double)x[target];
        a.loss[i] = target < 0 ? 0 : (float)(weight * (lse - seen));
    }
    /* dx may be x: nothing of x is read by another lane from here on. */
    __syncwarp();
    for (int64_t c = lane; dx && c < n; c += WARP) {
        double q = c == target ? 1 - smooth + even : even;
        dx[c] = target < 0 ? 0 : (float)(weight * (exp((double)x[c] - lse) - q));
    }
}

void cuda_xent(Piece *p, const Xent *a)
{
    if (a->x.rows > 0)
        LAUNCH(cuda_of(p->dev), cross_entropy, cuda_blocks(a->x.rows, ROWS), dim3(WARP, ROWS), 0,
               *a);
}
