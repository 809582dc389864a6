/* rotate.cu - a warp a head of a token, all its places; a lane has every 32nd pair of columns.
 * Moves the bytes of x and y. */
#include "kernels/cuda.h"

enum { HEADS = 4 }; /* warps of a block */

static __device__ inline float size_of(const Rotate &a, const char *x, int64_t from)
{
    float s = 0;
    for (int i = threadIdx.x % WARP; i < a.size; i += WARP) {
        float v = cuda_load<1>(x, a.x.type, from + i).v[0];
        s = fmaf(v, v, s);
    }
    return 1.0f / sqrtf(warp_sum(s) / (float)a.size + a.eps);
}

static __device__ inline float column(const Rotate &a, const char *x, int64_t from, int i,
                                      const float *gamma, float by)
{
    float v = cuda_load<1>(x, a.x.type, from + i).v[0];
    return gamma ? v * by * gamma[i] : v;
}

static __device__ inline void place_all(const Rotate &a, char *y, int64_t to, int times, float v)
{
    Wide<1> w = {{v}};
    for (int k = 0; k < times; k++)
        cuda_store<1>(y, a.y.type, to + (int64_t)k * a.size, w);
}

static __global__ void rotate_heads(Rotate a)
{
    int all = a.heads + 2 * a.kv, half = a.turned / 2;
    int64_t at = (int64_t)blockIdx.x * HEADS + threadIdx.x / WARP, t = at / all;
    int head = (int)(at % all), lane = threadIdx.x % WARP;
    if (t >= a.x.rows)
        return; /* the whole warp */
    int times = a.y.cols == (int64_t)all * a.size ? 1 : a.heads / a.kv;
    bool query = head < a.heads, value = head >= a.heads + a.kv;
    int64_t from = (int64_t)head * a.size;
    int64_t to = query ? from : (a.heads + (int64_t)(head - a.heads) * times) * a.size;
    const char *x = cuda_row(a.x, t);
    char *y = cuda_row(a.y, t);
    const float *gamma = value ? NULL : query ? a.query_gamma : a.key_gamma;
    const float *turn = a.turns + (int64_t)a.place[t] * a.turned;
    float by = gamma ? size_of(a, x, from) : 1;
    times = query ? 1 : times;
    half = value ? 0 : half;
    for (int i = lane; i < half; i += WARP) {
        float u = column(a, x, from, i, gamma, by), v = column(a, x, from, half + i, gamma, by);
        float c = turn[i], s = turn[half + i];
        place_all(a, y, to + i, times, u * c - v * s);
        place_all(a, y, to + half + i, times, v * c + u * s);
    }
    for (int i = 2 * half + lane; i < a.size; i += WARP)
        place_all(a, y, to + i, times, column(a, x, from, i, gamma, by));
}

void cuda_rotate(Piece *p, const Rotate *a)
{
    int64_t warps = a->x.rows * (a->heads + 2 * a->kv);
    if (warps)
        LAUNCH(cuda_of(p->dev), rotate_heads, cuda_blocks(warps, HEADS), HEADS * WARP, 0, *a);
}
