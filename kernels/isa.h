/* isa.h - one source, compiled for several kinds of CPU. The Makefile compiles every operation
 * with -DWEFT_ISA=v2, v3 and v4 (the x86-64 levels; `any` elsewhere); K(name) gives each copy a
 * name of its own, and cpu.c takes the best table that the machine can run. */
#ifndef WEFT_ISA_H
#define WEFT_ISA_H

#include "kernels/device.h"

#define K_PASTE2(a, b) a##_##b
#define K_PASTE(a, b) K_PASTE2(a, b)
#define K(name) K_PASTE(name, WEFT_ISA)

typedef struct Thin Thin; /* thin.h */

/* The operations that are pure arithmetic, a table a kind of CPU. */
typedef struct CpuOps {
#define FIELD(name, Args) void (*name)(Piece *, const Args *);
#define NONE(name, Args)
    OPS(FIELD, NONE)
#undef FIELD
#undef NONE
    /* y = x W' + b for a matrix that lies plain in memory. */
    void (*dots)(View x, View w, const float *bias, View y);
    /* linear_dx and linear_dw where matrices lie plain and are small. */
    void (*plain_dx)(Piece *p, const LinearDx *a);
    void (*plain_dw)(Piece *p, const LinearDw *a);
    /* y = x W' + b of the outputs [col0, col0 + y.cols) of a thin weight, x and y f32. */
    void (*thin)(const Thin *w, int64_t col0, View x, View y);
    void (*thin_fill)(Piece *p, const Thin *w);
    void (*thin_i8)(Piece *p, const Thin *w, int64_t col0, View x, View y);
    int thin_group; /* the largest Thin.group that thin_i8 takes */
} CpuOps;

#ifdef WEFT_ISA
extern const CpuOps K(cpu_ops);
#endif
extern const CpuOps *cpu_ops_best(void);

/* The matrix f32 [n, k] of a weight made by `refer`. */
View weight_plain(const Weight *w);

#endif
