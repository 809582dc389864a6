/* attend_mma.cu - attention of bf16 or f16 by tensor cores, after FlashAttention-2 (Dao 2023). A
 * warp takes 16 or 32 queries of one head through the keys, 32 (or 16) at a time, and needs neither
 * shared memory nor its neighbours: a product's fragments are read from where q, k and v lie, 16
 * bytes a lane. That is possible as a product may number what it sums over as it likes, if both
 * operands do so alike, and its columns too:
 *     q k':  lane % 4 = i has the columns 8 i to 8 i + 7 of 32, which are two steps' fragments
 *     w v:   columns that lie side by side are one lane's, in fragments side by side (column_of)
 * Scores and weights stay in registers: what the first product gives as its result is, packed, what
 * the second one reads. Largest scores and sums are f32; weights are rounded to the type of v.
 *
 * Warps number what there is to do without knowing the rows' lengths: row r of `starts` has the
 * places from starts[r] / queries + r on, of which it needs all or all but one. So a short row
 * costs what it asks for, whatever goes with it. A block's warps are neighbours of one head, which
 * find each other's keys in the L1 cache; heads are neighbouring blocks.
 *
 * DEEP is the head's size rounded up to 32, 64, 96 or 128. 4 len^2 size flops a head on tensor
 * cores and len^2 exponentials; reads q once, k and v once for each 16 or 32 queries (of memory or
 * L2 once for each 64 or 128), writes y once. */
#include "kernels/attend_in.h"
#include "kernels/cuda_fast.h"
#include "kernels/mma.h"

#include <cfloat>

enum { WARPS = 4, STRIP = 16 /* queries of a product */, LANES = 4 /* a row's */ };
enum { SHORT = 128 /* tokens: rows that go by single strips */ };

template <int DEEP> struct Tile {
    static const int KEYS = DEEP > 64 ? 16 : 32; /* at a time */
    static const int PIECES = DEEP / 32, COLS = DEEP / 8;
    static const int WORDS = DEEP % 64 ? 2 : 4; /* registers that a lane reads of a value at once */
};

/* That so many blocks run on a multiprocessor at a time, registers are kept few. */
template <int DEEP, int STRIPS> static constexpr int blocks_of()
{
    return STRIPS == 2 ? (DEEP > 32 ? 2 : 3) : DEEP > 64 ? 2 : DEEP > 32 ? 4 : 5;
}

/* A row's and head's part of q, k or v. */
typedef struct Part {
    const char *p;
    int step; /* bytes from token to token */
    int len, size;
} Part;

static __device__ inline Part part_of(View v, const AttendPlace &p, int size)
{
    Part part = {cuda_row(v, p.from) + p.col * 2, (int)v.stride * 2, (int)p.len, size};
    return part;
}

/* From column j on of a token; of the last token and the first column where there is no such. */
static __device__ inline const char *part_at(const Part &v, int token, int j)
{
    return v.p + (int64_t)(token < v.len ? token : v.len - 1) * v.step + (j < v.size ? j : 0) * 2;
}

/* Sixteen queries from token `first` on; 0 beyond the head's end. */
template <int DEEP>
static __device__ inline void load_queries(const Part &q, int first, uint32_t query[][4])
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int d = 0; d < DEEP / 32; d++) {
        int j = d * 32 + lane % LANES * 8;
        uint4 u = make_uint4(0, 0, 0, 0), w = u;
        if (j < q.size) {
            u = *reinterpret_cast<const uint4 *>(part_at(q, first + lane / LANES, j));
            w = *reinterpret_cast<const uint4 *>(part_at(q, first + lane / LANES + 8, j));
        }
        uint32_t *even = query[2 * d], *odd = query[2 * d + 1];
        even[0] = u.x, even[1] = w.x, even[2] = u.y, even[3] = w.y;
        odd[0] = u.z, odd[1] = w.z, odd[2] = u.w, odd[3] = w.w;
    }
}

