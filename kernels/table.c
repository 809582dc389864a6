/* table.c - the operations of one kind of CPU, gathered. */
#include "kernels/isa.h"

#define ONE(name, type) void K(name)(Piece *, const type *);
ONE(norm, Norm)
ONE(attend, Attend)
ONE(embed, Embed)
ONE(gather, Gather)
ONE(segmax, Segmax)
ONE(act, Activate)
ONE(act_bwd, ActivateBwd)
ONE(mix, Mix)
ONE(linear_dx, LinearDx)
ONE(linear_dw, LinearDw)
ONE(xent, Xent)
ONE(lse, Lse)
ONE(topk, Topk)
ONE(sqnorm, Sqnorm)
ONE(step, Step)
void K(dots)(View x, View w, const float *bias, View y);

const CpuOps K(cpu_ops) = {
    .norm = K(norm),
    .attend = K(attend),
    .embed = K(embed),
    .gather = K(gather),
    .segmax = K(segmax),
    .act = K(act),
    .act_bwd = K(act_bwd),
    .mix = K(mix),
    .linear_dx = K(linear_dx),
    .linear_dw = K(linear_dw),
    .xent = K(xent),
    .lse = K(lse),
    .topk = K(topk),
    .sqnorm = K(sqnorm),
    .step = K(step),
    .dots = K(dots),
};
