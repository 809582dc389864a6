/* mix.cu - without dropout four neighbouring elements a thread; with it also the threes of fours
 * 16, 32 and 48 columns on, as one call of the generator decides on four columns 16 apart (the same
 * bits as philox.h), or one column and those. A piece has less than 2^32 elements: 64 bits would be
 * divided by many instructions. Moves rows * cols * (sizes of x, r and y). */
#include "kernels/cuda_drop.h"

enum { THREADS = 256 };

/* W columns of a row from j on, of x or r; 0 where there is no r, or no such column. */
template <int W> static __device__ inline Wide<W> columns(const View &v, int64_t i, int64_t j)
{
    Wide<W> w = {};
    return v.p && j < v.cols ? cuda_load<W>(cuda_row(v, i), v.type, j) : w;
}

template <int W>
static __device__ inline void mixed(const Mix &a, int64_t i, int64_t j, Wide<W> x, Wide<W> r,
                                    float scale)
{
    for (int k = 0; k < W; k++) {
        x.v[k] *= scale;
        if (a.r.p)
            x.v[k] += a.b * r.v[k];
    }
    cuda_store<W>(cuda_row(a.y, i), a.y.type, j, x);
}

template <int W> static __global__ void mix_all(Mix a)
{
    uint32_t each = (uint32_t)(a.y.cols / W), at = blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = (int64_t)(at % each) * W;
    if (i < a.y.rows)
        mixed<W>(a, i, j, columns<W>(a.x, i, j), columns<W>(a.r, i, j), a.a);
}

/* A thread has W columns of a span's first sixteen, and those 16, 32 and 48 on. F32: of f32 views;
 * else each load waits for the one before, as what is done to it depends on its type. */
template <int W, bool F32>
static __global__ void mix_dropout(Mix a, uint32_t spans, uint32_t least, float scale)
{
    if (F32)
        a.x.type = a.r.type = a.y.type = K_F32;
    const uint32_t PARTS = DROP_LANES / W;
    uint32_t at = blockIdx.x * THREADS + threadIdx.x, each = spans * PARTS;
    uint32_t i = at / each, part = at % each, lane = part % PARTS * W;
    int64_t span = part / PARTS, first = span * DROP_SPAN + lane;
    if (i >= a.y.rows)
        return;
    Wide<W> x[DROP_WORDS], r[DROP_WORDS];
#pragma unroll
    for (int w = 0; w < DROP_WORDS; w++) {
        x[w] = columns<W>(a.x, i, first + w * DROP_LANES);
        r[w] = columns<W>(a.r, i, first + w * DROP_LANES);
    }
    uint64_t row = a.rows ? (uint64_t)a.rows[i] : a.row0 + i;
#pragma unroll
    for (int k = 0; k < W; k++) {
        uint32_t word[DROP_WORDS];
        drop_words(a.seed, a.site, row, span, lane + k, word);
#pragma unroll
        for (int w = 0; w < DROP_WORDS; w++)
            x[w].v[k] = word[w] >= least ? x[w].v[k] : 0;
    }
#pragma unroll
    for (int w = 0; w < DROP_WORDS; w++)
        if (first + w * DROP_LANES < a.y.cols)
            mixed<W>(a, i, first + w * DROP_LANES, x[w], r[w], scale);
}

template <int W, bool F32> static void start_dropout(Cuda *c, const Mix *a)
{
    int64_t spans = (a->y.cols + DROP_SPAN - 1) / DROP_SPAN;
    LAUNCH(c, (mix_dropout<W, F32>), cuda_blocks(a->y.rows * spans * (DROP_LANES / W), THREADS),
           THREADS, 0, *a, (uint32_t)spans, drop_least(a->drop), a->a / (1 - a->drop));
}

void cuda_mix(Piece *p, const Mix *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t n = a->y.rows * a->y.cols;
    if (n == 0)
        return;
    bool four = cuda_by_four(a->x) && cuda_by_four(a->r) && cuda_by_four(a->y);
    bool f32 = a->x.type == K_F32 && a->y.type == K_F32 && (!a->r.p || a->r.type == K_F32);
    if (a->drop > 0 && four && f32)
        start_dropout<4, true>(c, a);
    else if (a->drop > 0 && four)
        start_dropout<4, false>(c, a);
    else if (a->drop > 0)
        start_dropout<1, false>(c, a);
    else if (four)
        LAUNCH(c, mix_all<4>, cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    else
        LAUNCH(c, mix_all<1>, cuda_blocks(n, THREADS), THREADS, 0, *a);
}
