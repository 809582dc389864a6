/* gather.cu - a thread for four columns of a segment, which it adds in order. Moves the rows
 * that are read and written, once each. */
#include "kernels/cuda.h"

enum { THREADS = 128 };

template <int W> static __global__ void gather_sum(Gather a)
{
    int64_t each = a.y.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i >= a.y.rows)
        return;
    int64_t from = a.starts ? a.starts[i] : i, to = a.starts ? a.starts[i + 1] : i + 1;
    Wide<W> s = {};
    for (int64_t n = from; n < to; n++) {
        Wide<W> x = cuda_load<W>(cuda_row(a.x, a.index ? a.index[n] : n), a.x.type, j);
        for (int k = 0; k < W; k++)
            s.v[k] += x.v[k];
    }
    float weight = a.weight ? a.weight[i] : 1.0f;
    for (int k = 0; k < W; k++)
        s.v[k] *= weight;
    cuda_store<W>(cuda_row(a.y, i), a.y.type, j, s);
}

void cuda_gather(Piece *p, const Gather *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t n = a->y.rows * a->y.cols;
    if (n == 0)
        return;
    if (cuda_by_four(a->x) && cuda_by_four(a->y) && a->x.cols == a->y.cols)
        LAUNCH(c, gather_sum<4>, cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    else
        LAUNCH(c, gather_sum<1>, cuda_blocks(n, THREADS), THREADS, 0, *a);
}
