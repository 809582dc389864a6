/* attend_far.cu - attention where queries and keys meet distances (attend.h's `far`), in f32, after
 * the pattern of attend.cu: a block takes 32 queries of one head through the keys, 32 at a time,
 * whose distances have 63 entries at most; these lie in shared memory with the keys. A warp
 * multiplies its eight queries, and eight of the keys, by all those entries; then each lane, which
 * is a key, picks the number of its distance. 12 len^2 size flops a head, of which an eighth of the
 * operands come from shared memory. */
#include "kernels/attend_running.h"

enum { EIGHT = 8, KEYS = WARP, WARPS = 4, QUERIES = WARPS * EIGHT, ENTRIES = 2 * WARP };

template <int DEEP> struct Shape {
    static const int ROW = DEEP + 1; /* lanes that walk down rows meet all banks */
    static const int COLS = DEEP / WARP;
    static const int MET = ENTRIES + 2; /* of what keys make: lanes go down and to the side */
    static const int QUERY = 0, KEY8 = QUERY + QUERIES * DEEP, VALUE = KEY8 + KEYS * DEEP,
                     WEIGHT = VALUE + KEYS * DEEP, KEY = WEIGHT + QUERIES * KEYS,
                     FAR_KEY = KEY + KEYS * ROW, FAR_QUERY = FAR_KEY + ENTRIES * ROW,
                     BY_QUERY = FAR_QUERY + ENTRIES * ROW, BY_KEY = BY_QUERY + QUERIES * ENTRIES,
                     ENTRY = BY_KEY + KEYS * MET, FLOATS = ENTRY + ENTRIES;
};

static __device__ inline int64_t entry_of(const AttendFar &f, int64_t distance)
{
    int64_t at = distance < -f.reach ? -f.reach : distance > f.reach ? f.reach : distance;
    return f.entry[at + f.reach];
}

/* 32 tokens from `first` on; eight side by side for each column, so that a lane reads them as two
 * vectors. */
template <int DEEP>
static __device__ inline void load_eights(View v, const AttendPlace &p, int64_t first, int size,
                                          float scale, bool four, float *to)
{
    for (int e = threadIdx.x; e < QUERIES * DEEP / 4; e += WARPS * WARP) {
        int t = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> w = elements(v, p, first + t, j, size, four);
        for (int k = 0; k < 4; k++)
            to[(t / EIGHT * DEEP + j + k) * EIGHT + t % EIGHT] = w.v[k] * scale;
    }
}

template <int DEEP>
static __device__ inline void load_rows(const Attend &a, const AttendPlace &p, int64_t first,
                                        bool four, float *key, float *value)
{
    for (int e = threadIdx.x; e < KEYS * DEEP / 4; e += WARPS * WARP) {
        int k = e / (DEEP / 4), j = e % (DEEP / 4) * 4;
        Wide<4> w = elements(a.k, p, first + k, j, a.size, four);
        for (int n = 0; n < 4; n++)
            key[k * Shape<DEEP>::ROW + j + n] = w.v[n];
        cuda_store<4>(value, K_F32, k * DEEP + j, elements(a.v, p, first + k, j, a.size, four));
    }
}

/* The entries [lo, lo + count), of this head. */
template <int DEEP>
static __device__ inline void load_far(View v, const AttendPlace &p, int64_t lo, int count,
                                       int size, float *to)
{
    for (int e = threadIdx.x; e < count * DEEP; e += WARPS * WARP) {
        int r = e / DEEP, j = e % DEEP;
        to[r * Shape<DEEP>::ROW + j] =
            j < size ? cuda_load<1>(cuda_row(v, lo + r), K_F32, p.col + j).v[0] : 0;
    }
}