/* Keys from token `at` on. */
template <int DEEP>
static __device__ inline void load_keys(const Part &k, int at, uint4 key[][DEEP / 32])
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int t = 0; t < Tile<DEEP>::KEYS / 8; t++)
#pragma unroll
        for (int d = 0; d < DEEP / 32; d++)
            key[t][d] = *reinterpret_cast<const uint4 *>(
                part_at(k, at + t * 8 + lane / LANES, d * 32 + lane % LANES * 8));
}

/* Where the columns begin that lie in column n of as many fragments as a lane has columns there, n
 * being counted from the fragments' first one. Of 64 columns the even n are the first half: then
 * what four lanes have of a result to write lies side by side. */
template <int DEEP> static __device__ inline int column_of(int n)
{
    return Tile<DEEP>::WORDS == 4 ? (n / 2 + n % 2 * 4) * 8 : n * 4;
}

/* Values from token `at` on: of each sixteen the four that a lane needs. */
template <int DEEP>
static __device__ inline void load_values(const Part &v, int at, uint32_t value[][4][DEEP / 16])
{
    const int WORDS = Tile<DEEP>::WORDS;
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int t = 0; t < Tile<DEEP>::KEYS / 16; t++)
#pragma unroll
        for (int r = 0; r < 4; r++)
#pragma unroll
            for (int w = 0; w < DEEP / 16; w += WORDS) {
                const char *from = part_at(v, at + t * 16 + lane % LANES * 2 + r % 2 + r / 2 * 8,
                                           w * 16 + column_of<DEEP>(lane / LANES));
                uint32_t *to = value[t][r] + w;
                if constexpr (WORDS == 4) {
                    uint4 u = *reinterpret_cast<const uint4 *>(from);
                    to[0] = u.x, to[1] = u.y, to[2] = u.z, to[3] = u.w;
                } else {
                    uint2 u = *reinterpret_cast<const uint2 *>(from);
                    to[0] = u.x, to[1] = u.y;
                }
            }
}

/* score[t] = the queries times keys [8 t, 8 t + 8), of the first n. */
template <int DEEP, KType T>
static __device__ inline void multiply_keys(const uint32_t query[][4], const uint4 key[][DEEP / 32],
                                            int n, float score[][4])
{
#pragma unroll
    for (int t = 0; t < Tile<DEEP>::KEYS / 8; t++) {
        for (int i = 0; i < 4; i++)
            score[t][i] = 0;
        if (t / 2 * 16 >= n)
            continue;
#pragma unroll
        for (int d = 0; d < DEEP / 32; d++) {
            uint32_t even[2] = {key[t][d].x, key[t][d].y}, odd[2] = {key[t][d].z, key[t][d].w};
            mma<T>(score[t], query[2 * d], even);
            mma<T>(score[t], query[2 * d + 1], odd);
        }
    }
}

