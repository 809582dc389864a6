/* colsum.cu - sums of columns in two steps of fixed order: a block adds SUM_ROWS rows, a warp every
 * eighth of them, four columns a lane; then the blocks' sums are added, an eighth of them a warp.
 * Reads x once, writes and reads 4 bytes a column for each SUM_ROWS rows. */
#include "kernels/cuda_sums.h"

/* T is x's type. What is read beyond the last row is the last row. */
template <int W, KType T>
static __global__ void __launch_bounds__(SUM_WARPS *WARP, 3)
    sum_rows(View x, int64_t lo, int64_t hi, float *part)
{
    SHARED(float, shared);
    int64_t j = lo + ((int64_t)blockIdx.y * WARP + threadIdx.x) * W;
    int64_t first = (int64_t)blockIdx.x * SUM_ROWS + threadIdx.y;
    Wide<W> sum = {};
    for (int n = 0; n < SUM_ROWS / SUM_WARPS && j < hi; n += SUM_AHEAD) {
        Wide<W> v[SUM_AHEAD];
#pragma unroll
        for (int k = 0; k < SUM_AHEAD; k++) {
            int64_t i = first + (n + k) * SUM_WARPS;
            v[k] = cuda_load<W>(cuda_row(x, i < x.rows ? i : x.rows - 1), T, j);
        }
#pragma unroll
        for (int k = 0; k < SUM_AHEAD; k++)
            if (first + (n + k) * SUM_WARPS < x.rows)
                wide_add<W>(&sum, v[k]);
    }
    block_add<W>(shared, &sum);
    if (threadIdx.y == 0 && j < hi)
        cuda_store<W>(part, K_F32, blockIdx.x * (hi - lo) + j - lo, sum);
}

/* y[c] (+)= the sum of part[..][c]; beyond `cols`, y2[c - cols]. */
static __global__ void sum_parts(const float *part, int64_t parts, int64_t wide, float *y,
                                 float *y2, int64_t cols, bool add)
{
    SHARED(float, shared);
    int64_t c = (int64_t)blockIdx.x * WARP + threadIdx.x;
    Wide<1> sum = {};
#pragma unroll 8
    for (int64_t i = threadIdx.y; i < parts; i += SUM_WARPS)
        sum.v[0] += c < wide ? part[i * wide + c] : 0;
    block_add<1>(shared, &sum);
    if (threadIdx.y > 0 || c >= wide)
        return;
    float *to = c < cols ? y + c : y2 + (c - cols);
    *to = add ? *to + sum.v[0] : sum.v[0];
}

void cuda_sum_parts(Cuda *c, const float *part, int64_t parts, int64_t cols, float *y, float *y2,
                    bool add)
{
    int64_t wide = y2 ? 2 * cols : cols;
    LAUNCH(c, sum_parts, cuda_blocks(wide, WARP), dim3(WARP, SUM_WARPS), sum_room(1), part, parts,
           wide, y, y2, cols, add);
}

template <int W> static void start(Cuda *c, const Colsum *a, unsigned parts, float *part)
{
    dim3 blocks(parts, cuda_blocks(a->hi - a->lo, W * WARP)), threads(WARP, SUM_WARPS);
    if (a->x.type == K_F32)
        LAUNCH(c, (sum_rows<W, K_F32>), blocks, threads, sum_room(W), a->x, a->lo, a->hi, part);
    else if (a->x.type == K_BF16)
        LAUNCH(c, (sum_rows<W, K_BF16>), blocks, threads, sum_room(W), a->x, a->lo, a->hi, part);
    else
        LAUNCH(c, (sum_rows<W, K_F16>), blocks, threads, sum_room(W), a->x, a->lo, a->hi, part);
}

void cuda_colsum(Piece *p, const Colsum *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t cols = a->hi - a->lo, parts = cuda_blocks(a->x.rows, SUM_ROWS);
    if (cols <= 0)
        return;
    float *part = (float *)cuda_temp(p, (size_t)(parts * cols) * sizeof *part);
    if (parts > 0 && cols % 4 == 0 && a->lo % 4 == 0 && cuda_by_four(a->x))
        start<4>(c, a, (unsigned)parts, part);
    else if (parts > 0)
        start<1>(c, a, (unsigned)parts, part);
    cuda_sum_parts(c, part, parts, cols, a->y + a->lo, NULL, a->add);
}
