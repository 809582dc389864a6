/* cuda_act.h - an activation of one number (act.h), on the device: of act.cu, whose way back is
 * act_bwd.cu's, and of kernels that end with one. */
#ifndef WEFT_CUDA_ACT_H
#define WEFT_CUDA_ACT_H

#include "kernels/cuda_fast.h"

/* Phi(-|x|) by Abramowitz & Stegun 7.1.26 (error 0.8e-7), which makes e^(-x^2 / 2) on its way. */
static __device__ inline float normal_tail(float x, float *e)
{
    float t = fast_inverse(1.0f + 0.3275911f * 0.70710678f * fabsf(x));
    float s = 0.5f * 1.061405429f;
    *e = fast_exp2(x * x * (-0.5f * LOG2E));
    s = s * t - 0.5f * 1.453152027f;
    s = s * t + 0.5f * 1.421413741f;
    s = s * t - 0.5f * 0.284496736f;
    s = s * t + 0.5f * 0.254829592f;
    return s * t * *e;
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|), which loses no digits near 0. Beyond 16 there is nothing to
 * subtract, and infinity times 0 is not asked for. */
static __device__ inline float gelu(float x)
{
    float e;
    return fmaxf(x, 0) - fminf(fabsf(x), 16.0f) * normal_tail(x, &e);
}

/* x / (1 + e^-u) */
static __device__ inline float gated(float x, float u)
{
    return x * fast_inverse(1.0f + fast_exp2(-LOG2E * u));
}

/* Called with a constant, so that each activation has a kernel of its own. */
static __device__ inline float cuda_activated(float x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return gelu(x);
    case ACT_GELU_TANH: /* (1 + tanh(u)) / 2 = 1 / (1 + e^-2u) */
        return gated(x, 2 * 0.7978845608f * (x + 0.044715f * x * x * x));
    case ACT_RELU: return x < 0 ? 0 : x; /* NaN stays */
    case ACT_TANH: return tanhf(x);
    case ACT_SILU: return gated(x, x);
    case ACT_COUNT: break;
    }
    return x;
}

#endif
