/* cuda_raw.h - for operations over elements whose views have no gaps and are of types that are
 * known: W neighbouring elements as they lie, 8 or 16 bytes, so that they are loaded apart from
 * what widens them, and several loads are under way at a time. */
#ifndef WEFT_CUDA_RAW_H
#define WEFT_CUDA_RAW_H

#include "kernels/cuda.h"

template <KType T, int W> struct Raw {
    alignas(16) uint32_t u[W * (T == K_F32 ? 4 : 2) / 4];
};

/* Those that are number i of p's W. */
template <KType T, int W> static __device__ inline Raw<T, W> raw_load(const void *p, uint32_t i)
{
    Raw<T, W> r;
    if constexpr (sizeof r.u == 16)
        *reinterpret_cast<uint4 *>(r.u) = static_cast<const uint4 *>(p)[i];
    else
        *reinterpret_cast<uint2 *>(r.u) = static_cast<const uint2 *>(p)[i];
    return r;
}
template <KType T, int W>
static __device__ inline void raw_store(void *p, uint32_t i, const Raw<T, W> &r)
{
    if constexpr (sizeof r.u == 16)
        static_cast<uint4 *>(p)[i] = *reinterpret_cast<const uint4 *>(r.u);
    else
        static_cast<uint2 *>(p)[i] = *reinterpret_cast<const uint2 *>(r.u);
}

template <KType T, int W> static __device__ inline Wide<W> raw_widen(const Raw<T, W> &r)
{
    Wide<W> w;
#pragma unroll
    for (int k = 0; k < W; k += 4) {
        Wide<4> four = cuda_load<4>(r.u, T, k);
        for (int i = 0; i < 4; i++)
            w.v[k + i] = four.v[i];
    }
    return w;
}
template <KType T, int W> static __device__ inline Raw<T, W> raw_narrow(const Wide<W> &w)
{
    Raw<T, W> r;
#pragma unroll
    for (int k = 0; k < W; k += 4) {
        Wide<4> four = {{w.v[k], w.v[k + 1], w.v[k + 2], w.v[k + 3]}};
        cuda_store<4>(r.u, T, k, four);
    }
    return r;
}

/* No gap between v's rows, and its elements of that type, to be read 16 bytes at a time? Those of
 * {0} are. */
static inline bool raw_takes(View v, KType t)
{
    return !v.p || (v.type == t && v.stride == v.cols && (uintptr_t)v.p % 16 == 0);
}

#endif
