/* learn.h - what training adds: the loss, and the step of the optimizer. All f32.
 *
 * Xent: softmax cross entropy over classes, and its gradient.
 *   loss[i] = weight[i] * -sum over c of q[c] log softmax(x[i])[c]
 *   dx[i]   = weight[i] * (softmax(x[i]) - q)                        (dx {0}: not wanted; it may be
 * x) q = (1 - smooth) at target[i], + smooth / cols everywhere         Szegedy et al. 2016 weight
 * NULL: 1. target -1: loss and gradient 0. Sums in double.
 *
 * Sqnorm: out[0] = sum of x^2 over n elements, in double, in blocks of fixed size and order.
 *
 * Step: one step of an optimizer over n parameters, as PyTorch 2.8 does it.
 *   STEP_ADAMW  p -= lr * decay * p; then Adam       Loshchilov & Hutter 2019
 *   STEP_ADAM   g += decay * p; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2;
 *               p -= lr * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)     Kingma & Ba 2015
 *   STEP_SGD    g += decay * p; m = momentum m + g (t = 1: m = g); p -= lr * (m or g)
 *   g is multiplied by *clip first (device memory; NULL: 1). One call covers
 *   parameters of equal decay.
 *
 * Against double precision: Xent and Step within 2e-6 max(1, |result|), Sqnorm 1e-12 out[0]. */
#ifndef WEFT_LEARN_H
#define WEFT_LEARN_H

typedef struct Xent {
    View x, dx;
    const int32_t *target; /* [rows] */
    const float *weight;   /* [rows] */
    float smooth;
    float *loss; /* [rows] */
} Xent;

typedef struct Sqnorm {
    const float *x;
    int64_t n;
    double *out;
} Sqnorm;

typedef enum StepKind { STEP_ADAMW, STEP_ADAM, STEP_SGD } StepKind;

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
