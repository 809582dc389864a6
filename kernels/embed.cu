/* embed.cu - a thread for four columns of a token. Moves cols * (4 bytes a table + size of y) a
 * token. */
#include "kernels/cuda.h"

enum { THREADS = 128 };

template <int W> static __global__ void embed_sum(Embed a)
{
    int64_t each = a.y.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i >= a.y.rows)
        return;
    Wide<W> s = cuda_load<W>(cuda_row(a.table[0], a.index[0][i]), K_F32, j);
    for (int t = 1; t < 3 && a.table[t].p; t++) {
        Wide<W> v = cuda_load<W>(cuda_row(a.table[t], a.index[t][i]), K_F32, j);
        for (int k = 0; k < W; k++)
            s.v[k] += v.v[k];
    }
    cuda_store<W>(cuda_row(a.y, i), a.y.type, j, s);
}

void cuda_embed(Piece *p, const Embed *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t n = a->y.rows * a->y.cols;
    bool four = cuda_by_four(a->y);
    for (int t = 0; t < 3; t++)
        four = four && cuda_by_four(a->table[t]);
    if (n == 0)
        return;
    if (four)
        LAUNCH(c, embed_sum<4>, cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    else
        LAUNCH(c, embed_sum<1>, cuda_blocks(n, THREADS), THREADS, 0, *a);
}
