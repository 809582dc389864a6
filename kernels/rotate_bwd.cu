/* rotate_bwd.cu - a warp a head of a token's dx, as rotate.cu has it. Moves the bytes of dy and dx.
 */
#include "kernels/cuda.h"

enum { HEADS = 4 }; /* warps of a block */

/* The sum over a head's places. */
static __device__ inline float summed(const RotateBwd &a, const char *dy, int64_t from, int times)
{
    float s = 0;
    for (int k = 0; k < times; k++)
        s += cuda_load<1>(dy, a.dy.type, from + (int64_t)k * a.size).v[0];
    return s;
}

static __global__ void rotate_back(RotateBwd a)
{
    int all = a.heads + 2 * a.kv, half = a.turned / 2;
    int64_t at = (int64_t)blockIdx.x * HEADS + threadIdx.x / WARP, t = at / all;
    int head = (int)(at % all), lane = threadIdx.x % WARP;
    if (t >= a.dx.rows)
        return;
    int times = a.dy.cols == (int64_t)all * a.size ? 1 : a.heads / a.kv;
    bool query = head < a.heads, value = head >= a.heads + a.kv;
    int64_t to = (int64_t)head * a.size;
    int64_t from = query ? to : (a.heads + (int64_t)(head - a.heads) * times) * a.size;
    const char *dy = cuda_row(a.dy, t);
    char *dx = cuda_row(a.dx, t);
    const float *turn = a.turns + (int64_t)a.place[t] * a.turned;
    times = query ? 1 : times;
    half = value ? 0 : half;
    for (int i = lane; i < half; i += WARP) {
        float u = summed(a, dy, from + i, times), v = summed(a, dy, from + half + i, times);
        float c = turn[i], s = turn[half + i];
        Wide<1> first = {{u * c + v * s}}, second = {{v * c - u * s}};
        cuda_store<1>(dx, a.dx.type, to + i, first);
        cuda_store<1>(dx, a.dx.type, to + half + i, second);
    }
    for (int i = 2 * half + lane; i < a.size; i += WARP) {
        Wide<1> v = {{summed(a, dy, from + i, times)}};
        cuda_store<1>(dx, a.dx.type, to + i, v);
    }
}

void cuda_rotate_bwd(Piece *p, const RotateBwd *a)
{
    int64_t warps = a->dx.rows * (a->heads + 2 * a->kv);
    if (warps)
        LAUNCH(cuda_of(p->dev), rotate_back, cuda_blocks(warps, HEADS), HEADS * WARP, 0, *a);
}