/* out[n][i] = eight token n times row lane + 32 i. */
template <int DEEP, int N>
static __device__ inline void multiply(const float *eight, const float *row, float out[EIGHT][N])
{
    for (int n = 0; n < EIGHT; n++)
        for (int i = 0; i < N; i++)
            out[n][i] = 0;
#pragma unroll 4
    for (int j = 0; j < DEEP; j++) {
        float4 a = reinterpret_cast<const float4 *>(eight + j * EIGHT)[0];
        float4 b = reinterpret_cast<const float4 *>(eight + j * EIGHT)[1];
#pragma unroll
        for (int i = 0; i < N; i++) {
            float k = row[i * WARP * Shape<DEEP>::ROW + j];
            out[0][i] += a.x * k;
            out[1][i] += a.y * k;
            out[2][i] += a.z * k;
            out[3][i] += a.w * k;
            out[4][i] += b.x * k;
            out[5][i] += b.y * k;
            out[6][i] += b.z * k;
            out[7][i] += b.w * k;
        }
    }
}

/* Eight tokens times all entries, to eight rows of `wide`. */
template <int DEEP>
static __device__ inline void meet(const float *eight, const float *far, int wide, float *to)
{
    int lane = threadIdx.x % WARP;
    float out[EIGHT][2];
    multiply<DEEP, 2>(eight, far + lane * Shape<DEEP>::ROW, out);
#pragma unroll
    for (int n = 0; n < EIGHT; n++) {
        to[n * wide + lane] = out[n][0];
        to[n * wide + WARP + lane] = out[n][1];
    }
}

/* The keys from `at` on with all that their distances to the block's queries need. */
template <int DEEP>
static __device__ inline void load_keys(const Attend &a, const AttendFar &f, const AttendPlace &p,
                                        int64_t first, int64_t at, bool four, float *shared)
{
    typedef Shape<DEEP> S;
    int64_t least = first - at - (KEYS - 1), lo = entry_of(f, least);
    int count = (int)(entry_of(f, least + ENTRIES - 2) - lo) + 1;
    load_rows<DEEP>(a, p, at, four, shared + S::KEY, shared + S::VALUE);
    if (f.key.p)
        load_far<DEEP>(f.key, p, lo, count, a.size, shared + S::FAR_KEY);
    if (f.query.p) {
        load_eights<DEEP>(a.k, p, at, a.size, a.scale, four, shared + S::KEY8);
        load_far<DEEP>(f.query, p, lo, count, a.size, shared + S::FAR_QUERY);
    }
    if (threadIdx.x < ENTRIES)
        shared[S::ENTRY + threadIdx.x] = (float)(entry_of(f, least + threadIdx.x) - lo);
}

