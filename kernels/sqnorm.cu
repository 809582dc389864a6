/* sqnorm.cu - the sum of squares in double, in two steps of fixed order: each block of the grid
 * adds BLOCK elements, then one block adds their sums. Reads 4 n bytes. */
#include "kernels/cuda.h"

enum { BLOCK = 4096, THREADS = 256, WARPS = THREADS / WARP };

/* The sum over the block's threads, given to thread 0. */
static __device__ inline double block_sum(double v)
{
    __shared__ double part[WARPS];
    v = warp_sum(v);
    if (threadIdx.x % WARP == 0)
        part[threadIdx.x / WARP] = v;
    __syncthreads();
    v = 0;
    for (int i = 0; threadIdx.x == 0 && i < WARPS; i++)
        v += part[i];
    return v;
}

static __global__ void squares(const float *x, int64_t n, double *part)
{
    int64_t from = (int64_t)blockIdx.x * BLOCK, to = from + BLOCK < n ? from + BLOCK : n;
    double sum = 0;
    for (int64_t i = from + threadIdx.x; i < to; i += THREADS)
        sum += (double)x[i] * (double)x[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        part[blockIdx.x] = sum;
}

static __global__ void sum_parts(const double *part, int64_t n, double *out)
{
    double sum = 0;
    for (int64_t i = threadIdx.x; i < n; i += THREADS)
        sum += part[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *out = sum;
}

void cuda_sqnorm(Piece *p, const Sqnorm *a)
{
    Cuda *c = cuda_of(p->dev);
    unsigned blocks = cuda_blocks(a->n, BLOCK);
    double *part = blocks ? (double *)cuda_temp(p, blocks * sizeof *part) : NULL;
    if (blocks)
        LAUNCH(c, squares, blocks, THREADS, 0, a->x, a->n, part);
    LAUNCH(c, sum_parts, 1, THREADS, 0, part, blocks, a->out);
}
