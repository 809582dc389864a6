/* mix.cu - without dropout four neighbouring elements a thread; with it the four, 16 columns
 * apart, that one call of the generator decides on (the same bits as philox.h). Moves rows *
 * cols * (sizes of x, r and y). */
#include "kernels/cuda_drop.h"

enum { THREADS = 256 };

template <int W>
static __device__ inline void mixed(const Mix &a, int64_t i, int64_t j, Wide<W> x, float scale)
{
    for (int k = 0; k < W; k++)
        x.v[k] *= scale;
    if (a.r.p) {
        Wide<W> r = cuda_load<W>(cuda_row(a.r, i), a.r.type, j);
        for (int k = 0; k < W; k++)
            x.v[k] += a.b * r.v[k];
    }
    cuda_store<W>(cuda_row(a.y, i), a.y.type, j, x);
}

template <int W> static __global__ void mix_all(Mix a)
{
    int64_t each = a.y.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i < a.y.rows)
        mixed<W>(a, i, j, cuda_load<W>(cuda_row(a.x, i), a.x.type, j), a.a);
}

/* Thread `at` has the columns c, c + 16, c + 32, c + 48 of one span. */
static __global__ void mix_dropout(Mix a, uint32_t least, float scale)
{
    int64_t spans = (a.y.cols + DROP_SPAN - 1) / DROP_SPAN, each = spans * DROP_LANES;
    int64_t at = (int64_t)blockIdx.x * THREADS + threadIdx.x, i = at / each;
    if (i >= a.y.rows)
        return;
    int64_t span = at % each / DROP_LANES;
    unsigned lane = (unsigned)(at % DROP_LANES);
    uint64_t row = a.rows ? (uint64_t)a.rows[i] : a.row0 + (uint64_t)i;
    unsigned kept = drop_keeps(a.seed, a.site, row, span, lane, least);
    for (int w = 0; w < DROP_WORDS; w++) {
        int64_t j = span * DROP_SPAN + w * DROP_LANES + lane;
        if (j >= a.y.cols)
            return;
        Wide<1> x = cuda_load<1>(cuda_row(a.x, i), a.x.type, j);
        if (!(kept >> w & 1))
            x.v[0] = 0;
        mixed<1>(a, i, j, x, scale);
    }
}

void cuda_mix(Piece *p, const Mix *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t n = a->y.rows * a->y.cols;
    if (n == 0)
        return;
    if (a->drop > 0) {
        int64_t spans = (a->y.cols + DROP_SPAN - 1) / DROP_SPAN;
        LAUNCH(c, mix_dropout, cuda_blocks(a->y.rows * spans * DROP_LANES, THREADS), THREADS, 0, *a,
               drop_least(a->drop), a->a / (1 - a->drop));
    } else if (cuda_by_four(a->x) && cuda_by_four(a->r) && cuda_by_four(a->y)) {
        LAUNCH(c, mix_all<4>, cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    } else {
        LAUNCH(c, mix_all<1>, cuda_blocks(n, THREADS), THREADS, 0, *a);
    }
}
