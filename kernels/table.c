/* table.c - the operations of one kind of CPU, gathered. */
#include "kernels/isa.h"

#define DECLARE(name, Args) void K(name)(Piece *, const Args *);
#define TAKE(name, Args) .name = K(name),
#define NONE(name, Args)

OPS(DECLARE, NONE)
void K(dots)(View x, View w, const float *bias, View y);

const CpuOps K(cpu_ops) = {.dots = K(dots), OPS(TAKE, NONE)};
