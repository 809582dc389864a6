/* lse.cu - a row is cut into parts of so many columns. A warp reads a part once and holds it in
 * registers: its largest element and its sums; then a warp a row puts the parts together, each lane
 * every 32nd of them, and the lanes. So the order of a row's sums is that of its columns alone. */
#include "kernels/cuda.h"

enum { ROWS = 4, HELD = 8, PART = HELD * 4 * WARP }; /* warps of a block; a lane's; columns */

/* What is known of a part. */
typedef struct Part {
    double sum, all;
    float top;
    int32_t where; /* NOWHERE: in no column */
} Part;

enum { NOWHERE = INT32_MAX };

/* Over the lanes of a warp. */
static __device__ inline int32_t warp_first(int32_t v)
{
    for (int m = WARP / 2; m > 0; m /= 2) {
        int32_t u = __shfl_xor_sync(0xffffffffu, v, m);
        v = u < v ? u : v;
    }
    return v;
}

/* Lane l has columns [W l, W l + W) of the part, and those 32 W further on. */
template <KType TYPE, int W> static __global__ void log_parts(Lse a, Part *to, int64_t parts)
{
    const int N = PART / (W * WARP);
    int64_t at = (int64_t)blockIdx.x * ROWS + threadIdx.y, i = at / parts;
    if (i >= a.x.rows)
        return;
    int64_t first = at % parts * PART + threadIdx.x * W, n = a.x.cols;
    const char *x = cuda_row(a.x, i);
    Wide<W> w[N];
    float top = -INFINITY;
#pragma unroll
    for (int h = 0; h < N; h++)
        if (first + h * W * WARP < n)
            w[h] = cuda_load<W>(x, TYPE, first + h * W * WARP);
        else
            for (int k = 0; k < W; k++)
                w[h].v[k] = -INFINITY;
#pragma unroll
    for (int h = 0; h < N; h++)
        for (int k = 0; k < W; k++)
            top = fmaxf(top, w[h].v[k]);
    top = warp_max(top);
    float base = top == -INFINITY ? 0 : top; /* then nothing is added, but NaN */
    Part p = {0, 0, top, NOWHERE};
#pragma unroll
    for (int h = N - 1; h >= 0; h--)
        for (int k = W - 1; k >= 0; k--)
            if (w[h].v[k] == top && top > -INFINITY)
                p.where = (int32_t)(a.col0 + first + h * W * WARP + k);
#pragma unroll
    for (int h = 0; h < N; h++)
        if (first + h * W * WARP < n)
            for (int k = 0; k < W; k++) {
                p.sum += (double)expf(w[h].v[k] - base);
                if (a.all)
                    p.all += (double)w[h].v[k];
            }
    p.sum = warp_sum(p.sum);
    if (a.all)
        p.all = warp_sum(p.all);
    if (a.where)
        p.where = warp_first(p.where);
    if (threadIdx.x == 0)
        to[at] = p;
}

static __device__ inline double weighed(double sum, float top, float over)
{
    return sum * exp((double)top - (double)over);
}

static __global__ void log_sum(Lse a, const Part *part, int64_t parts)
{
    int64_t i = (int64_t)blockIdx.x * ROWS + threadIdx.y;
    if (i >= a.x.rows)
        return;
    part += i * parts;
    float top = a.begin ? -INFINITY : a.top[i], seen = 0;
    double sum = 0, all = 0;
    int64_t target = a.target && a.target[i] >= 0 ? a.target[i] - a.col0 : -1;
    bool sees = target >= 0 && target < a.x.cols;
    int32_t where = NOWHERE;
    if (sees)
        seen = cuda_load<1>(cuda_row(a.x, i), a.x.type, target).v[0];
    for (int64_t q = threadIdx.x; q < parts; q += WARP)
        top = fmaxf(top, part[q].top);
    top = warp_max(top);
    for (int64_t q = threadIdx.x; q < parts; q += WARP) {
        sum += weighed(part[q].sum, part[q].top, top);
        all += part[q].all;
        if (part[q].top == top && part[q].where < where)
            where = part[q].where;
    }
    sum = warp_sum(sum);
    all = warp_sum(all);
    where = warp_first(where);
    if (threadIdx.x > 0)
        return;
    if (sees)
        a.seen[i] = seen;
    if (!a.begin)
        sum += weighed(a.sum[i], a.top[i], top);
    if (a.where && (a.begin || top > a.top[i]))
        a.where[i] = where == NOWHERE ? -1 : where;
    a.top[i] = top;
    a.sum[i] = sum;
    if (a.all)
        a.all[i] = (a.begin ? 0 : a.all[i]) + all;
}

template <KType TYPE> static void start(Cuda *c, const Lse *a, Part *part, int64_t parts)
{
    unsigned blocks = cuda_blocks(a->x.rows * parts, ROWS);
    if (cuda_by_four(a->x))
        LAUNCH(c, (log_parts<TYPE, 4>), blocks, dim3(WARP, ROWS), 0, *a, part, parts);
    else
        LAUNCH(c, (log_parts<TYPE, 1>), blocks, dim3(WARP, ROWS), 0, *a, part, parts);
}

void cuda_lse(Piece *p, const Lse *a)
{
    Cuda *c = cuda_of(p->dev);
    int64_t parts = cuda_blocks(a->x.cols, PART);
    if (a->x.rows == 0 || a->x.cols == 0)
        return;
    Part *part = (Part *)cuda_temp(p, (size_t)(a->x.rows * parts) * sizeof *part);
    switch (a->x.type) {
    case K_F32: start<K_F32>(c, a, part, parts); break;
    case K_BF16: start<K_BF16>(c, a, part, parts); break;
    case K_F16: start<K_F16>(c, a, part, parts); break;
    case K_TYPES: break;
    }
    LAUNCH(c, log_sum, cuda_blocks(a->x.rows, ROWS), dim3(WARP, ROWS), 0, *a, part, parts);
}
