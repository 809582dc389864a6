/* lse.cu - a warp a row: lanes take every 32nd column. Reads x twice; at 50,000 columns the second
 * time comes from the cache, so the time is that of one reading. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

static __global__ void log_sum(Lse a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    int lane = threadIdx.x;
    if (i >= a.x.rows)
        return;
    const char *x = cuda_row(a.x, i);
    float top = a.begin ? -INFINITY : a.top[i];
    double sum = 0;
    for (int64_t c = lane; c < n; c += WARP)
        top = fmaxf(top, cuda_load<1>(x, a.x.type, c).v[0]);
    top = warp_max(top);
    for (int64_t c = lane; c < n; c += WARP)
        sum += (double)expf(cuda_load<1>(x, a.x.type, c).v[0] - top);
    sum = warp_sum(sum);
    if (lane != 0)
        return;
    int64_t target = a.target[i] - a.col0;
    if (a.target[i] >= 0 && target >= 0 && target < n)
        a.seen[i] = cuda_load<1>(x, a.x.type, target).v[0];
    if (!a.begin)
        sum += a.sum[i] * exp((double)a.top[i] - (double)top);
    a.top[i] = top;
    a.sum[i] = sum;
}

void cuda_lse(Piece *p, const Lse *a)
{
    if (a->x.rows > 0)
        LAUNCH(cuda_of(p->dev), log_sum, cuda_blocks(a->x.rows, ROWS), dim3(WARP, ROWS), 0, *a);
}
