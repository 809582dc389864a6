/* gather.cu - single rows: a thread for four columns of one. Segments: a block has a few of them,
 * in chunks of CHUNK items, and of so many columns as a team of LANES threads holds. Its teams
 * share out the chunks, whosever they are, and add each up in order; then a segment's own team adds
 * its chunks' sums, in order. So a segment of thousands of items is as quick as many short ones.
 * Moves the rows that are read and written, once each, and y once more where it is added to. */
#include "kernels/cuda.h"

enum { THREADS = 256, CHUNK = 16, AHEAD = 8 /* items that are read at a time */ };
enum { ROUNDS = 4 /* chunks of a team between two barriers */, ENOUGH = 1024 /* blocks */ };

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
    uint32_t each = (uint32_t)(a.y.cols / W), at = blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = (int64_t)(at % each) * W;
    if (i < rows)
        finish<W>(a, i, j, cuda_load<W>(cuda_row(a.x, a.index ? a.index[i] : i), a.x.type, j));
}

/* Items [from, to), in order; T is x's type. What is read beyond the last is the last. */
template <int W, KType T>
static __device__ inline Wide<W> chunk(const Gather &a, int64_t from, int64_t to, int64_t j)
{
    Wide<W> sum = {};
    for (; from < to; from += AHEAD) {
        int64_t at[AHEAD];
        Wide<W> x[AHEAD];
#pragma unroll
        for (int n = 0; n < AHEAD; n++)
            at[n] = from + n < to ? from + n : to - 1;
        if (a.index)
#pragma unroll
            for (int n = 0; n < AHEAD; n++)
                at[n] = a.index[at[n]];
#pragma unroll
        for (int n = 0; n < AHEAD; n++)
            x[n] = cuda_load<W>(cuda_row(a.x, at[n]), T, j);
#pragma unroll
        for (int n = 0; n < AHEAD; n++)
            for (int k = 0; k < W; k++)
                sum.v[k] += from + n < to ? x[n].v[k] : 0;
    }
    return sum;
}

/* What a block has in shared memory: of each segment the items, and its first chunk among the
 * block's; of ROUNDS chunks a team the sums. */
template <int W, int LANES> struct Room {
    static const int TEAMS = THREADS / LANES, SLOTS = ROUNDS * TEAMS;
    int64_t begin[TEAMS], end[TEAMS];
    int first[TEAMS], chunks[TEAMS];
    alignas(16) float sum[SLOTS * LANES * W];
};

/* The segment of a chunk: the last that does not begin behind it. */
template <int TEAMS> static __device__ inline int segment_of(const int first[TEAMS], int chunk)
{
    int n = 0;
#pragma unroll
    for (int step = TEAMS / 2; step > 0; step /= 2)
        n += first[n + step] <= chunk ? step : 0;
    return n;
}

/* Block b has the segments b, b + gridDim.x and so on: where the long ones lie side by side, as
 * those of frequent words do, they are many blocks'. */
template <int W, KType T, int LANES>
static __global__ void __launch_bounds__(THREADS, 3) gather_segments(Gather a, int64_t rows)
{
    typedef Room<W, LANES> R;
    SHARED(R, room);
    int lane = threadIdx.x, team = threadIdx.y, before = 0, all = 0;
    int64_t mine = blockIdx.x + (int64_t)team * gridDim.x;
    int64_t j = ((int64_t)blockIdx.y * LANES + lane) * W;
    int64_t from = mine < rows ? a.starts[mine] : 0, to = mine < rows ? a.starts[mine + 1] : 0;
    int chunks = (int)((to - from + CHUNK - 1) / CHUNK);
    if (lane == 0) {
        room->begin[team] = from;
        room->end[team] = to;
        room->chunks[team] = chunks;
    }
    __syncthreads();
    for (int n = 0; n < R::TEAMS; n++) {
        before += n < team ? room->chunks[n] : 0;
        all += room->chunks[n];
    }
    if (lane == 0)
        room->first[team] = before;
    __syncthreads();
    Wide<W> sum = {};
    for (int base = 0; base < all; base += R::SLOTS) {
        int end = base + R::SLOTS < all ? base + R::SLOTS : all;
        for (int c = base + team; c < end && j < a.y.cols; c += R::TEAMS) {
            int s = segment_of<R::TEAMS>(room->first, c);
            int64_t at = room->begin[s] + (int64_t)(c - room->first[s]) * CHUNK;
            int64_t past = at + CHUNK < room->end[s] ? at + CHUNK : room->end[s];
            cuda_store<W>(room->sum, K_F32, ((c - base) * LANES + lane) * W,
                          chunk<W, T>(a, at, past, j));
        }
        __syncthreads();
        int last = before + chunks < end ? before + chunks : end;
        for (int c = before > base ? before : base; c < last && j < a.y.cols; c++) {
            Wide<W> more = cuda_load<W>(room->sum, K_F32, ((c - base) * LANES + lane) * W);
            for (int k = 0; k < W; k++)
                sum.v[k] += more.v[k];
        }
        __syncthreads();
    }
    if (mine < rows && j < a.y.cols)
        finish<W>(a, mine, j, sum);
}

/* How many blocks share the segments, where each block has so many teams and there are so many
 * parts of the columns. */
static unsigned blocks_of(int64_t rows, int teams, unsigned parts)
{
    unsigned least = cuda_blocks(rows, teams), most = cuda_blocks(ENOUGH, parts);
    return most <= least ? least : most < rows ? most : (unsigned)rows;
}

template <int W, KType T, int LANES> static void start(Cuda *c, const Gather *a, int64_t rows)
{
    const int TEAMS = THREADS / LANES;
    unsigned parts = cuda_blocks(a->y.cols, LANES * W);
    LAUNCH(c, (gather_segments<W, T, LANES>), dim3(blocks_of(rows, TEAMS, parts), parts),
           dim3(LANES, TEAMS), sizeof(Room<W, LANES>), *a, rows);
}

/* Of few segments, more blocks are had by fewer columns each. */
template <int W, KType T> static void start_lanes(Cuda *c, const Gather *a, int64_t rows)
{
    if (rows * cuda_blocks(a->y.cols, 8 * W) < ENOUGH / 8)
        start<W, T, 2>(c, a, rows);
    else
        start<W, T, 8>(c, a, rows);
}

template <int W> static void gather(Cuda *c, const Gather *a, int64_t rows)
{
    if (!a->starts)
        LAUNCH(c, gather_rows<W>, cuda_blocks(rows * (a->y.cols / W), THREADS), THREADS, 0, *a,
               rows);
    else if (a->x.type == K_F32)
        start_lanes<W, K_F32>(c, a, rows);
    else if (a->x.type == K_BF16)
        start_lanes<W, K_BF16>(c, a, rows);
    else
        start_lanes<W, K_F16>(c, a, rows);
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