/* out += weights (as scores lie) times the first n values. */
template <int DEEP, KType T, int STRIPS>
static __device__ inline void multiply_values(const float weight[STRIPS][Tile<DEEP>::KEYS / 8][4],
                                              const uint32_t value[][4][DEEP / 16], int n,
                                              float out[STRIPS][DEEP / 8][4])
{
#pragma unroll
    for (int t = 0; t < Tile<DEEP>::KEYS / 16; t++) {
        if (t * 16 >= n)
            continue;
        uint32_t a[STRIPS][4];
#pragma unroll
        for (int s = 0; s < STRIPS; s++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const float *w = weight[s][2 * t + i / 2] + i % 2 * 2;
                a[s][i] = mma_pair<T>(w[0], w[1]);
            }
#pragma unroll
        for (int c = 0; c < DEEP / 8; c++) {
            const unsigned half = c % 2 ? 0x7632 : 0x5410; /* of two registers, as one */
            uint32_t b[2] = {__byte_perm(value[t][0][c / 2], value[t][1][c / 2], half),
                             __byte_perm(value[t][2][c / 2], value[t][3][c / 2], half)};
#pragma unroll
            for (int s = 0; s < STRIPS; s++)
                mma<T>(out[s][c], a[s], b);
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

/* Scores of queries from `query` on and keys from `at` on, counted within the row: as powers of 2,
 * with what the distance adds. */
template <int TILES>
static __device__ inline void bias_scores(const Attend &a, int head, int query, int at, float scale,
                                          float score[TILES][4])
{
    int lane = threadIdx.x % WARP, reach = (int)a.reach;
    int far = at + lane % LANES * 2 - (query + lane / LANES);
    const float *bias = a.bias ? a.bias + head * (2 * a.reach + 1) + reach : NULL;
#pragma unroll
    for (int t = 0; t < TILES; t++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int to = far + t * 8 + i % 2 - i / 2 * 8;
            score[t][i] *= scale;
            if (bias)
                score[t][i] += bias[to < -reach ? -reach : to > reach ? reach : to] * LOG2E;
        }
}

/* -infinity where a query does not see the key. */
template <int TILES>
static __device__ inline void mask_scores(bool causal, int len, int query, int at,
                                          float score[TILES][4])
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        int from = query + lane / LANES + r * 8, seen = causal && from < len ? from + 1 : len;
        seen -= at + lane % LANES * 2; /* so many keys, from the lane's first one on */
#pragma unroll
        for (int t = 0; t < TILES; t++)
#pragma unroll
            for (int i = 0; i < 2; i++)
                if (t * 8 + i >= seen)
                    score[t][2 * r + i] = -INFINITY;
    }
}

/* Scores times `scale`, in powers of 2, become weights; keep[r] is what row r's sums so far are to
 * be multiplied by. scale > 0. */
template <int TILES>
static __device__ inline void soften(float scale, float score[TILES][4], Running *run,
                                     float keep[2])
{
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float top = fmaxf(score[0][2 * r], score[0][2 * r + 1]), sum = 0;
#pragma unroll
        for (int t = 1; t < TILES; t++)
            top = fmaxf(top, fmaxf(score[t][2 * r], score[t][2 * r + 1]));
        top = fmaxf(run->top[r], row_max(top) * scale);
        keep[r] = fast_exp2(run->top[r] - top);
        run->top[r] = top;
#pragma unroll
        for (int t = 0; t < TILES; t++)
#pragma unroll
            for (int i = 2 * r; i < 2 * r + 2; i++) {
                score[t][i] = fast_exp2(score[t][i] * scale - top);
                sum += score[t][i];
            }
        run->sum[r] = run->sum[r] * keep[r] + sum;
    }
}

/* Weights that dropout does not keep become 0; the others are divided in store_rows. */
template <int TILES>
static __device__ inline void drop_weights(uint32_t kept, float weight[TILES][4])
{
#pragma unroll
    for (int t = 0; t < TILES; t++)
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (!(kept >> (t / 2 * 8 + i / 2 * 4 + t % 2 * 2 + i % 2) & 1))
                weight[t][i] = 0;
}

/* A lane's eight columns of row r of the fragments from c on: of those that lie in 64 columns, the
 * half h. */
template <int DEEP, KType T>
static __device__ inline uint4 eight_of(const float out[][4], int c, int r, int h, float times)
{
    uint32_t u[4];
#pragma unroll
    for (int k = 0; k < 4; k++)
        if constexpr (Tile<DEEP>::WORDS == 4)
            u[k] = mma_pair<T>(out[c + 2 * k][2 * r + h] * times,
                               out[c + 2 * k + 1][2 * r + h] * times);
        else
            u[k] = mma_pair<T>(out[c + k % 2 * 2][2 * r + k / 2] * times,
                               out[c + k % 2 * 2 + 1][2 * r + k / 2] * times);
    return make_uint4(u[0], u[1], u[2], u[3]);
}

template <int DEEP, KType T>
static __device__ inline void store_rows(const Attend &a, const AttendPlace &p, int query,
                                         const float out[][4], const Running *run)
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int r = 0; r < 2; r++) {
        int64_t token = query + lane / LANES + r * 8;
        float sum = row_sum(run->sum[r]), inverse = fast_inverse(sum * (1 - a.drop));
        if (token >= p.len)
            continue;
        if (a.lse && lane % LANES == 0)
            a.lse[place_at(p, token)] = (run->top[r] + log2f(sum)) * 0.6931471805599453f;
        char *to = cuda_row(a.y, p.from + token) + p.col * 2;
#pragma unroll
        for (int d = 0; d < DEEP / 32; d++) {
            int j = d * 32 + lane % LANES * 8;
            const int c = Tile<DEEP>::WORDS == 4 ? d / 2 * 8 : d * 4;
            if (j < a.size)
                *reinterpret_cast<uint4 *>(to + j * 2) =
                    eight_of<DEEP, T>(out, c, r, d % 2, inverse);
        }
    }
}

