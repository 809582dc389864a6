/* isa.h - one source, compiled for several kinds of CPU. The Makefile compiles every operation
 * with -DWEFT_ISA=v2, v3 and v4 (the x86-64 levels; `any` elsewhere); K(name) gives each copy a
 * name of its own, and cpu.c takes the best table that the machine can run. */
#ifndef WEFT_ISA_H
#define WEFT_ISA_H

#include "kernels/device.h"

#define K_PASTE2(a, b) a##_##b
#define K_PASTE(a, b) K_PASTE2(a, b)
#define K(name) K_PASTE(name, WEFT_ISA)

/* The operations that are pure arithmetic, a table a kind of CPU. */
typedef struct CpuOps {
    void (*norm)(Piece *p, const Norm *a);
    void (*attend)(Piece *p, const Attend *a);
    void (*embed)(Piece *p, const Embed *a);
    void (*gather)(Piece *p, const Gather *a);
    void (*segmax)(Piece *p, const Segmax *a);
    void (*act)(Piece *p, const Activate *a);
    void (*act_bwd)(Piece *p, const ActivateBwd *a);
    void (*mix)(Piece *p, const Mix *a);
    void (*linear_dx)(Piece *p, const LinearDx *a);
    void (*linear_dw)(Piece *p, const LinearDw *a);
    void (*xent)(Piece *p, const Xent *a);
    void (*lse)(Piece *p, const Lse *a);
    void (*topk)(Piece *p, const Topk *a);
    void (*sqnorm)(Piece *p, const Sqnorm *a);
    void (*step)(Piece *p, const Step *a);
    /* y = x W' + b for a matrix that lies plain in memory. */
    void (*dots)(View x, View w, const float *bias, View y);
} CpuOps;

#ifdef WEFT_ISA
extern const CpuOps K(cpu_ops);
#endif
extern const CpuOps *cpu_ops_best(void);

/* The matrix f32 [n, k] of a weight made by `refer`. */
View weight_plain(const Weight *w);

#endif
