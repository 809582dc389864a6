/* sqnorm.h - out[0] = the sum of x^2 over n elements, f32, in double, in blocks of fixed size and
 * order. Within 1e-12 out[0] of double precision. Moves 4 n bytes. */
#ifndef WEFT_SQNORM_H
#define WEFT_SQNORM_H

typedef struct Sqnorm {
    const float *x;
    int64_t n;
    double *out;
} Sqnorm;

#endif
