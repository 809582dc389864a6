/* linear_dw.cu - dW' (+)= x' dy by one product of cuBLAS over all tokens, 2 m n k flops; the bias
 * by column sums, 4 m n bytes: the threads of a block share a column's tokens out, a fixed part
 * each, and add their sums in order. */
#include "kernels/cuda.h"

enum { COLUMNS = WARP, PARTS = 8 }; /* of a block: columns side by side, tokens part by part */

static __global__ void column_sums(View dy, float *db, int64_t lo, int64_t hi, bool add)
{
    __shared__ float part[PARTS][COLUMNS];
    int64_t j = lo + (int64_t)blockIdx.x * COLUMNS + threadIdx.x;
    float sum = 0;
    for (int64_t t = threadIdx.y; j < hi && t < dy.rows; t += PARTS)
        sum += ((const float *)cuda_row(dy, t))[j];
    part[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || j >= hi)
        return;
    for (int i = 1; i < PARTS; i++)
        sum += part[i][threadIdx.x];
    db[j] = add ? db[j] + sum : sum;
}

void cuda_linear_dw(Piece *p, const LinearDw *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t tokens = a->x.rows, n = a->hi - a->lo;
    if (n <= 0)
        return;
    View dy = view_cols(a->dy, a->lo, a->hi), dw = view_rows(a->dw, a->lo, a->hi);
    CudaProduct m = {};
    m.a = {a->x.p, K_F32, a->x.cols, tokens, a->x.stride, false};
    m.b = {dy.p, K_F32, n, tokens, dy.stride, true};
    m.d = {dw.p, K_F32, dw.cols, n, dw.stride, false};
    m.c = a->add ? dw.p : NULL;
    m.c_stride = dw.stride;
    if (tokens > 0)
        cuda_product(c, &m);
    for (int64_t j = 0; tokens == 0 && !a->add && j < n; j++)
        cuda_fill(p->dev, cuda_row(dw, j), 0, (size_t)dw.cols * sizeof(float));
    if (a->db)
        LAUNCH(c, column_sums, cuda_blocks(n, COLUMNS), dim3(COLUMNS, PARTS), 0, a->dy, a->db,
               a->lo, a->hi, a->add);
}
