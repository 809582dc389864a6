/* norm.cu - a warp a row. The row is read once and held in registers (up to 1,024 columns that
 * come in fours), else read again for each of three passes. Moves cols * (sizes of x, r, y and
 * what else is written) bytes a row; about 8 flops an element.
 *
 * Where rows are few a block has a row (up to 4,096 columns that come in fours), a warp 128 columns
 * of it. Its sums are those of the one warp: lane by lane over the 128s, then over the lanes; and
 * where a sum could be rounded in more than one way fmaf says in which. So both give the same bits.
 */
#include "kernels/cuda.h"

enum { ROWS = 4, FEW = 256, MOST_WARPS = 32 }; /* warps of a block; rows; warps of a row */

template <int W> static __device__ inline Wide<W> summed(const Norm &a, int64_t i, int64_t j)
{
    Wide<W> s = cuda_load<W>(cuda_row(a.x, i), a.x.type, j);
    if (a.r.p) {
        Wide<W> r = cuda_load<W>(cuda_row(a.r, i), a.r.type, j);
        for (int k = 0; k < W; k++)
            s.v[k] += r.v[k];
    }
    return s;
}

template <int W>
static __device__ inline void put_out(const Norm &a, int64_t i, int64_t j, Wide<W> s, Wide<W> gamma,
                                      Wide<W> beta, float mean, float scale)
{
    for (int k = 0; k < W; k++)
        s.v[k] = fmaf((s.v[k] - mean) * scale, gamma.v[k], beta.v[k]);
    cuda_store<W>(cuda_row(a.y, i), a.y.type, j, s);
    if (a.y2.p)
        cuda_store<W>(cuda_row(a.y2, i), a.y2.type, j, s);
}

template <int W>
static __device__ inline void finish(const Norm &a, int64_t i, int64_t j, Wide<W> s, float mean,
                                     float scale)
{
    if (a.sum.p)
        cuda_store<W>(cuda_row(a.sum, i), a.sum.type, j, s);
    Wide<W> gamma = cuda_load<W>(a.gamma, K_F32, j), beta = {};
    if (a.beta)
        beta = cuda_load<W>(a.beta, K_F32, j);
    put_out<W>(a, i, j, s, gamma, beta, mean, scale);
}

template <int W> static __device__ inline float square(Wide<W> s, float mean)
{
    float sum = 0;
    for (int k = 0; k < W; k++)
        sum = fmaf(s.v[k] - mean, s.v[k] - mean, sum);
    return sum;
}

template <int W> static __device__ inline float plain(Wide<W> s)
{
    float sum = 0;
    for (int k = 0; k < W; k++)
        sum += s.v[k];
    return sum;
}

static __device__ inline void keep_stats(const Norm &a, int64_t i, float mean, float scale)
{
    if (!a.stats || threadIdx.x > 0)
        return;
    a.stats[2 * i] = mean;
    a.stats[2 * i + 1] = scale;
}

/* Lane l has columns [W l, W l + W), and those 32 W further on, HELD times. */
template <int W, int HELD> static __global__ void norm_held(Norm a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    int first = threadIdx.x * W;
    if (i >= a.x.rows)
        return;
    Wide<W> s[HELD];
    float mean = 0, var = 0;
#pragma unroll
    for (int h = 0; h < HELD; h++) {
        int j = first + h * WARP * W;
        if (j >= n)
            continue;
        s[h] = summed<W>(a, i, j);
        mean += plain<W>(s[h]);
    }
    mean = a.rms ? 0 : warp_sum(mean) / (float)n;
#pragma unroll
    for (int h = 0; h < HELD; h++)
        if (first + h * WARP * W < n)
            var += square<W>(s[h], mean);
    float scale = 1.0f / sqrtf(warp_sum(var) / (float)n + a.eps);
    keep_stats(a, i, mean, scale);
#pragma unroll
    for (int h = 0; h < HELD; h++)
        if (first + h * WARP * W < n)
            finish<W>(a, i, first + h * WARP * W, s[h], mean, scale);
}

