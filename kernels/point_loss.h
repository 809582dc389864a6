/* point_loss.h - losses of numbers, and their gradients; and of shares. All f32.
 *
 *   POINT_SQUARE  l = (x - t)^2                          torch.nn.MSELoss
 *   POINT_BINARY  l = log(1 + e^-|x|) + max(x, 0) - x t  torch.nn.BCEWithLogitsLoss
 *   loss[i] = weight[i] * mean of l over the row's columns, but of
 *   POINT_SHARES  weight[i] * -sum of t log softmax(x)       torch.nn.CrossEntropyLoss of shares t
 *   dx its gradient ({0}: not wanted; it may be x). weight NULL: 1. t [rows, cols]. Sums in double,
 * within 2e-6 max(1, |result|). */
#ifndef WEFT_POINT_LOSS_H
#define WEFT_POINT_LOSS_H

typedef enum PointKind { POINT_SQUARE, POINT_BINARY, POINT_SHARES, POINT_KINDS } PointKind;

typedef struct PointLoss {
    PointKind kind;
    View x, t, dx;
    const float *weight; /* [rows] */
    float *loss;         /* [rows] */
} PointLoss;

#endif
