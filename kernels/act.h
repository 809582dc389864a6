/* act.h - activation functions, element by element.
 *
 * y = f(x), or f(x) * gate     x, gate, y [rows, cols] of any type; y may be x or gate
 *   GELU       x/2 (1 + erf(x/sqrt 2))                          Hendrycks & Gimpel 2016
 *   GELU_TANH  x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))    "gelu_new", GPT-2
 * f32: within 1e-6 max(1, |x|) of the formula in double precision; a bf16 or f16 y is rounded once.
 *   With a gate the bound is times max(1, |gate|).                       Shazeer 2020
 * Moves rows * cols * (size of x + size of y) bytes, and the gate's. */
#ifndef WEFT_ACT_H
#define WEFT_ACT_H

typedef enum Act { ACT_NONE, ACT_GELU, ACT_GELU_TANH, ACT_RELU, ACT_TANH, ACT_SILU, ACT_COUNT } Act;

typedef struct Activate {
    View x, y;
    View gate; /* {0}: none */
    Act act;
} Activate;

/* The way back: dx = dy * f'(x), or dy * gate * f'(x); x is what went into f. All of any type; dx
 * may be any of them. f32: within 3e-6 max(1, |dy|), with a gate times max(1, |gate|); a bf16 or
 * f16 dx is rounded once. (A gate's own gradient is f(x) * dy: Activate with dy as the gate.) */
typedef struct ActivateBwd {
    View x, dy, dx;
    View gate; /* {0}: none */
    Act act;
} ActivateBwd;

#endif
