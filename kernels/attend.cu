/* attend.cu - attention in f32, for what tensor cores do not take (attend_mma.cu): with a running
 * softmax (Milakov & Gimelshein 2018; Dao et al. 2022): a block takes WARPS * QUERIES queries of
 * one head through the keys, 32 at a time, which lie in shared memory in f32. A warp keeps QUERIES
 * queries: for the scores a lane is a key, for the values a lane is every 32nd column. Scores never
 * leave the warp.
 *
 * DEEP is the head's size rounded up: 32, 64, 96, 128 or 256. 4 len^2 size flops a head, of
 * which about half the multiplications' operands come from shared memory. Reads q once, k and v
 * once for each WARPS * QUERIES queries, writes y once.
 *
 * The weights for looking at are made by a plain kernel of their own. */
#include "kernels/attend_running.h"

enum { QUERIES = 8, KEYS = WARP };

template <int DEEP> struct Shape {
    static const int WARPS = DEEP > 128 ? 2 : 4; /* 84 KiB of shared memory at most */
    static const int ROW = DEEP + 1;             /* lanes that walk down keys meet all banks */
    static const int COLS = DEEP / WARP;         /* of the values, a lane */
    static const int BLOCK_QUERIES = WARPS * QUERIES;
    /* floats: keys, values, queries of all warps, weights of all warps; each on 16 bytes */
    static const int KEY = 0, VALUE = KEY + KEYS * ROW, QUERY = VALUE + KEYS * DEEP,
                     WEIGHT = QUERY + BLOCK_QUERIES * DEEP, FLOATS = WEIGHT + BLOCK_QUERIES * KEYS;
};

/* The queries [first, first + BLOCK_QUERIES), scaled; eight side by side for each column, so that
 * a lane reads them as two vectors. */
template <int DEEP>
static __device__ inline void load_queries(const Attend &a, const AttendPlace &p, int64_t first,
                                           bool four, float *to)
{
    int threads = Shape<DEEP>::WARPS * WARP;
    for (int e = threadIdx.x; e < Shape<DEEP>::BLOCK_QUERIES * DEEP / 4; e += threads) {
        int q = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> w = elements(a.q, p, first + q, j, a.size, four);
        for (int k = 0; k < 4; k++)
            to[(q / QUERIES * DEEP + j + k) * QUERIES + q % QUERIES] = w.v[k] * a.scale;
    }
}

template <int DEEP>
static __device__ inline void load_keys(const Attend &a, const AttendPlace &p, int64_t first,
                                        bool four, float *key, float *value)
{
    int threads = Shape<DEEP>::WARPS * WARP;
    for (int e = threadIdx.x; e < KEYS * DEEP / 4; e += threads) {
        int k = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> w = elements(a.k, p, first + k, j, a.size, four);
        for (int n = 0; n < 4; n++)
            key[k * Shape<DEEP>::ROW + j + n] = w.v[n];
        cuda_store<4>(value, K_F32, k * DEEP + j, elements(a.v, p, first + k, j, a.size, four));
    }
}

/* score[q] = this lane's key times query q. */
template <int DEEP>
static __device__ inline void scores(const float *query, const float *key, float score[QUERIES])
{
    for (int q = 0; q < QUERIES; q++)
        score[q] = 0;
#pragma unroll 8
    for (int j = 0; j < DEEP; j++) {
        float k = key[j];
        float4 a = reinterpret_cast<const float4 *>(query + j * QUERIES)[0];
        float4 b = reinterpret_cast<const float4 *>(query + j * QUERIES)[1];
        score[0] += a.x * k;
        score[1] += a.y * k;
        score[2] += a.z * k;
        score[3] += a.w * k;
        score[4] += b.x * k;
        score[5] += b.y * k;
        score[6] += b.z * k;
        score[7] += b.w * k;
    }
}

/* DROP: with dropout. */
template <int DEEP, bool DROP>
static __global__ void attend_tiles(Attend a, const int64_t *starts, bool four)
{
    typedef Shape<DEEP> S;
    SHARED(float, shared);
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    AttendPlace p = place_of(a, starts, blockIdx.y, (int)blockIdx.z, (int)gridDim.z);
    int64_t first = (int64_t)blockIdx.x * S::BLOCK_QUERIES;
    if (first >= p.len)
        return; /* the whole block: the grid is as wide as the longest row asks for */
    float *key = shared + S::KEY, *value = shared + S::VALUE;
    float *query = shared + S::QUERY + warp * QUERIES * DEEP;
    float *weight = shared + S::WEIGHT + warp * QUERIES * KEYS;
    int64_t mine = first + warp * QUERIES;
    int64_t last = first + S::BLOCK_QUERIES < p.len ? first + S::BLOCK_QUERIES : p.len;
    int64_t keys = a.causal ? last : p.len;
    uint32_t least = drop_least(a.drop);
    Running run[QUERIES];
    float out[QUERIES][S::COLS];
    for (int q = 0; q < QUERIES; q++) {
        run[q].top = -FLT_MAX;
        run[q].sum = 0;
        for (int n = 0; n < S::COLS; n++)
            out[q][n] = 0;
    }
    load_queries<DEEP>(a, p, first, four, shared + S::QUERY);
    for (int64_t at = 0; at < keys; at += KEYS) {
        __syncthreads(); /* all are done with the keys before */
        load_keys<DEEP>(a, p, at, four, key, value);
        __syncthreads();
        float score[QUERIES], keep;
        scores<DEEP>(query, key + lane * S::ROW, score);
#pragma unroll
        for (int q = 0; q < QUERIES; q++) {
            bool seen = at + lane < p.len && (!a.causal || at + lane <= mine + q);
            if (a.bias)
                score[q] += distance_bias(a, (int)blockIdx.z, at + lane - (mine + q));
            float w = take_in(&run[q], score[q], seen, &keep);
            if (DROP && mine + q < p.len)
                w *= drop_factor(a, p, mine + q, at + lane, least);
            weight[lane * QUERIES + q] = w;
#pragma unroll
            for (int n = 0; n < S::COLS; n++)
                out[q][n] *= keep;
        }
        __syncwarp();
        take_values<S::COLS>(weight, value, out);
    }
    give_out<S::COLS>(a, p, mine, run, out);
}

