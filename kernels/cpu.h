/* cpu.h - what the files of the CPU's device share: cpu.c (memory, pieces), cpu_weight.c (weights),
 * cpu_linear.c (the products with them), cpu_thin.c (both, of few rows). */
#ifndef WEFT_CPU_H
#define WEFT_CPU_H

#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/pool.h"
#include "kernels/thin.h"

#include <stdatomic.h>
#include <stdnoreturn.h>

typedef struct Arena Arena;

typedef struct Cpu {
    Device table; /* first: a Device * is a Cpu * */
    const CpuOps *ops;
    Pool *pool;
    Arena *arena;
    atomic_bool failed; /* and no piece is begun any more */
    char fault[96];     /* the first failure */
    char about[64];
} Cpu;

/* Packed for its products, thin, or where it lies plain. */
struct Weight {
    Packed *packed, *back; /* back: for the way back, of one that follows its matrix */
    Thin *thin;
    View plain; /* [n, k], or [k, n] by input */
    const float *bias;
    KType rounded; /* numbers are rounded to it and packed as f32; K_F32: they are not */
};

static inline Cpu *cpu_of(Device *d)
{
    return (Cpu *)d;
}

/* Ends the piece; `wait` tells why the first one ended so. */
noreturn void cpu_give_up(Piece *p, const char *why);

/* cpu_weight.c */
Weight *cpu_pack(Device *d, const View *part, const float *const *bias, int parts, bool by_input,
                 KType type);
Weight *cpu_refer(Device *d, View w, const float *bias);
Weight *cpu_follow(Device *d, View w, const float *bias, bool by_input, KType type);
void cpu_renew(Piece *p, Weight *w);
void cpu_unpack(Device *d, Weight *w);

/* cpu_thin.c */
Weight *cpu_pack_thin(Device *d, const View *part, const float *const *bias, int parts,
                      bool by_input, ThinForm form);
void cpu_thin_free(Thin *t);
/* y = x W' + b of the outputs [col0, col0 + y.cols); y f32. */
void cpu_thin(Piece *p, const Thin *t, int64_t col0, View x, View y);

/* cpu_linear.c */
void cpu_linear(Piece *p, const Linear *a);
void cpu_linear_dx(Piece *p, const LinearDx *a);
void cpu_linear_dw(Piece *p, const LinearDw *a);

#endif