/* The first place of a row of `starts`, of so many queries each. */
static __device__ inline int place_before(const int64_t *starts, int row, int queries)
{
    return (int)((uint32_t)(starts[row] - starts[0]) / (uint32_t)queries) + row;
}

/* Whose place that is, by all lanes together: each looks at one of 32 rows in what is left. */
static __device__ inline int row_of_place(const int64_t *starts, int rows, int place, int queries)
{
    int first = 0;
    while (rows > 1) {
        int step = (rows + WARP - 1) / WARP, at = threadIdx.x % WARP * step;
        int here = at < rows && place_before(starts, first + at, queries) <= place;
        int skip = (warp_sum(here) - 1) * step;
        first += skip;
        rows = step < rows - skip ? step : rows - skip;
    }
    return first;
}

/* Rows of more than `more` and at most `most` tokens, STRIPS sixteens of queries a warp. DROP: with
 * dropout. */
template <int DEEP, KType T, bool DROP, int STRIPS>
static __global__ void __launch_bounds__(WARPS *WARP, (blocks_of<DEEP, STRIPS>()))
    attend_mma(Attend a, const int64_t *starts, int rows, int heads, int more, int most)
{
    const int KEYS = Tile<DEEP>::KEYS, QUERIES = STRIPS * STRIP;
    const bool AHEAD = STRIPS > 1;
    int place = (int)(blockIdx.x / heads * WARPS + threadIdx.x / WARP);
    int row = row_of_place(starts, rows, place, QUERIES);
    AttendPlace p = place_of(a, starts, row, (int)(blockIdx.x % heads), heads);
    int mine = (place - place_before(starts, row, QUERIES)) * QUERIES, len = (int)p.len;
    if (len <= more || len > most || mine >= len)
        return; /* the whole warp */
    int keys = a.causal && mine + QUERIES < len ? mine + QUERIES : len;
    Part k = part_of(a.k, p, a.size), v = part_of(a.v, p, a.size);
    float scale = a.scale * LOG2E;
    uint32_t query[STRIPS][DEEP / 16][4], kept[STRIPS] = {};
    uint32_t value[KEYS / 16][4][DEEP / 16];
    uint4 key[KEYS / 8][DEEP / 32];
    float out[STRIPS][DEEP / 8][4] = {}, score[STRIPS][KEYS / 8][4];
    Running run[STRIPS];
    uint64_t number[STRIPS][2];
#pragma unroll
    for (int s = 0; s < STRIPS; s++) {
        load_queries<DEEP>(part_of(a.q, p, a.size), mine + s * STRIP, query[s]);
        run[s] = {{-FLT_MAX, -FLT_MAX}, {0, 0}};
        if (DROP)
            drop_numbers(a, p, mine + s * STRIP, number[s]);
    }
    for (int at = 0; at < keys; at += KEYS) {
        bool all = at + KEYS <= len && !(a.causal && at + KEYS > mine);
        if (!AHEAD || at == 0)
            load_keys<DEEP>(k, at, key);
#pragma unroll
        for (int s = 0; DROP && s < STRIPS; s++)
            if (at % DROP_SPAN == 0)
                kept[s] = drop_fragments(a, p, number[s], at / DROP_SPAN, drop_least(a.drop));
        if (!AHEAD || at == 0)
            load_values<DEEP>(v, at, value);
#pragma unroll
        for (int s = 0; s < STRIPS; s++)
            multiply_keys<DEEP, T>(query[s], key, keys - at, score[s]);
        if (AHEAD && at + KEYS < keys)
            load_keys<DEEP>(k, at + KEYS, key); /* while softmax and values are at work */
#pragma unroll
        for (int s = 0; s < STRIPS; s++) {
            float keep[2], times = scale;
            if (a.bias || scale <= 0) {
                bias_scores<KEYS / 8>(a, p.head, mine + s * STRIP, at, scale, score[s]);
                times = 1;
            }
            if (!all)
                mask_scores<KEYS / 8>(a.causal, len, mine + s * STRIP, at, score[s]);
            soften<KEYS / 8>(times, score[s], &run[s], keep);
#pragma unroll
            for (int c = 0; c < DEEP / 8; c++)
                for (int i = 0; i < 4; i++)
                    out[s][c][i] *= keep[i / 2];
            if (DROP)
                drop_weights<KEYS / 8>(kept[s] >> at / 16 % DROP_WORDS * 8, score[s]);
        }
        multiply_values<DEEP, T, STRIPS>(score, value, keys - at, out);
        if (AHEAD && at + KEYS < keys)
            load_values<DEEP>(v, at + KEYS, value);
    }
#pragma unroll
    for (int s = 0; s < STRIPS; s++)
        store_rows<DEEP, T>(a, p, mine + s * STRIP, out[s], &run[s]);
}