template <int DEEP>
static __global__ void attend_far_tiles(Attend a, AttendFar f, const int64_t *starts, bool four)
{
    typedef Shape<DEEP> S;
    SHARED(float, shared);
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP;
    AttendPlace p = place_of(a, starts, blockIdx.y, (int)blockIdx.z, (int)gridDim.z);
    int64_t first = (int64_t)blockIdx.x * QUERIES, mine = first + warp * EIGHT;
    if (first >= p.len)
        return; /* the whole block: the grid is as wide as the longest row asks for */
    float *value = shared + S::VALUE, *weight = shared + S::WEIGHT + warp * EIGHT * KEYS;
    const float *query = shared + S::QUERY + warp * EIGHT * DEEP;
    float *by_query = shared + S::BY_QUERY + warp * EIGHT * ENTRIES;
    int64_t last = first + QUERIES < p.len ? first + QUERIES : p.len;
    int64_t keys = a.causal ? last : p.len;
    uint32_t least = drop_least(a.drop);
    Running run[EIGHT];
    float out[EIGHT][S::COLS];
    for (int q = 0; q < EIGHT; q++) {
        run[q].top = -FLT_MAX;
        run[q].sum = 0;
        for (int n = 0; n < S::COLS; n++)
            out[q][n] = 0;
    }
    load_eights<DEEP>(a.q, p, first, a.size, a.scale, four, shared + S::QUERY);
    for (int64_t at = 0; at < keys; at += KEYS) {
        __syncthreads(); /* all are done with the keys before */
        load_keys<DEEP>(a, f, p, first, at, four, shared);
        __syncthreads();
        float score[EIGHT][1], keep;
        multiply<DEEP, 1>(query, shared + S::KEY + lane * S::ROW, score);
        if (f.key.p)
            meet<DEEP>(query, shared + S::FAR_KEY, ENTRIES, by_query);
        if (f.query.p)
            meet<DEEP>(shared + S::KEY8 + warp * EIGHT * DEEP, shared + S::FAR_QUERY, S::MET,
                       shared + S::BY_KEY + warp * EIGHT * S::MET);
        __syncthreads();
#pragma unroll
        for (int q = 0; q < EIGHT; q++) {
            /* Counted from the least distance, that of the first query and the last key. */
            int e = (int)shared[S::ENTRY + warp * EIGHT + q + KEYS - 1 - lane];
            bool seen = at + lane < p.len && (!a.causal || at + lane <= mine + q);
            if (f.key.p)
                score[q][0] += by_query[q * ENTRIES + e];
            if (f.query.p)
                score[q][0] += shared[S::BY_KEY + lane * S::MET + e];
            if (a.bias)
                score[q][0] += distance_bias(a, (int)blockIdx.z, at + lane - (mine + q));
            float w = take_in(&run[q], score[q][0], seen, &keep);
            if (mine + q < p.len)
                w *= drop_factor(a, p, mine + q, at + lane, least);
            weight[lane * EIGHT + q] = w;
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
static __global__ void attend_far_probs(Attend a, AttendFar f, const int64_t *starts)
{
    int lane = threadIdx.x;
    AttendPlace p = place_of(a, starts, blockIdx.y, (int)blockIdx.z, (int)gridDim.z);
    int64_t i = blockIdx.x, keys = a.causal ? i + 1 : p.len;
    if (i >= p.len)
        return;
    float *to = a.probs + a.probs_at[blockIdx.y] + ((int64_t)blockIdx.z * p.len + i) * p.len;
    float top = -FLT_MAX;
    for (int64_t k = lane; k < keys; k += WARP) {
        int64_t e = entry_of(f, i - k);
        float score = 0;
        for (int64_t j = 0; j < a.size; j++) {
            float qi = element(a.q, p, i, j) * a.scale, kj = element(a.k, p, k, j);
            score += qi * kj;
            if (f.key.p)
                score += qi * cuda_load<1>(cuda_row(f.key, e), K_F32, p.col + j).v[0];
            if (f.query.p)
                score += kj * a.scale * cuda_load<1>(cuda_row(f.query, e), K_F32, p.col + j).v[0];
        }
        if (a.bias)
            score += distance_bias(a, (int)blockIdx.z, k - i);
        to[k] = score;
        top = fmaxf(top, score);
    }
    row_softmax(to, keys, p.len, top);
}

template <int DEEP>
static void start(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    size_t bytes = Shape<DEEP>::FLOATS * sizeof(float);
    void (*kernel)(Attend, AttendFar, const int64_t *, bool) = attend_far_tiles<DEEP>;
    bool four = a->size % 4 == 0 && cuda_by_four(a->q) && cuda_by_four(a->k) && cuda_by_four(a->v);
    if (cuda_fine(c))
        cuda_check(c,
                   cudaFuncSetAttribute((const void *)kernel,
                                        cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes),
                   "attend: shared memory");
    LAUNCH(c, (attend_far_tiles<DEEP>),
           dim3(cuda_blocks(longest, QUERIES), (unsigned)rows, (unsigned)a->batch->heads),
           WARPS * WARP, bytes, *a, *a->far, starts, four);
}

void cuda_attend_far(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    if (a->size <= 32)
        start<32>(c, a, starts, rows, longest);
    else if (a->size <= 64)
        start<64>(c, a, starts, rows, longest);
    else if (a->size <= 96)
        start<96>(c, a, starts, rows, longest);
    else if (a->size <= 128)
        start<128>(c, a, starts, rows, longest);
    else
        cuda_fail(c, "attend", "heads of more than 128 columns that meet distances");
    if (a->probs)
        LAUNCH(c, attend_far_probs,
               dim3((unsigned)longest, (unsigned)rows, (unsigned)a->batch->heads), WARP, 0, *a,
               *a->far, starts);
}
