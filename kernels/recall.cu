/* recall.cu - a block takes some queries of one head of a row through the row's keys. Its warps
 * share the keys, 16 at a time in turn: for the scores two lanes are a key, each with every other
 * four of its columns, for the values a lane is every 32nd column. Each warp has a running softmax
 * of its own, as attend.cu has; in the end they are put together in the warps' order. A key's warp
 * and turn are those of its place in the row.
 *
 * COLS columns of 32 lanes hold a head. Keys and values are read once for each block's queries. Few
 * blocks are at work where rows are few, so time is waiting for memory: as much as registers hold
 * is asked for before any of it is needed. Where a sum could be rounded in more than one way fmaf
 * says in which, so that blocks of one query and of several round alike. */
#include "kernels/cuda.h"

#include <cfloat>

/* The grid's third side holds 65,535 at most, its second too: rows go in runs of so many. */
enum { WARPS = 8, KEYS = WARP / 2, THREADS = WARPS * WARP, SEVERAL = 4, RUN_ROWS = 32768 };

/* A head of a row: its first token and how many there are, its keys' slots, its first column, and
 * that of the head that it looks at. */
typedef struct RecallPlace {
    int64_t from, n, len, col, kept;
    const int32_t *slot;
} RecallPlace;

static __device__ inline RecallPlace recall_place(const Recall &a, const int64_t *starts,
                                                  int64_t row, int head)
{
    RecallPlace p = {starts[row],
                     starts[row + 1] - starts[row],
                     a.at[row + 1] - a.at[row],
                     (int64_t)head * a.size,
                     head / (a.q.cols / a.keys.cols) * a.size,
                     a.slot + a.at[row]};
    return p;
}

/* How many keys the row's token t sees. */
static __device__ inline int64_t seen_by(const Recall &a, const RecallPlace &p, int64_t t)
{
    if (t >= p.n)
        return 0;
    return a.causal ? p.len - p.n + t + 1 : p.len;
}

/* A thread a column of a new token: its key and value go into the store, where blocks of several
 * look for them. */
static __global__ void recall_keep(Recall a, const int64_t *starts)
{
    int64_t row = blockIdx.y, cols = a.keys.cols;
    int64_t e = (int64_t)blockIdx.x * THREADS + threadIdx.x, t = e / cols, c = e % cols;
    RecallPlace p = recall_place(a, starts, row, 0);
    if (t >= p.n)
        return;
    int64_t slot = p.slot[p.len - p.n + t];
    cuda_store<1>(cuda_row(a.keys, slot), a.keys.type, c,
                  cuda_load<1>(cuda_row(a.k, p.from + t), a.k.type, c));
    cuda_store<1>(cuda_row(a.values, slot), a.values.type, c,
                  cuda_load<1>(cuda_row(a.v, p.from + t), a.v.type, c));
}

/* The score of each query by its lanes' key: q times that key, column after column, of the columns
 * that are the lane's; and those of the two lanes together. They come in fours (W) or by ones. */
template <int Q, int COLS, int W>
static __device__ inline void recall_scores(const Recall &a, KType type, const float *query,
                                            const char *key, int64_t col, float score[Q])
{
    const int DEEP = COLS * WARP, STEP = 2 * W, RUN = W == 1 ? 4 : 8;
    int first = (int)(threadIdx.x % WARP / KEYS) * W;
#pragma unroll
    for (int q = 0; q < Q; q++)
        score[q] = 0;
    for (int j = first; j < a.size; j += RUN * STEP) {
        Wide<W> k[RUN];
#pragma unroll
        for (int u = 0; u < RUN; u++)
            if (j + u * STEP < a.size)
                k[u] = cuda_load<W>(key, type, col + j + u * STEP);
#pragma unroll
        for (int u = 0; u < RUN; u++)
            if (j + u * STEP < a.size)
#pragma unroll
                for (int n = 0; n < W; n++)
#pragma unroll
                    for (int q = 0; q < Q; q++)
                        score[q] = fmaf(query[q * DEEP + j + u * STEP + n], k[u].v[n], score[q]);
    }
#pragma unroll
    for (int q = 0; q < Q; q++)
        score[q] += __shfl_xor_sync(0xffffffffu, score[q], KEYS);
}

/* The values of keys [from, from + RUN) of the warp's, of which there are `keys`, a lane its
 * columns. */
