/* act_bwd.cu - slopes of the activations times dy (and the gate), four elements a thread. Moves
 * rows * cols * (sizes of x, dy, gate and dx); the slopes are 3 to 25 flops and two special
 * functions an element at most. */
#include "kernels/cuda.h"

enum { THREADS = 256 };

/* 1 / (1 + e^-x) and 1 / (1 + e^x): neither is made by subtraction. */
static __device__ inline void sigmoids(float x, float *s, float *rest)
{
    *s = 1.0f / (1.0f + expf(-x));
    *rest = 1.0f / (1.0f + expf(x));
}

/* Phi(x) + x phi(x); Phi by Abramowitz & Stegun 7.1.26 (error 1.5e-7), whose exp(-z^2), z = |x| /
 * sqrt 2, is phi's too. */
static __device__ inline float gelu_slope(float x)
{
    float e = expf(-0.5f * x * x), t = 1.0f / (1.0f + 0.3275911f * 0.70710678f * fabsf(x));
    float s = 1.061405429f;
    s = s * t - 1.453152027f;
    s = s * t + 1.421413741f;
    s = s * t - 0.284496736f;
    s = s * t + 0.254829592f;
    float tail = 0.5f * s * t * e; /* Phi(-|x|) */
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

template <Act ACT> static void start(Cuda *c, const ActivateBwd *a)
{
    int64_t n = a->dx.rows * a->dx.cols;
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
