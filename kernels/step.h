/* step.h - one step of an optimizer over n parameters, f32, as PyTorch 2.8 does it.
 *
 *   STEP_ADAMW  p -= lr * decay * p; then Adam       Loshchilov & Hutter 2019
 *   STEP_ADAM   g += decay * p; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
 *               p -= lr * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)     Kingma & Ba 2015
 *   STEP_SGD    g += decay * p; m = momentum m + g (t = 1: m = g); p -= lr * (m or g)
 * g is multiplied by *clip first (device memory; NULL: 1). One call covers parameters of equal
 * decay. Within 2e-6 max(1, |result|) of double precision. Adam moves 28 n bytes. */
#ifndef WEFT_STEP_H
#define WEFT_STEP_H

typedef enum StepKind { STEP_ADAMW, STEP_ADAM, STEP_SGD, STEP_KINDS } StepKind;

typedef struct Step {
    StepKind kind;
    float *p, *m, *v; /* v unused by SGD; m unused by SGD without momentum */
    const float *g;
    int64_t n;
    double lr, decay, beta1, beta2, eps, momentum;
    int64_t t; /* number of this step, from 1 */
    const float *clip;
} Step;

#endif