template <int RUN, int COLS>
static __device__ inline void recall_values(const Recall &a, KType type, int slot, int from,
                                            int keys, int64_t col, float v[RUN][COLS])
{
    int lane = threadIdx.x % WARP;
#pragma unroll
    for (int k = 0; k < RUN; k++) {
        const char *value = cuda_row(a.values, __shfl_sync(0xffffffffu, slot, from + k));
#pragma unroll
        for (int n = 0; n < COLS; n++)
            v[k][n] = from + k < keys && n * WARP + lane < a.size
                          ? cuda_load<1>(value, type, col + n * WARP + lane).v[0]
                          : 0;
    }
}

/* The warps' parts of a query together: a thread a column of one. */
template <int Q, int COLS>
static __device__ inline void recall_together(const Recall &a, const RecallPlace &p, int64_t first,
                                              const float *part, const float *tops,
                                              const float *sums)
{
    int deep = COLS * WARP;
    for (int e = threadIdx.x; e < Q * deep; e += THREADS) {
        int q = e / deep, j = e % deep;
        float top = -FLT_MAX, sum = 0, out = 0;
        for (int w = 0; w < WARPS; w++)
            top = fmaxf(top, tops[w * Q + q]);
        for (int w = 0; w < WARPS; w++) {
            float share = expf(tops[w * Q + q] - top);
            sum = fmaf(sums[w * Q + q], share, sum);
            out = fmaf(part[(w * Q + q) * deep + j], share, out);
        }
        Wide<1> y = {{sum > 0 ? out / sum : 0}};
        if (first + q < p.n && j < a.size)
            cuda_store<1>(cuda_row(a.y, p.from + first + q), a.y.type, p.col + j, y);
    }
}

/* A thread a column of the row's one new token: its key and value in this head go into the store,
 * where the block alone looks for them. */
static __device__ inline void recall_put(const Recall &a, const RecallPlace &p)
{
    int64_t slot = p.slot[p.len - 1];
    for (int e = THREADS - 1 - threadIdx.x; e < 2 * a.size; e += THREADS) { /* the first have q */
        bool key = e < a.size;
        int64_t c = p.col + (key ? e : e - a.size);
        View from = key ? a.k : a.v, to = key ? a.keys : a.values;
        cuda_store<1>(cuda_row(to, slot), to.type, c,
                      cuda_load<1>(cuda_row(from, p.from), from.type, c));
    }
}

/* Q queries of a block. PLAIN: what is kept is f32, and heads come in fours. */
template <int Q, int COLS, bool PLAIN>
static __global__ void recall_some(Recall a, const int64_t *starts, bool four)
{
    const int DEEP = COLS * WARP, RUN = COLS > 2 ? 4 : Q > 1 ? 8 : KEYS;
    SHARED(float, shared);
    float *query = shared, *part = query + Q * DEEP, *tops = part + WARPS * Q * DEEP;
    float *sums = tops + WARPS * Q;
    int warp = threadIdx.x / WARP, lane = threadIdx.x % WARP, head = (int)blockIdx.z;
    KType type = PLAIN ? K_F32 : a.keys.type;
    RecallPlace p = recall_place(a, starts, blockIdx.y, head);
    int64_t first = (int64_t)blockIdx.x * Q, seen[Q], most = 0;
    if (first >= p.n)
        return; /* the whole block: the grid is as wide as the row with most tokens asks for */
    int64_t at = (int64_t)warp * KEYS;
    int mine = lane % KEYS, slot = at + mine < p.len ? p.slot[at + mine] : 0;
    if (Q == 1 && a.k.p)
        recall_put(a, p);
    float top[Q], sum[Q], out[Q][COLS];
#pragma unroll
    for (int q = 0; q < Q; q++) {
        seen[q] = seen_by(a, p, first + q);
        most = seen[q] > most ? seen[q] : most;
        top[q] = -FLT_MAX;
        sum[q] = 0;
#pragma unroll
        for (int n = 0; n < COLS; n++)
            out[q][n] = 0;
    }
    for (int e = threadIdx.x; e < Q * a.size; e += THREADS) {
        int q = e / a.size, j = e % a.size;
        if (first + q < p.n)
            query[q * DEEP + j] =
                cuda_load<1>(cuda_row(a.q, p.from + first + q), a.q.type, p.col + j).v[0] * a.scale;
        else
            query[q * DEEP + j] = 0;
    }
    __syncthreads();
    for (; at < most; at += WARPS * KEYS) {
        int keys = most - at < KEYS ? (int)(most - at) : KEYS;
        int64_t next = at + WARPS * KEYS + mine;
        int next_slot = next < most ? p.slot[next] : 0;
        float weight[Q], v[RUN][COLS];
        recall_values<RUN, COLS>(a, type, slot, 0, keys, p.kept, v);
        if (PLAIN || four)
            recall_scores<Q, COLS, 4>(a, type, query, cuda_row(a.keys, slot), p.kept, weight);
        else
            recall_scores<Q, COLS, 1>(a, type, query, cuda_row(a.keys, slot), p.kept, weight);
#pragma unroll
        for (int q = 0; q < Q; q++) {
            bool sees = at + mine < seen[q];
            if (a.bias) {
                int64_t far = at + mine - (p.len - p.n + first + q);
                far = far < -a.reach ? -a.reach : far > a.reach ? a.reach : far;
                weight[q] += a.bias[head * (2 * a.reach + 1) + a.reach + far];
            }
            float now = fmaxf(top[q], warp_max(sees ? weight[q] : -FLT_MAX));
            float keep = expf(top[q] - now);
            weight[q] = sees ? expf(weight[q] - now) : 0;
            top[q] = now;
            sum[q] = fmaf(sum[q], keep, warp_sum(lane < KEYS ? weight[q] : 0));
#pragma unroll
            for (int n = 0; n < COLS; n++)
                out[q][n] *= keep;
        }
        for (int from = 0; from < keys; from += RUN) {
            if (from)
                recall_values<RUN, COLS>(a, type, slot, from, keys, p.kept, v);
#pragma unroll
            for (int k = 0; k < RUN; k++)
#pragma unroll
                for (int q = 0; q < Q; q++) {
                    float w = __shfl_sync(0xffffffffu, weight[q], from + k);
                    if (at + from + k < seen[q]) { /* the warp as one */
#pragma unroll
                        for (int n = 0; n < COLS; n++)
                            out[q][n] = fmaf(w, v[k][n], out[q][n]);
                    }
                }
        }
        slot = next_slot;
    }
#pragma unroll
    for (int q = 0; q < Q; q++) {
#pragma unroll
        for (int n = 0; n < COLS; n++)
            part[(warp * Q + q) * DEEP + n * WARP + lane] = out[q][n];
        if (lane == 0) {
            tops[warp * Q + q] = top[q];
            sums[warp * Q + q] = sum[q];
        }
    }
    __syncthreads();
    recall_together<Q, COLS>(a, p, first, part, tops, sums);
}

