/* act_bwd.cu - slopes of the activations times dy (and the gate). Of dense views, dy being f32 and
 * the others of one type, a thread has EACH times four neighbouring elements, a block's width
 * apart, which are all read before the first is made; of others four or one. Moves rows * cols *
 * (sizes of x, dy, gate and dx); the slopes are 3 to 20 flops and two special functions an element
 * at most. */
#include "kernels/cuda_act.h"
#include "kernels/cuda_raw.h"

enum { THREADS = 256, EACH = 2 };

/* 1 / (1 + e^-x) and 1 / (1 + e^x): neither is made by subtraction. */
static __device__ inline void sigmoids(float x, float *s, float *rest)
{
    *s = fast_inverse(1.0f + fast_exp2(-LOG2E * x));
    *rest = fast_inverse(1.0f + fast_exp2(LOG2E * x));
}

/* Phi(x) + x phi(x) */
static __device__ inline float gelu_slope(float x)
{
    float e, tail = normal_tail(x, &e);
    return (x < 0 ? tail : 1 - tail) + x * e * 0.39894228f;
}

/* Called with a constant, so that each activation has a kernel of its own. */
static __device__ inline float slope(float x, Act act)
{
    float s, rest;
    switch (act) {
    case ACT_NONE: return 1;
    case ACT_GELU: return gelu_slope(x);
    case ACT_GELU_TANH: { /* the function is x s(2u), u = sqrt(2/pi) (x + k x^3) */
        const float c = 2 * 0.79788456f, k = 0.044715f;
        sigmoids(c * (x + k * x * x * x), &s, &rest);
        return s + x * s * rest * c * (1 + 3 * k * x * x);
    }
    case ACT_RELU: return x > 0 ? 1 : 0;
    case ACT_TANH: sigmoids(x + x, &s, &rest); return 4 * s * rest;
    case ACT_SILU: sigmoids(x, &s, &rest); return s + x * s * rest;
    case ACT_COUNT: break;
    }
    return 0;
}

/* `fours` of elements. */
template <Act ACT, KType T>
static __global__ void __launch_bounds__(THREADS)
    slope_dense(const void *x, const void *dy, const void *gate, void *dx, uint32_t fours)
{
    uint32_t first = blockIdx.x * (THREADS * EACH) + threadIdx.x;
    Raw<T, 4> in[EACH], by[EACH];
    Raw<K_F32, 4> of[EACH];
#pragma unroll
    for (int n = 0; n < EACH; n++) {
        uint32_t at = first + n * THREADS;
        if (at >= fours)
            continue;
        in[n] = raw_load<T, 4>(x, at);
        of[n] = raw_load<K_F32, 4>(dy, at);
        if (gate)
            by[n] = raw_load<T, 4>(gate, at);
    }
#pragma unroll
    for (int n = 0; n < EACH; n++) {
        uint32_t at = first + n * THREADS;
        if (at >= fours)
            continue;
        Wide<4> v = raw_widen(in[n]), g = raw_widen(of[n]);
        if (gate) {
            Wide<4> times = raw_widen(by[n]);
            for (int k = 0; k < 4; k++)
                g.v[k] *= times.v[k];
        }
        for (int k = 0; k < 4; k++)
            g.v[k] *= slope(v.v[k], ACT);
        raw_store(dx, at, raw_narrow<T, 4>(g));
    }
}

/* A piece has less than 2^32 elements: 64 bits would be divided by many instructions. */
template <Act ACT, int W> static __global__ void act_slope(ActivateBwd a)
{
    uint32_t each = (uint32_t)(a.dx.cols / W), at = blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = (int64_t)(at % each) * W;
    if (i >= a.dx.rows)
        return;
    Wide<W> x = cuda_load<W>(cuda_row(a.x, i), a.x.type, j);
    Wide<W> g = cuda_load<W>(cuda_row(a.dy, i), a.dy.type, j);
    if (a.gate.p) {
        Wide<W> by = cuda_load<W>(cuda_row(a.gate, i), a.gate.type, j);
        for (int k = 0; k < W; k++)
            g.v[k] *= by.v[k];
    }
    for (int k = 0; k < W; k++)
        g.v[k] *= slope(x.v[k], ACT);
    cuda_store<W>(cuda_row(a.dx, i), a.dx.type, j, g);
}

template <Act ACT, KType T> static bool start_dense(Cuda *c, const ActivateBwd *a)
{
    int64_t n = a->dx.rows * a->dx.cols;
    if (a->dx.cols % 4 || !raw_takes(a->x, T) || !raw_takes(a->dy, K_F32) ||
        !raw_takes(a->gate, T) || !raw_takes(a->dx, T))
        return false;
    LAUNCH(c, (slope_dense<ACT, T>), cuda_blocks(n / 4, THREADS * EACH), THREADS, 0, a->x.p,
           a->dy.p, a->gate.p, a->dx.p, (uint32_t)(n / 4));
    return true;
}

template <Act ACT> static void start(Cuda *c, const ActivateBwd *a)
{
    int64_t n = a->dx.rows * a->dx.cols;
    if (start_dense<ACT, K_BF16>(c, a) || start_dense<ACT, K_F32>(c, a) ||
        start_dense<ACT, K_F16>(c, a))
        return;
    if (cuda_by_four(a->x) && cuda_by_four(a->dy) && cuda_by_four(a->gate) && cuda_by_four(a->dx))
        LAUNCH(c, (act_slope<ACT, 4>), cuda_blocks(n / 4, THREADS), THREADS, 0, *a);
    else
        LAUNCH(c, (act_slope<ACT, 1>), cuda_blocks(n, THREADS), THREADS, 0, *a);
}

void cuda_act_bwd(Piece *p, const ActivateBwd *a)
{
    Cuda *c = cuda_of(p->dev);
    if (a->dx.rows == 0 || a->dx.cols == 0)
        return;
    switch (a->act) {
    case ACT_NONE: start<ACT_NONE>(c, a); break;
    case ACT_GELU: start<ACT_GELU>(c, a); break;
    case ACT_GELU_TANH: start<ACT_GELU_TANH>(c, a); break;
    case ACT_RELU: start<ACT_RELU>(c, a); break;
    case ACT_TANH: start<ACT_TANH>(c, a); break;
    case ACT_SILU: start<ACT_SILU>(c, a); break;
    case ACT_COUNT: break;
    }
}
