/* attend_mma.cu - attention of bf16 or f16 by tensor cores, after FlashAttention-2 (Dao 2023): a
 * block takes 64 queries of one head, a warp 16 of them, through the keys, 64 at a time. Queries
 * stay in registers as fragments; so do scores and weights: what the first product gives as its
 * result is, packed, what the second one reads. Largest scores and sums are f32; weights are
 * rounded to the type of v.
 *
 * DEEP is the head's size rounded up to 32, 64, 80, 96 or 128. 4 len^2 size flops a head on
 * tensor cores and len^2 exponentials; reads q once, k and v once for each 64 queries, writes y
 * once. Shared memory: 4 (DEEP + 8) 64 bytes, 34 KiB at most. */
#include "kernels/attend_in.h"
#include "kernels/mma.h"

#include <cfloat>

enum { WARPS = 4, QUERIES = 16, KEYS = 64, THREADS = WARPS * WARP, LANES = 4 /* a row's */ };

template <int DEEP> struct Tile {
    static const int ROW = DEEP + 8; /* elements; eight rows of mma_load meet all banks */
    static const int STEPS = DEEP / 16, COLS = DEEP / 8; /* fragments side by side */
};

/* KEYS rows from token `first` on; 0 beyond the row's and the head's end. */
template <int DEEP>
static __device__ inline void load_rows(View v, const AttendPlace &p, int64_t first, int size,
                                        uint16_t *to)
{
    for (int e = threadIdx.x; e < KEYS * DEEP / 8; e += THREADS) {
        int r = e / (DEEP / 8), j = e % (DEEP / 8) * 8;
        uint4 u = make_uint4(0, 0, 0, 0);
        if (first + r < p.len && j < size)
            u = *reinterpret_cast<const uint4 *>(cuda_row(v, p.from + first + r) + (p.col + j) * 2);
        *reinterpret_cast<uint4 *>(to + r * Tile<DEEP>::ROW + j) = u;
    }
}

/* score[t] = the warp's queries times keys [8 t, 8 t + 8), of the first n. */
template <int DEEP, KType T>
static __device__ inline void multiply_keys(const uint32_t query[][4], const uint16_t *key,
                                            int64_t n, float score[KEYS / 8][4])
{
    int lane = threadIdx.x % WARP;
    const uint16_t *mine = key + (lane / 16 * 8 + lane % 8) * Tile<DEEP>::ROW + lane / 8 % 2 * 8;
#pragma unroll
    for (int t = 0; t < KEYS / 16; t++) {
        for (int i = 0; i < 4; i++)
            score[2 * t][i] = score[2 * t + 1][i] = 0;
        if (t * 16 >= n)
            continue;
#pragma unroll
        for (int s = 0; s < Tile<DEEP>::STEPS; s++) {
            uint32_t b[4];
            mma_load<false>(b, mine + t * 16 * Tile<DEEP>::ROW + s * 16);
            mma<T>(score[2 * t], query[s], b);
            mma<T>(score[2 * t + 1], query[s], b + 2);
        }
    }
}

/* out += weights (as scores lie) times the first n values. */
template <int DEEP, KType T>
static __device__ inline void multiply_values(const float weight[KEYS / 8][4],
                                              const uint16_t *value, int64_t n, float out[][4])
{
    int lane = threadIdx.x % WARP;
    const uint16_t *mine = value + lane % 16 * Tile<DEEP>::ROW + lane / 16 * 8;
#pragma unroll
    for (int t = 0; t < KEYS / 16; t++) {
        if (t * 16 >= n)
            continue;
        const float *w = weight[2 * t], *next = weight[2 * t + 1];
        uint32_t a[4] = {mma_pair<T>(w[0], w[1]), mma_pair<T>(w[2], w[3]),
                         mma_pair<T>(next[0], next[1]), mma_pair<T>(next[2], next[3])};
#pragma unroll
        for (int c = 0; c < Tile<DEEP>::COLS / 2; c++) {
            uint32_t b[4];
            mma_load<true>(b, mine + t * 16 * Tile<DEEP>::ROW + c * 16);
            mma<T>(out[2 * c], a, b);
            mma<T>(out[2 * c + 1], a, b + 2);
        }
    }
}