template <int Q, int COLS>
static void start(Cuda *c, const Recall *a, const int64_t *starts, int64_t rows, int64_t longest)
{
    size_t floats = Q * COLS * WARP * (1 + WARPS) + 2 * WARPS * Q;
    bool four = a->size % 4 == 0 && cuda_by_four(a->keys);
    dim3 grid(cuda_blocks(longest, Q), (unsigned)rows, (unsigned)a->batch->heads);
    if (four && a->keys.type == K_F32)
        LAUNCH(c, (recall_some<Q, COLS, true>), grid, THREADS, floats * sizeof(float), *a, starts,
               four);
    else
        LAUNCH(c, (recall_some<Q, COLS, false>), grid, THREADS, floats * sizeof(float), *a, starts,
               four);
}

template <int Q>
static void start_cols(Cuda *c, const Recall *a, const int64_t *starts, int64_t rows,
                       int64_t longest)
{
    if (a->size <= 64)
        start<Q, 2>(c, a, starts, rows, longest);
    else if (a->size <= 128)
        start<Q, 4>(c, a, starts, rows, longest);
    else if (a->size <= 256)
        start<Q, 8>(c, a, starts, rows, longest);
    else
        cuda_fail(c, "recall", "heads of more than 256 columns");
}

static void run_of_rows(Cuda *c, const Recall *a, int64_t lo, int64_t hi)
{
    const Batch *b = a->batch;
    Recall run = *a;
    int64_t longest = 0;
    for (int64_t i = lo; i < hi; i++) {
        int64_t n = b->host_starts[i + 1] - b->host_starts[i];
        longest = n > longest ? n : longest;
    }
    if (longest == 0)
        return;
    run.at = a->at + lo;
    const int64_t *starts = b->starts + lo;
    if (a->k.p && longest > 1)
        LAUNCH(c, recall_keep,
               dim3(cuda_blocks(longest * a->keys.cols, THREADS), (unsigned)(hi - lo)), THREADS, 0,
               run, starts);
    if (longest == 1)
        start_cols<1>(c, &run, starts, hi - lo, longest);
    else
        start_cols<SEVERAL>(c, &run, starts, hi - lo, longest);
}

void cuda_recall(Piece *p, const Recall *a)
{
    int64_t rows = a->batch->rows;
    for (int64_t lo = 0; lo < rows; lo += RUN_ROWS)
        run_of_rows(cuda_of(p->dev), a, lo, lo + RUN_ROWS < rows ? lo + RUN_ROWS : rows);
}