template <int W> static __global__ void norm_read(Norm a)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y, n = a.x.cols;
    int64_t first = (int64_t)threadIdx.x * W, step = WARP * W;
    if (i >= a.x.rows)
        return;
    float mean = 0, var = 0;
    for (int64_t j = first; j < n; j += step)
        mean += plain<W>(summed<W>(a, i, j));
    mean = a.rms ? 0 : warp_sum(mean) / (float)n;
    for (int64_t j = first; j < n; j += step)
        var += square<W>(summed<W>(a, i, j), mean);
    float scale = 1.0f / sqrtf(warp_sum(var) / (float)n + a.eps);
    keep_stats(a, i, mean, scale);
    for (int64_t j = first; j < n; j += step)
        finish<W>(a, i, j, summed<W>(a, i, j), mean, scale);
}

/* The sum over a row of what its warps' lanes have, as a warp that has all of it would add: each
 * warp does it for itself. */
static __device__ inline float row_sum(float *part, int warps, float mine)
{
    float sum = 0;
    part[threadIdx.y * WARP + threadIdx.x] = mine;
    __syncthreads();
    for (int w = 0; w < warps; w++)
        sum += part[w * WARP + threadIdx.x];
    return warp_sum(sum);
}

/* A block a row; warp w's lane l has columns [128 w + 4 l, 128 w + 4 l + 4). */
static __global__ void norm_alone(Norm a)
{
    enum { W = 4 };
    SHARED(float, shared);
    int64_t i = blockIdx.x, n = a.x.cols;
    int warps = (int)blockDim.y, j = (int)(threadIdx.y * WARP + threadIdx.x) * W;
    bool has = j < n;
    Wide<W> s = {}, gamma = {}, beta = {};
    if (has) { /* all of it is on its way before any is waited for */
        s = summed<W>(a, i, j);
        gamma = cuda_load<W>(a.gamma, K_F32, j);
        if (a.beta)
            beta = cuda_load<W>(a.beta, K_F32, j);
    }
    float mean = a.rms ? 0 : row_sum(shared, warps, has ? plain<W>(s) : 0) / (float)n;
    float var = row_sum(shared + warps * WARP, warps, has ? square<W>(s, mean) : 0);
    float scale = 1.0f / sqrtf(var / (float)n + a.eps);
    if (threadIdx.y == 0)
        keep_stats(a, i, mean, scale);
    if (has && a.sum.p)
        cuda_store<W>(cuda_row(a.sum, i), a.sum.type, j, s);
    if (has)
        put_out<W>(a, i, j, s, gamma, beta, mean, scale);
}

static bool by_four(const Norm *a)
{
    return cuda_by_four(a->x) && cuda_by_four(a->r) && cuda_by_four(a->sum) && cuda_by_four(a->y) &&
           cuda_by_four(a->y2) && (uintptr_t)a->gamma % 16 == 0 && (uintptr_t)a->beta % 16 == 0;
}

void cuda_norm(Piece *p, const Norm *a)
{
    Cuda *c = cuda_of(p->dev);
    if (a->x.rows == 0 || a->x.cols == 0)
        return;
    unsigned blocks = cuda_blocks(a->x.rows, ROWS);
    dim3 threads(WARP, ROWS);
    unsigned warps = cuda_blocks(a->x.cols, 4 * WARP); /* of a row that has a block */
    if (!by_four(a))
        LAUNCH(c, norm_read<1>, blocks, threads, 0, *a);
    else if (a->x.rows <= FEW && warps <= MOST_WARPS)
        LAUNCH(c, norm_alone, (unsigned)a->x.rows, dim3(WARP, warps),
               2 * warps * WARP * sizeof(float), *a);
    else if (a->x.cols <= 3 * 4 * WARP)
        LAUNCH(c, (norm_held<4, 3>), blocks, threads, 0, *a);
    else if (a->x.cols <= 8 * 4 * WARP)
        LAUNCH(c, (norm_held<4, 8>), blocks, threads, 0, *a);
    else
        LAUNCH(c, norm_read<4>, blocks, threads, 0, *a);
}