static __device__ inline float row_max(float v)
{
    for (int m = 1; m < LANES; m *= 2)
        v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, m));
    return v;
}
static __device__ inline float row_sum(float v)
{
    for (int m = 1; m < LANES; m *= 2)
        v += __shfl_xor_sync(0xffffffffu, v, m);
    return v;
}

/* The running softmax of a lane's two rows, in powers of 2: the largest score, and the sum of the
 * lane's own weights. */
typedef struct Running {
    float top[2], sum[2];
} Running;

/* Scores of keys from `at` on become weights; keep[r] is what row r's sums so far are to be
 * multiplied by. `query` and `at` are counted within the row. */
static __device__ inline void soften(const Attend &a, int len, int query, int at,
                                     float score[KEYS / 8][4], Running *run, float keep[2])
{
    const float log2e = 1.4426950408889634f;
    int lane = threadIdx.x % WARP;
    float top[2] = {run->top[0], run->top[1]};
    query += lane / LANES;
    at += lane % LANES * 2;
#pragma unroll
    for (int t = 0; t < KEYS / 8; t++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int from = query + i / 2 * 8, to = at + t * 8 + i % 2;
            bool seen = to < len && (!a.causal || to <= from);
            float s = score[t][i] * (a.scale * log2e);
            if (a.bias && seen)
                s += distance_bias(a, (int)blockIdx.z, to - from) * log2e;
            score[t][i] = seen ? s : -INFINITY;
            top[i / 2] = fmaxf(top[i / 2], score[t][i]);
        }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        top[r] = row_max(top[r]);
        keep[r] = exp2f(run->top[r] - top[r]);
        run->top[r] = top[r];
        run->sum[r] *= keep[r];
    }
#pragma unroll
    for (int t = 0; t < KEYS / 8; t++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            score[t][i] = exp2f(score[t][i] - top[i / 2]);
            run->sum[i / 2] += score[t][i];
        }
}

/* Weights that dropout does not keep become 0; the others are divided in store_rows. */
static __device__ inline void drop_weights(const Attend &a, const AttendPlace &p,
                                           const uint64_t number[2], int64_t at,
                                           float weight[KEYS / 8][4])
{
    uint32_t kept = drop_fragments(a, p, number, at / DROP_SPAN, drop_least(a.drop));
#pragma unroll
    for (int t = 0; t < KEYS / 8; t++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (!(kept >> (t / 2 * 8 + i / 2 * 4 + t % 2 * 2 + i % 2) & 1))
                weight[t][i] = 0;
}

template <int DEEP, KType T>
static __device__ inline void store_rows(const Attend &a, const AttendPlace &p, int64_t query,
                                         float out[][4], const Running *run)
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        int64_t token = query + lane / LANES + r * 8;
        float sum = row_sum(run->sum[r]), inverse = 1 / (sum * (1 - a.drop));
        if (token >= p.len)
            continue;
        if (a.lse && lane % LANES == 0)
            a.lse[place_at(p, token)] = (run->top[r] + log2f(sum)) * 0.6931471805599453f;
        char *to = cuda_row(a.y, p.from + token) + (p.col + lane % LANES * 2) * 2;
#pragma unroll
        for (int c = 0; c < Tile<DEEP>::COLS; c++)
            if (c * 8 < a.size)
                *reinterpret_cast<uint32_t *>(to + c * 16) =
                    mma_pair<T>(out[c][2 * r] * inverse, out[c][2 * r + 1] * inverse);
    }
}

