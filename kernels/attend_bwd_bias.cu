/* attend_bwd_bias.cu - the gradient of what attention adds by distance: of each head of a row the
 * sums of ds (attend_bwd.cu) along its diagonals. A block has a head of a row, 32 queries and 32
 * keys at a time; their products are made in f32, 32 columns at a time, which lie in shared memory:
 * a lane is a key, a warp has eight queries. Sums run in order of queries, then of keys.
 * 4 len^2 size flops a head. */
#include "kernels/attend_in.h"

enum {
    SIDE = 32,
    DIAGONALS = 2 * SIDE - 1,
    WARPS = 4,
    THREADS = WARPS * WARP,
    MINE = SIDE / WARPS, /* queries of a warp */
    ROW = WARP + 1       /* lanes that walk down rows meet all banks */
};

/* What the products are made of: so many columns of queries and keys. */
enum { QUERY, SLOPE, KEY, VALUE, PARTS };
typedef float Strip[SIDE][ROW];

static __device__ inline float element_or_0(View v, const AttendPlace &p, int64_t token, int j,
                                            int size)
{
    return token < p.len && j < size ? element(v, p, token, j) : 0;
}

static __device__ inline void load(const AttendBwd &b, const AttendPlace &p, int64_t query,
                                   int64_t key, int at, Strip *part)
{
    const View view[PARTS] = {b.of.q, b.dy, b.of.k, b.of.v};
    int lane = threadIdx.x % WARP, size = b.of.size;
#pragma unroll
    for (int i = 0; i < PARTS; i++)
        for (int r = threadIdx.x / WARP; r < SIDE; r += WARPS)
            part[i][r][lane] =
                element_or_0(view[i], p, (i < KEY ? query : key) + r, at + lane, size);
}

/* s = q k' and d = dy v' of the warp's queries and the lane's key. */
static __device__ inline void multiply(const AttendBwd &b, const AttendPlace &p, int64_t query,
                                       int64_t key, Strip *part, float s[MINE], float d[MINE])
{
    int lane = threadIdx.x % WARP, mine = threadIdx.x / WARP * MINE;
    for (int n = 0; n < MINE; n++)
        s[n] = d[n] = 0;
    for (int at = 0; at < b.of.size; at += WARP) {
        __syncthreads(); /* all are done with the columns before */
        load(b, p, query, key, at, part);
        __syncthreads();
        for (int j = 0; j < WARP; j++) {
            float k = part[KEY][lane][j], v = part[VALUE][lane][j];
#pragma unroll
            for (int n = 0; n < MINE; n++) {
                s[n] += part[QUERY][mine + n][j] * k;
                d[n] += part[SLOPE][mine + n][j] * v;
            }
        }
    }
}

static __device__ inline int64_t entry(const Attend &a, int64_t far)
{
    return a.reach + (far < -a.reach ? -a.reach : far > a.reach ? a.reach : far);
}

/* to[its entry] += each distance's sum, those of one entry by the first of them. */
static __device__ inline void add_diagonals(const Attend &a, int64_t far, const float *sum,
                                            float *to)
{
    int d = threadIdx.x;
    if (d >= DIAGONALS || (d > 0 && entry(a, far + d) == entry(a, far + d - 1)))
        return;
    float all = 0;
    for (int n = d; n < DIAGONALS && entry(a, far + n) == entry(a, far + d); n++)
        all += sum[n];
    to[entry(a, far + d)] += all;
}

static __device__ inline float diagonal(const float ds[SIDE][ROW], int d)
{
    float all = 0;
    for (int n = 0; n < SIDE; n++) /* element (n, n + d - 31) */
        if (n + d >= SIDE - 1 && n + d < DIAGONALS)
            all += ds[n][n + d - (SIDE - 1)];
    return all;
}

static __global__ void __launch_bounds__(THREADS)
    attend_bwd_bias(AttendBwd b, const float *total, const int64_t *starts, int heads)
{
    __shared__ float part[PARTS][SIDE][ROW], ds[SIDE][ROW], sum[DIAGONALS];
    AttendPlace p = place_of(b.of, starts, blockIdx.x / heads, (int)(blockIdx.x % heads), heads);
    int64_t span = 2 * b.of.reach + 1;
    float *to = b.dbias + blockIdx.x * span, s[MINE], d[MINE];
    int lane = threadIdx.x % WARP, mine = threadIdx.x / WARP * MINE;
    for (int64_t i = threadIdx.x; i < span; i += THREADS)
        to[i] = 0;
    for (int64_t i = 0; i < p.len; i += SIDE)
        for (int64_t j = 0; j < (b.of.causal ? i + 1 : p.len); j += SIDE) {
            multiply(b, p, i, j, part, s, d);
            for (int n = 0; n < MINE; n++) {
                int64_t query = i + mine + n;
                float t = query < p.len ? total[place_at(p, query)] : 0;
                ds[mine + n][lane] = slope_of(b.of, p, query, j + lane, s[n], d[n], t).ds;
            }
            __syncthreads();
            if (threadIdx.x < DIAGONALS)
                sum[threadIdx.x] = diagonal(ds, threadIdx.x);
            __syncthreads();
            add_diagonals(b.of, j - i - (SIDE - 1), sum, to);
        }
}

void cuda_attend_bwd_bias(Cuda *c, const AttendBwd *b, const float *total)
{
    const Batch *batch = b->of.batch;
    LAUNCH(c, attend_bwd_bias, (unsigned)(batch->rows * batch->heads), THREADS, 0, *b, total,
           batch->starts, batch->heads);
}
