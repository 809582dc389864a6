/* norm_bwd.cu - a warp a row. What makes the gradient is read once and held in registers (up to
 * 1,024 columns that come in fours), else read again. Moves cols * (12 + sizes of r and dx2) bytes
 * a row; about 11 flops an element. */
#include "kernels/cuda.h"

enum { ROWS = 4 }; /* warps of a block */

/* g = dy * gamma, and the normed sum n. */
template <int W> struct Two {
    Wide<W> g, n;
};

template <int W>
static __device__ inline Two<W> two(const NormBwd &a, int64_t i, int64_t j, float mean, float scale)
{
    Two<W> t = {cuda_load<W>(cuda_row(a.dy, i), K_F32, j),
                cuda_load<W>(cuda_row(a.s, i), K_F32, j)};
    Wide<W> gamma = cuda_load<W>(a.gamma, K_F32, j);
    for (int k = 0; k < W; k++) {
        t.g.v[k] *= gamma.v[k];
        t.n.v[k] = (t.n.v[k] - mean) * scale;
    }
    return t;
}

/* Sums over the row of g and of g n, this lane's so far. */
typedef struct Sums {
    float g, gn;
} Sums;

template <int W> static __device__ inline void add(Sums *s, const Two<W> &t)
{
    for (int k = 0; k < W; k++) {
        s->g += t.g.v[k];
        s->gn += t.g.v[k] * t.n.v[k];
    }
}

/* From sums to means. */
static __device__ inline Sums means(const NormBwd &a, Sums s)
{
    float n = (float)a.dy.cols;
    return {a.rms ? 0 : warp_sum(s.g) / n, warp_sum(s.gn) / n};
}

template <int W>
static __device__ inline void finish(const NormBwd &a, int64_t i, int64_t j, Two<W> t, Sums mean,
                                     float scale)
{
    for (int k = 0; k < W; k++)
        t.g.v[k] = scale * (t.g.v[k] - mean.g - t.n.v[k] * mean.gn);
    if (a.r.p) {
        Wide<W> r = cuda_load<W>(cuda_row(a.r, i), a.r.type, j);
        for (int k = 0; k < W; k++)
            t.g.v[k] += r.v[k];
    }
    cuda_store<W>(cuda_row(a.dx, i), K_F32, j, t.g);
    if (a.dx2.p)
        cuda_store<W>(cuda_row(a.dx2, i), a.dx2.type, j, t.g);
}

/* Lane l has columns [4 l, 4 l + 4), and those 128 further on, HELD times. */
template <int HELD> static __global__ void norm_bwd_held(NormBwd a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.dy.cols;
    int first = threadIdx.x * 4;
    if (i >= a.dy.rows)
        return;
    float mean = a.stats[2 * i], scale = a.stats[2 * i + 1];
    Two<4> t[HELD];
    Sums sum = {0, 0};
#pragma unroll
    for (int h = 0; h < HELD; h++)
        if (first + h * WARP * 4 < n)
            t[h] = two<4>(a, i, first + h * WARP * 4, mean, scale);
#pragma unroll
    for (int h = 0; h < HELD; h++)
        if (first + h * WARP * 4 < n)
            add<4>(&sum, t[h]);
    sum = means(a, sum);
#pragma unroll
    for (int h = 0; h < HELD; h++)
        if (first + h * WARP * 4 < n)
            finish<4>(a, i, first + h * WARP * 4, t[h], sum, scale);
}

template <int W> static __global__ void norm_bwd_read(NormBwd a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.dy.cols;
    int64_t first = (int64_t)threadIdx.x * W, step = WARP * W;
    if (i >= a.dy.rows)
        return;
    float mean = a.stats[2 * i], scale = a.stats[2 * i + 1];
    Sums sum = {0, 0};
    for (int64_t j = first; j < n; j += step)
        add<W>(&sum, two<W>(a, i, j, mean, scale));
    sum = means(a, sum);
    for (int64_t j = first; j < n; j += step)
        finish<W>(a, i, j, two<W>(a, i, j, mean, scale), sum, scale);
}

static bool by_four(const NormBwd *a)
{
    return cuda_by_four(a->dy) && cuda_by_four(a->s) && cuda_by_four(a->r) && cuda_by_four(a->dx) &&
           cuda_by_four(a->dx2) && (uintptr_t)a->gamma % 16 == 0;
}

void cuda_norm_bwd(Piece *p, const NormBwd *a)
{
    Cuda *c = cuda_of(p->dev);
    if (a->dy.rows == 0 || a->dy.cols == 0)
        return;
    unsigned blocks = cuda_blocks(a->dy.rows, ROWS);
    dim3 threads(WARP, ROWS);
    if (!by_four(a))
        LAUNCH(c, norm_bwd_read<1>, blocks, threads, 0, *a);
    else if (a->dy.cols <= 3 * 4 * WARP)
        LAUNCH(c, norm_bwd_held<3>, blocks, threads, 0, *a);
    else if (a->dy.cols <= 6 * 4 * WARP)
        LAUNCH(c, norm_bwd_held<6>, blocks, threads, 0, *a);
    else if (a->dy.cols <= 8 * 4 * WARP)
        LAUNCH(c, norm_bwd_held<8>, blocks, threads, 0, *a);
    else
        LAUNCH(c, norm_bwd_read<4>, blocks, threads, 0, *a);
}
