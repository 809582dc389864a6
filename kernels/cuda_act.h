/* cuda_act.h - an activation of one number (act.h), on the device: for kernels that end with one.
 */
#ifndef WEFT_CUDA_ACT_H
#define WEFT_CUDA_ACT_H

#include "kernels/cuda.h"

static __device__ inline float cuda_activated(float x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return 0.5f * x * (1.0f + erff(x * 0.70710678f));
    case ACT_GELU_TANH:
        return 0.5f * x * (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
    case ACT_RELU: return x < 0 ? 0 : x; /* NaN stays */
    case ACT_TANH: return tanhf(x);
    case ACT_SILU: return x / (1.0f + expf(-x));
    case ACT_COUNT: break;
    }
    return x;
}

#endif
