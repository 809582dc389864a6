/* mma.h - tensor cores from sm_80 on: a warp's product of two fragments of bf16 or f16, summed in
 * f32. All 32 lanes take part. With g = lane / 4, i = lane % 4 * 2, two elements a register:
 *     a [16, 16]: rows g, g + 8, g, g + 8; columns i, i, i + 8, i + 8
 *     b [16, 8]:  rows i, i + 8; column g
 *     d [16, 8]:  row g, columns i, i + 1; then row g + 8
 * (PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type"). Under g++ the same is
 * done by tests/cuda-on-cpu/mma.cc. */
#ifndef WEFT_MMA_H
#define WEFT_MMA_H

#include "kernels/cuda.h"

/* d += a b */
template <KType T>
static __device__ inline void mma(float d[4], const uint32_t a[4], const uint32_t b[2])
{
#ifdef WEFT_CUDA_STANDIN
    standin_mma(T == K_F16, d, a, b);
#elif __CUDA_ARCH__ < 800
    __trap(); /* cuda_attend_mma is not called there */
#else
    if constexpr (T == K_F16)
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    else
        asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

/* Four matrices of 8 x 8 from shared memory: lane l gives the address (on 16 bytes) of row l % 8
 * of matrix l / 8, and gets in r[m] the elements (g; i, i + 1) of matrix m, or where TURNED (i, i
 * + 1; g). */
template <bool TURNED> static __device__ inline void mma_load(uint32_t r[4], const uint16_t *row)
{
#ifdef WEFT_CUDA_STANDIN
    standin_ldmatrix(TURNED, r, row);
#elif __CUDA_ARCH__ < 800
    __trap();
#else
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    if constexpr (TURNED)
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(at)
                     : "memory");
    else
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(at)
                     : "memory");
#endif
}

/* Two numbers, rounded, as a register of a fragment. */
template <KType T> static __device__ inline uint32_t mma_pair(float first, float second)
{
    uint32_t u;
    if constexpr (T == K_F16) {
        __half2 h = __floats2half2_rn(first, second);
        memcpy(&u, &h, sizeof u);
    } else {
        __nv_bfloat162 h = __floats2bfloat162_rn(first, second);
        memcpy(&u, &h, sizeof u);
    }
    return u;
}

/* And back. */
template <KType T> static __device__ inline float2 mma_unpair(uint32_t u)
{
    if constexpr (T == K_F16) {
        __half2_raw h;
        h.x = (unsigned short)u;
        h.y = (unsigned short)(u >> 16);
        return __half22float2(__half2(h));
    } else {
        uint32_t bits[] = {u << 16, u & 0xffff0000}; /* the upper half of an f32 each */
        float f[2];
        memcpy(f, bits, sizeof f);
        return make_float2(f[0], f[1]);
    }
}

#endif
