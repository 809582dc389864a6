/* topk.cu - a block a row: k times the best of what comes behind the one before, in the order of
 * value and column. The state so far takes part like more columns. Reads x k times. */
#include "kernels/cuda.h"

enum { THREADS = 128, WARPS = THREADS / WARP };

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

/* old: what value and index held, [rows, k]; begin: nothing. */
static __global__ void topk(Topk a, const float *old_value, const int32_t *old_index)
{
    __shared__ Best shared[WARPS + 1];
    int64_t i = blockIdx.x, n = a.x.cols;
    const float *x = (const float *)cuda_row(a.x, i);
    Best last = {0, -1};
    for (int r = 0; r < a.k; r++) {
        Best best = {0, -1};
        for (int64_t c = threadIdx.x; c < n; c += THREADS)
            consider(&best, Best{x[c], (int32_t)(a.col0 + c)}, last, r == 0);
        for (int c = threadIdx.x; !a.begin && c < a.k; c += THREADS)
            consider(&best, Best{old_value[i * a.k + c], old_index[i * a.k + c]}, last, r == 0);
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

void cuda_topk(Piece *p, const Topk *a)
{
    size_t n = (size_t)(a->x.rows * a->k);
    if (!n)
        return;
    Cuda *c = cuda_of(p->dev);
    float *value = NULL;
    int32_t *index = NULL;
    if (!a->begin) {
        value = (float *)cuda_temp(p, n * sizeof *value);
        index = (int32_t *)cuda_temp(p, n * sizeof *index);
        if (!cuda_fine(c))
            return;
        cuda_check(c,
                   cudaMemcpyAsync(value, a->value, n * sizeof *value, cudaMemcpyDeviceToDevice,
                                   c->stream),
                   "topk");
        cuda_check(c,
                   cudaMemcpyAsync(index, a->index, n * sizeof *index, cudaMemcpyDeviceToDevice,
                                   c->stream),
                   "topk");
    }
    LAUNCH(c, topk, (unsigned)a->x.rows, THREADS, 0, *a, value, index);
}
