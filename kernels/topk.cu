/* topk.cu - a block a row: k times the best of what comes behind the one before, in the order of
 * value and column. The state so far takes part like more columns. Reads x k times.
 *
 * Where rows are few and long they are cut into parts first, and a warp, which holds a part in
 * registers, leaves the best of it for the block. */
#include "kernels/cuda.h"

enum {
    THREADS = 128,
    WARPS = THREADS / WARP,
    HELD = 32,
    PART = HELD * WARP, /* columns */
    FEW = 128           /* rows */
};

struct Best {
    float value;
    int32_t index; /* -1: none */
};

/* Does a stand before b? */
static __device__ inline bool before(Best a, Best b)
{
    if (a.index < 0 || b.index < 0)
        return b.index < 0 && a.index >= 0;
    return a.value > b.value || (a.value == b.value && a.index < b.index);
}

static __device__ inline Best warp_best(Best v)
{
    for (int step = WARP / 2; step; step /= 2) {
        Best other;
        other.value = __shfl_xor_sync(0xffffffff, v.value, step);
        other.index = __shfl_xor_sync(0xffffffff, v.index, step);
        if (before(other, v))
            v = other;
    }
    return v;
}

static __device__ inline void consider(Best *best, Best x, Best last, bool first)
{
    if (x.index >= 0 && x.value == x.value && (first || before(last, x)) && before(x, *best))
        *best = x;
}

/* more: beside x, so many for each row that are known already. */
static __global__ void topk(Topk a, const float *value, const int32_t *index, int64_t more)
{
    __shared__ Best shared[WARPS + 1];
    int64_t i = blockIdx.x, n = a.x.cols;
    const float *x = (const float *)cuda_row(a.x, i);
    Best last = {0, -1};
    for (int r = 0; r < a.k; r++) {
        Best best = {0, -1};
        for (int64_t c = threadIdx.x; c < n; c += THREADS)
            consider(&best, Best{x[c], (int32_t)(a.col0 + c)}, last, r == 0);
        for (int64_t c = threadIdx.x; c < more; c += THREADS)
            consider(&best, Best{value[i * more + c], index[i * more + c]}, last, r == 0);
        best = warp_best(best);
        if (threadIdx.x % WARP == 0)
            shared[threadIdx.x / WARP] = best;
        __syncthreads();
        if (threadIdx.x == 0) {
            for (int w = 1; w < WARPS; w++)
                if (before(shared[w], best))
                    best = shared[w];
            if (r > 0 && last.index < 0)
                best = Best{0, -1}; /* there were fewer */
            shared[WARPS] = best;
            a.value[i * a.k + r] = best.index < 0 ? -INFINITY : best.value;
            a.index[i * a.k + r] = best.index;
        }
        __syncthreads();
        last = shared[WARPS];
    }
}

/* A warp a part: its k best, [rows, lists, k]; a list behind those of the parts is what a row has
 * so far. */
static __global__ void topk_parts(Topk a, int64_t parts, int64_t lists, float *value,
                                  int32_t *index)
{
    int64_t at = (int64_t)blockIdx.x * WARPS + threadIdx.x / WARP, i = at / lists;
    int64_t part = at % lists, first = part * PART + threadIdx.x % WARP;
    int lane = threadIdx.x % WARP;
    if (i >= a.x.rows)
        return;
    value += at * a.k;
    index += at * a.k;
    for (int c = lane; part == parts && c < a.k; c += WARP) {
        value[c] = a.value[i * a.k + c];
        index[c] = a.index[i * a.k + c];
    }
    if (part == parts)
        return;
    const float *x = (const float *)cuda_row(a.x, i);
    float held[HELD];
#pragma unroll
    for (int h = 0; h < HELD; h++)
        held[h] = first + h * WARP < a.x.cols ? x[first + h * WARP] : NAN;
    Best last = {0, -1};
    for (int r = 0; r < a.k; r++) {
        Best best = {0, -1};
        if (r == 0 || last.index >= 0)
#pragma unroll
            for (int h = 0; h < HELD; h++)
                consider(&best, Best{held[h], (int32_t)(a.col0 + first + h * WARP)}, last, r == 0);
        last = warp_best(best);
        if (lane == 0) {
            value[r] = last.value;
            index[r] = last.index;
        }
    }
}

void cuda_topk(Piece *p, const Topk *a)
{
    int64_t rows = a->x.rows, parts = cuda_blocks(a->x.cols, PART);
    if (rows * a->k == 0)
        return;
    Cuda *c = cuda_of(p->dev);
    bool cut = rows <= FEW && parts > 2;
    int64_t lists = (cut ? parts : 0) + (a->begin ? 0 : 1), more = lists * a->k;
    size_t n = (size_t)(rows * more);
    float *value = n ? (float *)cuda_temp(p, n * sizeof *value) : NULL;
    int32_t *index = n ? (int32_t *)cuda_temp(p, n * sizeof *index) : NULL;
    Topk rest = *a;
    if (cut)
        rest.x.cols = 0;
    else
        parts = 0;
    if (lists)
        LAUNCH(c, topk_parts, cuda_blocks(rows * lists, WARPS), THREADS, 0, *a, parts, lists, value,
               index);
    LAUNCH(c, topk, (unsigned)rows, THREADS, 0, rest, value, index, more);
}
