/* lse.cu - a warp a row: lanes take every 32nd column, or four. Reads x twice; at 50,000 columns
 * the second time comes from the cache, so the time is that of one reading. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

/* Once the panel's largest element and sums are known. */
static __device__ inline void keep(const Lse &a, int64_t i, float top, double sum, double all)
{
    int64_t target = a.target[i] - a.col0;
    if (a.target[i] >= 0 && target >= 0 && target < a.x.cols)
        a.seen[i] = cuda_load<1>(cuda_row(a.x, i), a.x.type, target).v[0];
    if (!a.begin)
        sum += a.sum[i] * exp((double)a.top[i] - (double)top);
    a.top[i] = top;
    a.sum[i] = sum;
    if (a.all)
        a.all[i] = (a.begin ? 0 : a.all[i]) + all;
}

template <int W> static __global__ void log_sum(Lse a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    int64_t first = (int64_t)threadIdx.x * W, step = WARP * W;
    if (i >= a.x.rows)
        return;
    const char *x = cuda_row(a.x, i);
    float top = a.begin ? -INFINITY : a.top[i];
    double sum = 0, all = 0;
    for (int64_t c = first; c < n; c += step) {
        Wide<W> w = cuda_load<W>(x, a.x.type, c);
        for (int k = 0; k < W; k++)
            top = fmaxf(top, w.v[k]);
    }
    top = warp_max(top);
    for (int64_t c = first; c < n; c += step) {
        Wide<W> w = cuda_load<W>(x, a.x.type, c);
        for (int k = 0; k < W; k++) {
            sum += (double)expf(w.v[k] - top);
            if (a.all)
                all += (double)w.v[k];
        }
    }
    sum = warp_sum(sum);
    all = warp_sum(all);
    if (threadIdx.x == 0)
        keep(a, i, top, sum, all);
}

void cuda_lse(Piece *p, const Lse *a)
{
    Cuda *c = cuda_of(p->dev);
    unsigned blocks = cuda_blocks(a->x.rows, ROWS);
    if (blocks > 0 && cuda_by_four(a->x))
        LAUNCH(c, log_sum<4>, blocks, dim3(WARP, ROWS), 0, *a);
    else if (blocks > 0)
        LAUNCH(c, log_sum<1>, blocks, dim3(WARP, ROWS), 0, *a);
}
