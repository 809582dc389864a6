/* act_bwd.cu - slopes of the activations times dy, an element a thread. Moves rows * cols *
 * (sizes of x, dy and dx). */
#include "kernels/cuda.h"

enum { THREADS = 256 };

/* 1 / (1 + e^-x) and 1 / (1 + e^x): neither is made by subtraction. */
static __device__ inline void sigmoids(float x, float *s, float *rest)
{
    *s = 1.0f / (1.0f + expf(-x));
    *rest = 1.0f / (1.0f + expf(x));
}

static __device__ inline float slope(float x, Act act)
{
    float s, rest;
    switch (act) {
    case ACT_NONE: return 1;
    case ACT_GELU: /* Phi(x) + x phi(x) */
        return 0.5f * erfcf(-x * 0.70710678f) + x * expf(-0.5f * x * x) * 0.39894228f;
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

static __global__ void act_slope(ActivateBwd a)
{
    int64_t at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / a.dx.cols, j = at % a.dx.cols;
    if (i >= a.dx.rows)
        return;
    Wide<1> x = cuda_load<1>(cuda_row(a.x, i), a.x.type, j);
    Wide<1> g = cuda_load<1>(cuda_row(a.dy, i), a.dy.type, j);
    g.v[0] *= slope(x.v[0], a.act);
    if (a.gate.p)
        g.v[0] *= cuda_load<1>(cuda_row(a.gate, i), a.gate.type, j).v[0];
    cuda_store<1>(cuda_row(a.dx, i), a.dx.type, j, g);
}

void cuda_act_bwd(Piece *p, const ActivateBwd *a)
{
    int64_t n = a->dx.rows * a->dx.cols;
    if (n > 0)
        LAUNCH(cuda_of(p->dev), act_slope, cuda_blocks(n, THREADS), THREADS, 0, *a);
}