/* DROP: with dropout, which asks for a third more registers. */
template <int DEEP, KType T, bool DROP>
static __global__ void __launch_bounds__(THREADS) attend_mma(Attend a, const int64_t *starts)
{
    typedef Tile<DEEP> S;
    SHARED(uint16_t, shared);
    uint16_t *key = shared, *value = shared + KEYS * S::ROW;
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    AttendPlace p = place_of(a, starts, blockIdx.y, (int)blockIdx.z, (int)gridDim.z);
    int64_t first = (int64_t)blockIdx.x * KEYS, mine = first + warp * QUERIES;
    if (first >= p.len)
        return; /* the whole block: the grid is as wide as the longest row asks for */
    int64_t last = first + KEYS < p.len ? first + KEYS : p.len, keys = a.causal ? last : p.len;
    uint32_t query[S::STEPS][4];
    float out[S::COLS][4] = {}, score[KEYS / 8][4], keep[2];
    Running run = {{-FLT_MAX, -FLT_MAX}, {0, 0}};
    uint64_t number[2] = {0, 0};
    if (DROP)
        drop_numbers(a, p, mine, number);
    load_rows<DEEP>(a.q, p, first, a.size, key); /* as many queries as keys */
    __syncthreads();
#pragma unroll
    for (int s = 0; s < S::STEPS; s++)
        mma_load<false>(query[s],
                        key + (warp * QUERIES + lane % 16) * S::ROW + s * 16 + lane / 16 * 8);
    for (int64_t at = 0; at < keys; at += KEYS) {
        __syncthreads(); /* all are done with the keys before, and have their queries */
        load_rows<DEEP>(a.k, p, at, a.size, key);
        load_rows<DEEP>(a.v, p, at, a.size, value);
        __syncthreads();
        if (mine >= p.len || (a.causal && at >= mine + QUERIES))
            continue; /* the whole warp: no queries, or none that looks as far */
        multiply_keys<DEEP, T>(query, key, keys - at, score);
        soften(a, (int)p.len, (int)mine, (int)at, score, &run, keep);
#pragma unroll
        for (int c = 0; c < S::COLS; c++)
            for (int i = 0; i < 4; i++)
                out[c][i] *= keep[i / 2];
        if (DROP)
            drop_weights(a, p, number, at, score);
        multiply_values<DEEP, T>(score, value, keys - at, out);
    }
    store_rows<DEEP, T>(a, p, mine, out, &run);
}

template <int DEEP, KType T, bool DROP>
static void start(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    size_t bytes = 2 * KEYS * Tile<DEEP>::ROW * sizeof(uint16_t);
    LAUNCH(c, (attend_mma<DEEP, T, DROP>),
           dim3(cuda_blocks(longest, KEYS), (unsigned)rows, (unsigned)a->batch->heads), THREADS,
           bytes, *a, starts);
}

template <KType T, bool DROP>
static void start_deep(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows,
                       int64_t longest)
{
    if (a->size <= 32)
        start<32, T, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 64)
        start<64, T, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 80)
        start<80, T, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 96)
        start<96, T, DROP>(c, a, starts, rows, longest);
    else
        start<128, T, DROP>(c, a, starts, rows, longest);
}

bool cuda_attend_mma(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    KType t = a->q.type;
    if (!c->mma || t == K_F32 || a->k.type != t || a->v.type != t || a->y.type != t ||
        a->size > 128 || a->size % 8 || !by_eight(a->q) || !by_eight(a->k) || !by_eight(a->v) ||
        !by_eight(a->y))
        return false;
    if (t == K_F16 && a->drop > 0)
        start_deep<K_F16, true>(c, a, starts, rows, longest);
    else if (t == K_F16)
        start_deep<K_F16, false>(c, a, starts, rows, longest);
    else if (a->drop > 0)
        start_deep<K_BF16, true>(c, a, starts, rows, longest);
    else
        start_deep<K_BF16, false>(c, a, starts, rows, longest);
    return true;
}
