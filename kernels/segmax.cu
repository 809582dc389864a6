/* segmax.cu - a thread a column of a segment. Moves the rows read and written, once each. */
#include "kernels/cuda.h"

enum { THREADS = 128 };

static __global__ void segment_max(Segmax a)
{
    int64_t at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / a.y.cols, j = at % a.y.cols;
    if (i >= a.y.rows)
        return;
    Wide<1> top = {};
    for (int64_t n = a.starts[i]; n < a.starts[i + 1]; n++) {
        Wide<1> x = cuda_load<1>(cuda_row(a.x, n), a.x.type, j);
        if (n == a.starts[i] || x.v[0] > top.v[0] || x.v[0] != x.v[0])
            top = x;
    }
    cuda_store<1>(cuda_row(a.y, i), a.y.type, j, top);
}

void cuda_segmax(Piece *p, const Segmax *a)
{
    int64_t n = a->y.rows * a->y.cols;
    if (n > 0)
        LAUNCH(cuda_of(p->dev), segment_max, cuda_blocks(n, THREADS), THREADS, 0, *a);
}
