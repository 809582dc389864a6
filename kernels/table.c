/* table.c - the operations of one kind of CPU, gathered. */
#include "kernels/thin.h"

#define DECLARE(name, Args) void K(name)(Piece *, const Args *);
#define TAKE(name, Args) .name = K(name),
#define NONE(name, Args)

OPS(DECLARE, NONE)
void K(dots)(View x, View w, const float *bias, View y);
void K(plain_dx)(Piece *p, const LinearDx *a);
void K(plain_dw)(Piece *p, const LinearDw *a);

const CpuOps K(cpu_ops) = {.dots = K(dots),
                           .plain_dx = K(plain_dx),
                           .plain_dw = K(plain_dw),
                           .thin = K(thin),
                           .thin_fill = K(thin_fill),
                           .thin_i8 = K(thin_i8),
                           .thin_group = THIN_GROUP,
                           OPS(TAKE, NONE)};
