/* thin.h - weights for products of few rows as the CPU keeps them, and the products compiled for
 * each kind of CPU (linear.h has the contract). Outputs stand in panels of THIN_COLS, and a panel
 * in the order in which it is read: a vector of outputs at each input, so that a product goes
 * through memory once, from the beginning to the end.
 *
 *   THIN_F32: [panels][k][THIN_COLS] f32
 *   THIN_BF16: [panels][k][THIN_COLS / 2] pairs of bf16 in 32 bits: the lower half is the output c,
 *     the upper one the output THIN_COLS / 2 + c. Either becomes f32 by one instruction.
 *   THIN_I8: [panels][groups][THIN_COLS][group] bytes: the inputs that one instruction sums lie
 *     beside each other
 *
 * Outputs beyond n and inputs beyond k are 0. */
#ifndef WEFT_THIN_H
#define WEFT_THIN_H

#include "kernels/isa.h"

struct Thin {
    ThinForm form;
    int64_t n, k;
    const View *part; /* while it is made */
    bool by_input;
    int64_t panel; /* bytes of one */
    int group;     /* of THIN_I8: 2, or 4 where the CPU has AVX-512's VNNI */
    void *data;
    float *bias;    /* [panels * THIN_COLS] */
    float *scale;   /* the same, of THIN_I8, */
    int32_t *shift; /* and 128 times the sum of an output's bytes */
};

/* Bytes as THIN_I8 has them. Numbers are compared as integers, which orders them too. */
enum { THIN_LEAST = 0x0d800000, THIN_BEYOND = 0x7f800000 }; /* 2^-100; infinity */

/* The nearest integer of a small number: it is what stands in the low bits of the sum. */
static inline int32_t thin_nearest(float f)
{
    float sum = f + 12582912.0f; /* 1.5 * 2^23 */
    int32_t u;
    __builtin_memcpy(&u, &sum, sizeof u);
    return (int32_t)((uint32_t)u - 0x4b400000);
}

/* What makes bytes of numbers, and numbers of bytes, where the largest is `top` (its bits). */
typedef struct ThinScale {
    float up, down;
} ThinScale;
static inline ThinScale thin_scale(int32_t top)
{
    float max;
    __builtin_memcpy(&max, &top, sizeof max);
    if (top < THIN_LEAST)
        return (ThinScale){0, 0};
    if (top >= THIN_BEYOND)
        return (ThinScale){0, __builtin_nanf("")};
    return (ThinScale){127.0f / max, max / 127.0f};
}

enum { THIN_MOST = 4 }; /* the largest group */

/* Bytes from what is multiplied to what is asked for: the processor's own foresight ends at a page,
 * and a prefetch beyond the end harms nothing. */
enum { THIN_AHEAD = 1024 };

#ifdef WEFT_ISA
#if defined(__AVX512VL__)
enum { THIN_GROUP = 4 };
#else
enum { THIN_GROUP = 2 };
#endif
void K(thin)(const Thin *w, int64_t col0, View x, View y);
/* Panels [p->lo, p->hi) of one that is kept. */
void K(thin_fill)(Piece *p, const Thin *w);
void K(thin_i8)(Piece *p, const Thin *w, int64_t col0, View x, View y);
#endif

#endif
