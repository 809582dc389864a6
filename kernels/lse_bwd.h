/* lse_bwd.h - the gradient of the cross entropy over a vocabulary that comes in panels.
 *
 * For each row of x [rows, cols], which are the columns [col0, col0 + cols) of `whole`, with top
 * and sum as lse leaves them after the last panel (lse.h):
 *   dx = weight[i] * (e^(x - top) / sum - q),  q = (1 - smooth) at target[i], + smooth / whole
 *   loss = weight[i] * (top + log sum - (1 - smooth) seen - smooth / whole * all)
 *   target[i] -1: 0, and 0. weight NULL: 1. loss NULL: not wanted; then neither are seen and all.
 * x, dx f32 or bf16 or f16; dx may be x. Within 2e-6 max(1, |weight|), rounded once where 16 bits.
 */
#ifndef WEFT_LSE_BWD_H
#define WEFT_LSE_BWD_H

typedef struct LseBwd {
    View x, dx;
    int64_t col0, whole;
    const int32_t *target;
    const float *weight, *top, *seen;
    const double *sum, *all; /* all: where smooth is not 0 */
    float smooth;
    float *loss; /* [rows] */
} LseBwd;

#endif
