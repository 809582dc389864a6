/* lora.h - low-rank adapters (Hu et al., "LoRA", 2021), as peft trains them: a matrix W stays as it
 * is, and what learns is A [rank, inputs], drawn as peft draws it, and B [outputs, rank], which
 * begins as 0:
 *
 *     y = x (W + s B A)' + b    s = alpha / rank
 *
 * W + s B A stands in W's place among the model's parameters and is made anew after each step; of
 * its gradient dW, which the way back makes as it makes any, dB = s dW A' and dA = s B' dW.
 *
 *     Lora *l = lora_plan(t, 8, 16, false);    // before transformer_learns
 *     lora_ready(l, grad, &e);                 // behind it
 *     ... the way back ... lora_gradient(l); ... a step over A and B ... lora_apply(l);
 *     transformer_renew(t, NULL);
 */
#ifndef WEFT_LORA_H
#define WEFT_LORA_H

#include "model/transformer/transformer_learn.h"

typedef struct Lora Lora;

/* A matrix that has an adapter, and the adapter: parameters of the plan. b lies turned, [rank,
 * outputs]. */
typedef struct LoraPart {
    int base, a, b;
} LoraPart;

/* Adds adapters to the plan: to the matrices of queries and values, or to all of the layers. */
Lora *lora_plan(Transformer *t, int64_t rank, double alpha, bool all);
/* Keeps what the matrices are now; grad as in Learn. */
int lora_ready(Lora *l, float *grad, Err *e);
/* From the gradients of the matrices to those of the adapters. */
void lora_gradient(Lora *l);
/* The matrices by the adapters as they are. */
void lora_apply(Lora *l);
const LoraPart *lora_parts(const Lora *l, int *n);
void lora_free(Lora *l); /* NULL is fine; before its transformer */

#endif
