/* mix.cu - without dropout four neighbouring elements a thread; with it the four, 16 columns
 * apart, that one call of the generator decides on (the same bits as philox.h). Moves rows *
 * cols * (sizes of x, r and y). */
#include "kernels/cuda.h"
#include "kernels/philox.h"

enum { THREADS = 256, WORDS = 4, SPAN = WORDS * PHILOX_LANES };

/* One lane of philox4x32. */
static __device__ inline void philox(uint32_t c[WORDS], uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xd2511f53 * c[0], b = (uint64_t)0xcd9e8d57 * c[2];
        c[0] = (uint32_t)(b >> 32) ^ c[1] ^ key0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c[3] ^ key1;
        c[3] = (uint32_t)a;
        key0 += 0x9e3779b9;
        key1 += 0xbb67ae85;
    }
}

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
    int64_t spans = (a.y.cols + SPAN - 1) / SPAN, each = spans * PHILOX_LANES;
    int64_t at = (int64_t)blockIdx.x * THREADS + threadIdx.x, i = at / each;
    if (i >= a.y.rows)
        return;
    uint32_t counter = (uint32_t)(at % each), lane = counter % PHILOX_LANES;
    uint64_t row = a.rows ? (uint64_t)a.rows[i] : a.row0 + (uint64_t)i;
    uint32_t word[WORDS] = {counter, a.site, (uint32_t)row, (uint32_t)(row >> 32)};
    philox(word, (uint32_t)a.seed, (uint32_t)(a.seed >> 32));
    for (int w = 0; w < WORDS; w++) {
        int64_t j = (int64_t)(counter / PHILOX_LANES) * SPAN + w * PHILOX_LANES + lane;
        if (j >= a.y.cols)
            return;
        Wide<1> x = cuda_load<1>(cuda_row(a.x, i), a.x.type, j);
        if (word[w] < least)
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
        uint32_t least = (uint32_t)((double)a->drop * 4294967296.0);
        int64_t threads = a->y.rows * ((a->y.cols + SPAN - 1) / SPAN) * PHILOX_LANES;
        LAUNCH(c, mix_dropout, cuda_blocks(threads, THREADS), THREADS, 0, *a, least,
               a->a / (1 - a->drop));
    } else if (cuda_by_four(a->x) && cuda_by_four(a->r) && cuda_by_four(a->y)) {
        LAUNCH(c, mix_all<4>, cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    } else {
        LAUNCH(c, mix_all<1>, cuda_blocks(n, THREADS), THREADS, 0, *a);
    }
}
