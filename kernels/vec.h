/* vec.h - sixteen floats at a time, in the compiler's own vector types: one AVX-512 register,
 * two of AVX2 or four of SSE, whichever this copy is compiled for. */
#ifndef WEFT_VEC_H
#define WEFT_VEC_H

#include "kernels/isa.h"

#include <string.h>

enum { VN = 16 };
typedef float vf __attribute__((vector_size(64)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint16_t vh __attribute__((vector_size(32)));
typedef uint32_t vu __attribute__((vector_size(64)));

#define VFN static inline __attribute__((always_inline, unused))

VFN vf vset(float x)
{
    return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
}
VFN vf vload(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
VFN void vstore(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}
/* The first n (< VN) elements; the others are 0. */
VFN vf vload_n(const float *p, int64_t n)
{
    vf v = vset(0);
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}
VFN void vstore_n(float *p, vf v, int64_t n)
{
    memcpy(p, &v, (size_t)n * sizeof *p);
}
VFN vf vpick(vi mask, vf yes, vf no)
{
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* What one register holds. What compares goes through a vf by these: gcc compares wider vectors
 * number by number, and keeps arrays of them in memory. */
#if defined __AVX512F__
enum { RN = 16 };
#elif defined __AVX__
enum { RN = 8 };
#else
enum { RN = 4 };
#endif
typedef float vr __attribute__((vector_size(RN * 4)));
typedef int32_t vri __attribute__((vector_size(RN * 4)));
typedef uint32_t vru __attribute__((vector_size(RN * 4)));

VFN vr rset(float x)
{
    return x - (vr){0};
}
VFN vr rload(const float *p)
{
    vr v;
    memcpy(&v, p, sizeof v);
    return v;
}
VFN vr rpick(vri mask, vr yes, vr no)
{
    return (vr)((mask & (vri)yes) | (~mask & (vri)no));
}
VFN vr rmax(vr a, vr b)
{
    return rpick(a > b, a, b);
}
VFN vr rmin(vr a, vr b)
{
    return rpick(a < b, a, b);
}
#define BY_REGISTERS(expr)                                                                         \
    vr x[VN / RN], y[VN / RN];                                                                     \
    memcpy(x, &a, sizeof x);                                                                       \
    memcpy(y, &b, sizeof y);                                                                       \
    for (int i = 0; i < VN / RN; i++)                                                              \
        x[i] = expr;                                                                               \
    memcpy(&a, x, sizeof a);                                                                       \
    return a;
VFN vf vmax(vf a, vf b){BY_REGISTERS(rmax(x[i], y[i]))} VFN vf
    vmin(vf a, vf b){BY_REGISTERS(rmin(x[i], y[i]))}
/* a < b, and a >= b: all bits where it holds. */
VFN vi vless(vf a, vf b)
{
    vr x[VN / RN], y[VN / RN];
    vri less[VN / RN];
    vi v;
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int i = 0; i < VN / RN; i++)
        less[i] = x[i] < y[i];
    memcpy(&v, less, sizeof v);
    return v;
}
VFN vi vleast(const uint32_t *a, uint32_t b)
{
    vri least[VN / RN];
    vi v;
    for (int i = 0; i < VN / RN; i++) {
        vru u;
        memcpy(&u, a + i * RN, sizeof u);
        least[i] = u >= b;
    }
    memcpy(&v, least, sizeof v);
    return v;
}
#define VFOLD(v, a, b, c, d, e, f, g, h)                                                           \
    __builtin_shufflevector(v, v, a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0)

/* Sum and maximum over the sixteen, always in the same order. */
VFN float vsum(vf v)
{
    v += VFOLD(v, 8, 9, 10, 11, 12, 13, 14, 15);
    v += VFOLD(v, 4, 5, 6, 7, 0, 0, 0, 0);
    v += VFOLD(v, 2, 3, 0, 0, 0, 0, 0, 0);
    return v[0] + v[1];
}
VFN float vtop(vf v)
{
    v = vmax(v, VFOLD(v, 8, 9, 10, 11, 12, 13, 14, 15));
    v = vmax(v, VFOLD(v, 4, 5, 6, 7, 0, 0, 0, 0));
    v = vmax(v, VFOLD(v, 2, 3, 0, 0, 0, 0, 0, 0));
    return v[0] > v[1] ? v[0] : v[1];
}

VFN vf vwiden(vh h)
{
    return (vf)(__builtin_convertvector(h, vu) << 16);
}
/* Round to nearest even; NaN stays one. */
VFN vh vnarrow(vf f)
{
    vu u = (vu)f;
    vu r = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    vu nan = u >> 16 | 64;
    vu is_nan = (vu)((u & 0x7fffffff) > 0x7f800000);
    return __builtin_convertvector((is_nan & nan) | (~is_nan & r), vh);
}

/* n <= VN elements of a row of either type, widened; those beyond n are 0. */
VFN vf vget(const void *p, KType t, int64_t i, int64_t n)
{
    if (t == K_F32)
        return n >= VN ? vload((const float *)p + i) : vload_n((const float *)p + i, n);
    vh h = {0};
    if (n >= VN)
        memcpy(&h, (const uint16_t *)p + i, sizeof h);
    else
        memcpy(&h, (const uint16_t *)p + i, (size_t)n * 2);
    return vwiden(h);
}
VFN void vput(void *p, KType t, int64_t i, vf v, int64_t n)
{
    if (t == K_F32) {
        if (n >= VN)
            vstore((float *)p + i, v);
        else
            vstore_n((float *)p + i, v, n);
        return;
    }
    vh h = vnarrow(v);
    memcpy((uint16_t *)p + i, &h, n >= VN ? sizeof h : (size_t)n * 2);
}

/* e^x for x <= 88; below -87.3 it is 0, and NaN stays NaN. Cody-Waite reduction, Taylor's series to
 * x^6 on
 * [-ln2/2, ln2/2]: relative error under 2e-7. */
VFN vr rexp(vr x)
{
    const vr low = rset(-87.3f), high = rset(88.0f), given = x;
    vri under = x < low;
    x = rmin(rmax(x, low), high);
    vr n = x * rset(1.44269504f);
    const vr magic = rset(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    vr t = n + magic;
    vri k = (vri)t - (vri)magic;
    n = t - magic;
    x = x - n * rset(0.693359375f);
    x = x + n * rset(2.12194440e-4f);
    vr p = rset(1.0f / 720);
    p = p * x + rset(1.0f / 120);
    p = p * x + rset(1.0f / 24);
    p = p * x + rset(1.0f / 6);
    p = p * x + rset(0.5f);
    p = p * x * x + x + rset(1.0f);
    vr e = p * (vr)((k + 127) << 23);
    return rpick(given == given, (vr)(~under & (vri)e), given);
}
VFN vf vexp(vf x)
{
    vr part[VN / RN];
    memcpy(part, &x, sizeof x);
    for (int i = 0; i < VN / RN; i++)
        part[i] = rexp(part[i]);
    memcpy(&x, part, sizeof x);
    return x;
}

#define VROW(v, i) ((void *)((char *)(v).p + (size_t)((i) * (v).stride) * ktype_size((v).type)))

#endif
