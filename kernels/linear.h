/* linear.h - the matrix product.
 *
 * y = act(x W' + b) (+ r)    x [m, k], W [n, k], b [n], r and y [m, n]
 *   col0, cols: only the outputs [col0, col0 + cols) of a weight made by `refer` or `pack_thin`;
 *     0, 0: all. Of pack_thin's col0 is a multiple of THIN_COLS, and cols, but at the end
 *   r: added after the activation (may be y itself, which is "y +="); {0}: none
 *   pre: where x W' + b goes before the activation, for the way back; {0}: nowhere
 * x has the type that the weight is computed in (f32, or bf16 or f16 where Device.bf16 or
 * Device.f16 says so); y, r, pre are of any type. Sums are f32 always; what f16 cannot hold
 * (beyond 65,504) becomes infinite in an f16 y. 2 m n k flops.
 * x of unit variance and rows of W of unit length: within 1e-5 max(1, |y|) of double precision,
 * normalised mean squared error 1e-12; where x is bf16 or f16, 1e-11, for tensor cores align the
 * products that they add and cut off what is below the largest one's digits (Fasi et al.,
 * "Numerical behavior of NVIDIA tensor cores", 2021). Where y is bf16 or f16 the bias may be
 * rounded too, and what there is after the product, after the activation and after the sum. The
 * bounds of dx and dW below are those of f32, of unit size.
 * Packed weights are multiplied by oneDNN in calls of fixed shape (m of 64, 128 or 256 rows; the
 * tail is computed and thrown away), so that a row's bits do not depend on m. `refer`red ones by
 * dot products in a fixed order.
 *
 * Thin weights (`pack_thin`) are for few rows, 1 to some 64, where time is the reading of the
 * weights: 4 (THIN_F32), 2 (THIN_BF16) or 1 (THIN_I8) bytes each. x is f32, and so are y, r and pre
 * where speed counts. A row's sums run over k in an order that its m, the columns asked for,
 * threads and neighbours do not change; different kinds of CPU, and CUDA, may differ in the last
 * bits of THIN_F32 and THIN_BF16. The bounds are those of f32, of the weights as they are kept:
 *   THIN_F32: as they are
 *   THIN_BF16: rounded to nearest even
 *   THIN_I8: w = q s, for each output s = max |w| / 127 over k, and q an integer, w (127 / max |w|)
 *     rounded to nearest even. Each row of x is rounded so too, in the call: sums are of integers,
 *     exact, and the same everywhere. y = (s_x s) sum + b, in this order, each step rounded to f32.
 *     A maximum below 2^-100 counts as 0; a row of x with an infinite number or NaN gives NaN, and
 *     so does an output with such a weight. k <= THIN_K. For normal numbers the rounding of both
 *     leaves a normalised mean squared error of 4e-4 at most (k >= 64).
 * Each call rounds x anew, so columns are best cut into a few times as many pieces as there are
 * threads. */
#ifndef WEFT_LINEAR_H
#define WEFT_LINEAR_H

enum { THIN_COLS = 32, THIN_K = 1 << 17 };

typedef struct Linear {
    View x;
    const Weight *w;
    int64_t col0, cols;
    Act act;
    View r;
    View y;
    View pre;
} Linear;

/* dx = dy W (+ r): dy [m, n] of the type that W is computed in, W [n, k] a weight made by `refer`
 * or `follow`, dx and r [m, k] f32; r {0}: none, and may be dx. */
typedef struct LinearDx {
    View dy;
    const Weight *w;
    View r, dx;
} LinearDx;

/* dW (+)= dy' x, db (+)= column sums of dy: dy [m, n] and x [m, k] of one type, f32 or what
 * Device.bf16 says; dw [n, k] dense f32; db f32 [n] or NULL; for the rows [lo, hi) of dW (all: 0,
 * n). Tokens are added in blocks of 512, in order. (A matrix [inputs, outputs], as GPT-2 has it:
 * dy and x change places, and Colsum makes db.) */
typedef struct LinearDw {
    View dy, x;
    View dw;
    float *db;
    int64_t lo, hi;
    bool add;
} LinearDw;

#endif
