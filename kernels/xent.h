/* xent.h - softmax cross entropy over classes, and its gradient. All f32, sums in double.
 *
 * loss[i] = weight[i] * -sum over c of q[c] log softmax(x[i])[c]
 * dx[i]   = weight[i] * (softmax(x[i]) * sum of q - q)
 *   q       1 - smooth at target[i], + smooth / cols everywhere       Szegedy et al. 2016
 *           and that times classes[c], as torch.nn.CrossEntropyLoss(weight, label_smoothing)
 *   dx      {0}: not wanted; it may be x
 *   weight, classes  NULL: 1
 *   target  -1: loss and gradient 0
 * Within 2e-6 max(1, |result|) of double precision. Moves 4 rows * cols bytes, and dx's. */
#ifndef WEFT_XENT_H
#define WEFT_XENT_H

typedef struct Xent {
    View x, dx;
    const int32_t *target; /* [rows] */
    const float *weight;   /* [rows] */
    float smooth;
    float *loss;          /* [rows] */
    const float *classes; /* [cols] */
} Xent;

#endif
