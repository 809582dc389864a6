/* xent.cu - a warp a row, sums in double: lanes take every 32nd class, and their sums are added
 * in a fixed order. Reads x three times, writes dx once; few classes, so the time is the
 * launch. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

static __device__ inline double share(const Xent &a, int64_t c)
{
    return a.classes ? (double)a.classes[c] : 1;
}

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
    double sum = 0, plain = 0, spread = 0;
    for (int64_t c = lane; c < n; c += WARP)
        top = fmaxf(top, x[c]);
    top = warp_max(top);
    for (int64_t c = lane; c < n; c += WARP) {
        sum += exp((double)x[c] - (double)top);
        plain += share(a, c) * (double)x[c];
        spread += share(a, c);
    }
    double lse = (double)top + log(warp_sum(sum)), smooth = (double)a.smooth;
    double weight = a.weight ? (double)a.weight[i] : 1, even = smooth / (double)n;
    double own = target < 0 ? 0 : (1 - smooth) * share(a, target);
    plain = warp_sum(plain);
    double all = own + even * warp_sum(spread);
    if (lane == 0) {
        double seen = target < 0 ? 0 : own * (double)x[target];
        if (smooth > 0)
            seen += even * plain;
        a.loss[i] = target < 0 ? 0 : (float)(weight * (all * lse - seen));
    }
    /* dx may be x: nothing of x is read by another lane from here on. */
    __syncwarp();
    for (int64_t c = lane; dx && c < n; c += WARP) {
        double q = even * share(a, c) + (c == target ? own : 0);
        dx[c] = target < 0 ? 0 : (float)(weight * (all * exp((double)x[c] - lse) - q));
    }
}

void cuda_xent(Piece *p, const Xent *a)
{
    if (a->x.rows > 0)
        LAUNCH(cuda_of(p->dev), cross_entropy, cuda_blocks(a->x.rows, ROWS), dim3(WARP, ROWS), 0,
               *a);
}
