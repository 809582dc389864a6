/* ops.h - the operations, each said once: its header, and its line in the list. Made from the list
 * are the table (device.h), the operations of a kind of CPU (isa.h, table.c), what fills the table
 * (cpu.c, cuda.cu), cuda.h's declarations, what a plug-in is known by (plugin.h), and what
 * tests/ops must have run. Included by device.h, which has the types.
 *
 *     #define FIELD(name, Args) void (*name)(Piece *, const Args *);
 *     OPS(FIELD, FIELD)
 *
 * OP: kernels/name.c has K(name), compiled once for each kind of CPU.
 * OWN: the CPU's device has cpu_name: products are chosen for the kind of CPU by their library.
 * On CUDA either is cuda_name, of kernels/name.cu. */
#ifndef WEFT_OPS_H
#define WEFT_OPS_H

#include "kernels/act.h"
#include "kernels/attend.h"
#include "kernels/clip.h"
#include "kernels/colsum.h"
#include "kernels/embed.h"
#include "kernels/gather.h"
#include "kernels/linear.h"
#include "kernels/lse.h"
#include "kernels/lse_bwd.h"
#include "kernels/mix.h"
#include "kernels/norm.h"
#include "kernels/point_loss.h"
#include "kernels/recall.h"
#include "kernels/rotate.h"
#include "kernels/segmax.h"
#include "kernels/sqnorm.h"
#include "kernels/step.h"
#include "kernels/topk.h"
#include "kernels/xent.h"

#define OPS(OP, OWN)                                                                               \
    OWN(linear, Linear)                                                                            \
    OWN(linear_dx, LinearDx)                                                                       \
    OWN(linear_dw, LinearDw)                                                                       \
    OP(norm, Norm)                                                                                 \
    OP(norm_bwd, NormBwd)                                                                          \
    OP(norm_dw, NormDw)                                                                            \
    OP(attend, Attend)                                                                             \
    OP(attend_bwd, AttendBwd)                                                                      \
    OP(recall, Recall)                                                                             \
    OP(rotate, Rotate)                                                                             \
    OP(rotate_bwd, RotateBwd)                                                                      \
    OP(embed, Embed)                                                                               \
    OP(gather, Gather)                                                                             \
    OP(segmax, Segmax)                                                                             \
    OP(act, Activate)                                                                              \
    OP(act_bwd, ActivateBwd)                                                                       \
    OP(mix, Mix)                                                                                   \
    OP(xent, Xent)                                                                                 \
    OP(lse, Lse)                                                                                   \
    OP(lse_bwd, LseBwd)                                                                            \
    OP(point_loss, PointLoss)                                                                      \
    OP(colsum, Colsum)                                                                             \
    OP(topk, Topk)                                                                                 \
    OP(sqnorm, Sqnorm)                                                                             \
    OP(clip, Clip)                                                                                 \
    OP(step, Step)

#endif