/* A warp a query: its scores into probs, then their softmax in place. */
static __global__ void attend_probs(Attend a, const int64_t *starts)
{
    int lane = threadIdx.x;
    AttendPlace p = place_of(a, starts, blockIdx.y, (int)blockIdx.z, (int)gridDim.z);
    int64_t i = blockIdx.x, keys = a.causal ? i + 1 : p.len;
    if (i >= p.len)
        return;
    float *to = a.probs + a.probs_at[blockIdx.y] + ((int64_t)blockIdx.z * p.len + i) * p.len;
    float top = -FLT_MAX;
    for (int64_t k = lane; k < keys; k += WARP) {
        float score = 0;
        for (int64_t j = 0; j < a.size; j++)
            score += element(a.q, p, i, j) * a.scale * element(a.k, p, k, j);
        if (a.bias)
            score += distance_bias(a, (int)blockIdx.z, k - i);
        to[k] = score;
        top = fmaxf(top, score);
    }
    row_softmax(to, keys, p.len, top);
}

/* The grid's third side holds 65,535 at most, its second too: rows go in runs of so many. */
enum { RUN_ROWS = 32768 };

template <int DEEP, bool DROP>
static void start(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    typedef Shape<DEEP> S;
    size_t bytes = S::FLOATS * sizeof(float);
    void (*kernel)(Attend, const int64_t *, bool) = attend_tiles<DEEP, DROP>;
    bool four = a->size % 4 == 0 && cuda_by_four(a->q) && cuda_by_four(a->k) && cuda_by_four(a->v);
    if (cuda_fine(c) && bytes > 48 << 10)
        cuda_check(c,
                   cudaFuncSetAttribute((const void *)kernel,
                                        cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes),
                   "attend: shared memory");
    LAUNCH(c, (attend_tiles<DEEP, DROP>),
           dim3(cuda_blocks(longest, S::BLOCK_QUERIES), (unsigned)rows, (unsigned)a->batch->heads),
           S::WARPS * WARP, bytes, *a, starts, four);
}

template <bool DROP>
static void start_deep(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows,
                       int64_t longest)
{
    if (a->size <= 32)
        start<32, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 64)
        start<64, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 96)
        start<96, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 128)
        start<128, DROP>(c, a, starts, rows, longest);
    else if (a->size <= 256)
        start<256, DROP>(c, a, starts, rows, longest);
    else
        cuda_fail(c, "attend", "heads of more than 256 columns");
}

static void run_of_rows(Cuda *c, const Attend *a, int64_t lo, int64_t hi)
{
    const Batch *b = a->batch;
    Attend run = *a;
    int64_t longest = 0;
    for (int64_t i = lo; i < hi; i++) {
        int64_t len = b->host_starts[i + 1] - b->host_starts[i];
        longest = len > longest ? len : longest;
    }
    if (longest == 0)
        return;
    run.probs_at = a->probs_at ? a->probs_at + lo : NULL;
    const int64_t *starts = b->starts + lo;
    if (a->far) {
        cuda_attend_far(c, &run, starts, hi - lo, longest);
        return;
    }
    if (cuda_attend_mma(c, &run, starts, hi - lo))
        ;
    else if (a->drop > 0)
        start_deep<true>(c, &run, starts, hi - lo, longest);
    else
        start_deep<false>(c, &run, starts, hi - lo, longest);
    if (a->probs)
        LAUNCH(c, attend_probs, dim3((unsigned)longest, (unsigned)(hi - lo), (unsigned)b->heads),
               WARP, 0, run, starts);
}

void cuda_attend(Piece *p, const Attend *a)
{
    int64_t rows = a->batch->rows;
    for (int64_t lo = 0; lo < rows; lo += RUN_ROWS)
        run_of_rows(cuda_of(p->dev), a, lo, lo + RUN_ROWS < rows ? lo + RUN_ROWS : rows);
}
