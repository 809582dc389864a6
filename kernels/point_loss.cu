/* point_loss.cu - a warp a row, in double: lanes take every 32nd column, and their sums are added
 * in a fixed order. Reads x and t and writes dx once; few columns, so the time is the launch. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

/* The loss of one number, and its slope. */
static __device__ inline double loss_of(PointKind kind, double x, double t, double *slope)
{
    switch (kind) {
    case POINT_SQUARE: *slope = 2 * (x - t); return (x - t) * (x - t);
    case POINT_BINARY: {
        double e = exp(-fabs(x)), s = x < 0 ? e / (1 + e) : 1 / (1 + e);
        *slope = s - t;
        return log1p(e) + fmax(x, 0.0) - x * t;
    }
    case POINT_SHARES:
    case POINT_KINDS: break;
    }
    *slope = 0;
    return 0;
}

/* A row of logits by shares of its classes; the loss in every lane. */
static __device__ inline double shares(const float *x, const float *t, float *dx, int64_t n,
                                       double weight)
{
    float most = -INFINITY;
    double sum = 0, all = 0, seen = 0;
    for (int64_t c = threadIdx.x; c < n; c += WARP)
        most = fmaxf(most, x[c]);
    double top = (double)warp_max(most);
    for (int64_t c = threadIdx.x; c < n; c += WARP) {
        sum += exp((double)x[c] - top);
        all += (double)t[c];
        seen += (double)t[c] * ((double)x[c] - top);
    }
    double lse = log(warp_sum(sum));
    all = warp_sum(all);
    seen = warp_sum(seen);
    for (int64_t c = threadIdx.x; dx && c < n; c += WARP)
        dx[c] = (float)(weight * (all * exp((double)x[c] - top - lse) - (double)t[c]));
    return weight * (all * lse - seen);
}

static __global__ void losses(PointLoss a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    if (i >= a.x.rows)
        return;
    const float *x = (const float *)cuda_row(a.x, i), *t = (const float *)cuda_row(a.t, i);
    float *dx = a.dx.p ? (float *)cuda_row(a.dx, i) : NULL;
    double own = a.weight ? (double)a.weight[i] : 1, weight = own / (double)n, sum = 0, slope;
    if (a.kind == POINT_SHARES) { /* the same for all lanes */
        sum = shares(x, t, dx, n, own);
        if (threadIdx.x == 0)
            a.loss[i] = (float)sum;
        return;
    }
    for (int64_t c = threadIdx.x; c < n; c += WARP) {
        sum += loss_of(a.kind, (double)x[c], (double)t[c], &slope);
        if (dx)
            dx[c] = (float)(weight * slope);
    }
    sum = warp_sum(sum);
    if (threadIdx.x == 0)
        a.loss[i] = (float)(weight * sum);
}

void cuda_point_loss(Piece *p, const PointLoss *a)
{
    if (a->x.rows > 0)
        LAUNCH(cuda_of(p->dev), losses, cuda_blocks(a->x.rows, ROWS), dim3(WARP, ROWS), 0, *a);
}
