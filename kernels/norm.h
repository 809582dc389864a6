/* norm.h - layer norm and RMS norm, with the residual that goes before.
 *
 * s = x + r;  y = (s - mean) / sqrt(var + eps) * gamma + beta      Ba et al. 2016
 *    (rms:    y = s / sqrt(mean(s^2) + eps) * gamma)               Zhang & Sennrich 2019
 * over each row of [rows, cols]; var is the biased variance about the mean (two passes).
 *   x f32, bf16 or f16; r the same shape, any type, {0}: none
 *   sum: where s goes (the next residual where norms come first), {0}: nowhere; may be x or r
 *   y: f32, bf16 or f16; y2: a second copy of another type, {0}: none; y may be x or r
 *   gamma, beta f32 [cols] in device memory; beta NULL: none
 *   stats: f32 [rows, 2], each row's mean (rms: 0) and 1 / sqrt(..), for the way back; NULL:
 * nowhere y within 1e-5 max(1, |y|), normalised mean squared error 1e-12; sum within 2e-7 max(1,
 * |s|); bf16 and f16 ones rounded once, from f32. Reads and writes each element once. */
#ifndef WEFT_NORM_H
#define WEFT_NORM_H

typedef struct Norm {
    View x, r, sum, y, y2;
    const float *gamma, *beta;
    float eps;
    bool rms;
    float *stats;
} Norm;

/* The way back, f32: with n = (s - mean) * scale of `stats` and g = dy * gamma,
 *   dx = scale * (g - mean(g) - n * mean(g * n)) + r      (rms: without mean(g))
 *     dy, s, r, dx [rows, cols]; r {0}: none; dx may be dy or r; dx2: a copy of another type, {0}:
 *     none. Within 1e-5 max(1, |dx|).
 * and, for the columns [lo, hi), sums over rows in blocks of 512, in order:
 *   dgamma (+)= sum of dy * n,  dbeta (+)= sum of dy      dbeta NULL: not wanted */
typedef struct NormBwd {
    View dy, s, r, dx, dx2;
    const float *stats, *gamma;
    bool rms;
} NormBwd;

typedef struct NormDw {
    View dy, s;
    const float *stats;
    float *dgamma, *dbeta;
    int64_t lo, hi;
    bool add;
} NormDw;

#endif
