/* cuda_fast.h - functions that the card has an instruction for: 2^x within 2^-22 and 1 / x within
 * 2^-23 of themselves (PTX ISA, ex2.approx and rcp.approx). What is smaller than 2^-126, given or
 * returned, is 0; infinities and NaN are as they should be. */
#ifndef WEFT_CUDA_FAST_H
#define WEFT_CUDA_FAST_H

#include "kernels/cuda.h"

static const float LOG2E = 1.4426950408889634f;

static __device__ inline float fast_exp2(float x)
{
#ifdef WEFT_CUDA_STANDIN
    return exp2f(x);
#else
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

static __device__ inline float fast_inverse(float x)
{
#ifdef WEFT_CUDA_STANDIN
    return 1 / x;
#else
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#endif
}

#endif
