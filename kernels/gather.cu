/* gather.cu - single rows: a thread for four columns of one. Segments: as many threads as 4 LANES
 * columns ask for add a segment's items in chunks of CHUNK, and the chunks' sums, both in order; a
 * segment of more than LONG items is shared out, a chunk each, among all threads of its block.
 * Moves the rows that are read and written, once each, and y once more where it is added to. */
#include "kernels/cuda.h"

enum { THREADS = 256, LANES = 8, SEGMENTS = THREADS / LANES, CHUNK = 64, LONG = 4 * CHUNK };

template <int W>
static __device__ inline void finish(const Gather &a, int64_t i, int64_t j, Wide<W> s)
{
    float weight = a.weight ? a.weight[i] : 1.0f;
    char *y = cuda_row(a.y, a.out ? a.out[i] : i);
    for (int k = 0; k < W; k++)
        s.v[k] *= weight;
    if (a.add) {
        Wide<W> was = cuda_load<W>(y, a.y.type, j);
        for (int k = 0; k < W; k++)
            s.v[k] += was.v[k];
    }
    cuda_store<W>(y, a.y.type, j, s);
}

template <int W> static __global__ void gather_rows(Gather a, int64_t rows)
{
    int64_t each = a.y.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i < rows)
        finish<W>(a, i, j, cuda_load<W>(cuda_row(a.x, a.index ? a.index[i] : i), a.x.type, j));
}

template <int W> static __device__ inline void add(Wide<W> *s, Wide<W> x)
{
    for (int k = 0; k < W; k++)
        s->v[k] += x.v[k];
}

/* Items [from, to), in order; T is x's type. */
template <int W, KType T>
static __device__ inline Wide<W> chunk(const Gather &a, int64_t from, int64_t to, int64_t j)
{
    Wide<W> s = {};
#pragma unroll 8
    for (int64_t n = from; n < to; n++)
        add<W>(&s, cuda_load<W>(cuda_row(a.x, a.index ? a.index[n] : n), T, j));
    return s;
}

/* A chunk a LANES threads at a time; their sums are added by the first of them. */
template <int W, KType T>
static __device__ inline void long_segment(const Gather &a, int64_t i, int64_t j, float *shared)
{
    int64_t from = a.starts[i], to = a.starts[i + 1];
    Wide<W> sum = {};
    for (int64_t at = from; at < to; at += SEGMENTS * CHUNK) {
        int64_t mine = at + threadIdx.y * CHUNK, end = mine + CHUNK < to ? mine + CHUNK : to;
        if (mine < to && j < a.y.cols)
            cuda_store<W>(shared, K_F32, (threadIdx.y * LANES + threadIdx.x) * W,
                          chunk<W, T>(a, mine, end, j));
        __syncthreads();
        for (int n = 0; threadIdx.y == 0 && n < SEGMENTS && at + n * CHUNK < to; n++)
            add<W>(&sum, cuda_load<W>(shared, K_F32, (n * LANES + threadIdx.x) * W));
        __syncthreads();
    }
    if (threadIdx.y == 0 && j < a.y.cols)
        finish<W>(a, i, j, sum);
}

template <int W, KType T> static __global__ void gather_segments(Gather a, int64_t rows)
{
    SHARED(float, shared);
    int64_t first = (int64_t)blockIdx.x * SEGMENTS, mine = first + threadIdx.y;
    int64_t j = ((int64_t)blockIdx.y * LANES + threadIdx.x) * W;
    int64_t from = mine < rows ? a.starts[mine] : 0, to = mine < rows ? a.starts[mine + 1] : 0;
    if (mine < rows && j < a.y.cols && to - from <= LONG) {
        Wide<W> sum = {};
        for (int64_t at = from; at < to; at += CHUNK)
            add<W>(&sum, chunk<W, T>(a, at, at + CHUNK < to ? at + CHUNK : to, j));
        finish<W>(a, mine, j, sum);
    }
    for (int64_t i = first; i < first + SEGMENTS && i < rows; i++)
        if (a.starts[i + 1] - a.starts[i] > LONG)
            long_segment<W, T>(a, i, j, shared);
}

template <int W, KType T> static void start(Cuda *c, const Gather *a, int64_t rows)
{
    LAUNCH(c, (gather_segments<W, T>),
           dim3(cuda_blocks(rows, SEGMENTS), cuda_blocks(a->y.cols, LANES * W)),
           dim3(LANES, SEGMENTS), THREADS * W * sizeof(float), *a, rows);
}

template <int W> static void gather(Cuda *c, const Gather *a, int64_t rows)
{
    if (!a->starts)
        LAUNCH(c, gather_rows<W>, cuda_blocks(rows * (a->y.cols / W), THREADS), THREADS, 0, *a,
               rows);
    else if (a->x.type == K_F32)
        start<W, K_F32>(c, a, rows);
    else if (a->x.type == K_BF16)
        start<W, K_BF16>(c, a, rows);
    else
        start<W, K_F16>(c, a, rows);
}

void cuda_gather(Piece *p, const Gather *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t rows = a->out ? a->rows : a->y.rows;
    if (rows == 0 || a->y.cols == 0)
        return;
    if (cuda_by_four(a->x) && cuda_by_four(a->y) && a->x.cols == a->y.cols)
        gather<4>(c, a, rows);
    else
        gather<1>(c, a, rows);
}