/* Rows of starts, `tokens` in all. */
typedef struct Run {
    const int64_t *starts;
    int64_t rows, tokens;
    bool shorter, longer; /* are there rows of up to SHORT tokens, and of more? */
} Run;

template <int DEEP, KType T, bool DROP> static void start(Cuda *c, const Attend *a, const Run *r)
{
    const int STRIPS = DEEP > 64 ? 1 : 2; /* of long rows: what registers hold */
    int heads = a->batch->heads;
    int64_t places = r->tokens / STRIP + r->rows, far = r->tokens / (STRIPS * STRIP) + r->rows;
    if (r->shorter)
        LAUNCH(c, (attend_mma<DEEP, T, DROP, 1>), cuda_blocks(places, WARPS) * (unsigned)heads,
               WARPS * WARP, 0, *a, r->starts, (int)r->rows, heads, 0, SHORT);
    if (r->longer)
        LAUNCH(c, (attend_mma<DEEP, T, DROP, STRIPS>), cuda_blocks(far, WARPS) * (unsigned)heads,
               WARPS * WARP, 0, *a, r->starts, (int)r->rows, heads, SHORT, INT32_MAX);
}

template <KType T, bool DROP> static void start_deep(Cuda *c, const Attend *a, const Run *r)
{
    if (a->size <= 32)
        start<32, T, DROP>(c, a, r);
    else if (a->size <= 64)
        start<64, T, DROP>(c, a, r);
    else if (a->size <= 96)
        start<96, T, DROP>(c, a, r);
    else
        start<128, T, DROP>(c, a, r);
}

static Run run_of(const Attend *a, const int64_t *starts, int64_t rows)
{
    const int64_t *host = a->batch->host_starts + (starts - a->batch->starts);
    Run r = {starts, rows, host[rows] - host[0], false, false};
    for (int64_t i = 0; i < rows; i++) {
        int64_t len = host[i + 1] - host[i];
        r.shorter |= len > 0 && len <= SHORT;
        r.longer |= len > SHORT;
    }
    return r;
}

bool cuda_attend_mma(Cuda *c, const Attend *a, const int64_t *starts, int64_t rows)
{
    KType t = a->q.type;
    if (!c->mma || t == K_F32 || a->k.type != t || a->v.type != t || a->y.type != t ||
        a->size > 128 || a->size % 8 || !by_eight(a->q) || !by_eight(a->k) || !by_eight(a->v) ||
        !by_eight(a->y))
        return false;
    Run r = run_of(a, starts, rows);
    if (t == K_F16 && a->drop > 0)
        start_deep<K_F16, true>(c, a, &r);
    else if (t == K_F16)
        start_deep<K_F16, false>(c, a, &r);
    else if (a->drop > 0)
        start_deep<K_BF16, true>(c, a, &r);
    else
        start_deep<K_BF16, false>(c, a, &r);
    return true;
}
