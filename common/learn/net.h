/* net.h - a stack of Linear layers with ReLU between them, forward and back, on a device.
 *
 *     h[0] = x;  h[l+1] = relu(dropout(h[l]) W_l' + b_l);  the last without relu: the logits
 *
 * Parameters lie in one piece in network order (W_0, b_0, W_1, ...), and so do their gradients.
 * A row's logits do not depend on the rows around it, and gradients add in a fixed order: the
 * same numbers whatever the number of threads. */
#ifndef WEFT_NET_H
#define WEFT_NET_H

#include "kernels/device.h"
#include "model/head/headfile.h"

typedef struct Net {
    Device *dev;
    int layers;
    int64_t size[HEAD_LAYERS + 1]; /* inputs, hidden widths, classes */
    double dropout;
    int64_t params;
    float *param, *grad;                            /* device memory, [params] */
    float *weight[HEAD_LAYERS], *bias[HEAD_LAYERS]; /* into param */
    /* private: */
    Weight *w[HEAD_LAYERS];
    int64_t batch;             /* rows of a gradient pass at most */
    float *h[HEAD_LAYERS + 1]; /* what goes into each layer; logits */
    float *d[HEAD_LAYERS + 1]; /* loss's gradient by those; d[0] is not wanted */
} Net;

/* size: [layers + 1]. NULL: too large for the device's memory. */
Net *net_new(Device *dev, const int64_t *size, int layers, int64_t batch, double dropout, Err *e);
void net_free(Net *n); /* NULL is fine */

/* Draws the weights as torch.nn.Linear does: weight and bias uniform in +-1/sqrt(inputs). */
void net_init(Net *n, uint64_t seed);

/* Rows of one gradient pass; device memory. */
typedef struct NetBatch {
    View x;                /* all vectors, f32 [_, size[0]] */
    const int64_t *row;    /* [rows] which of them */
    const int32_t *target; /* [rows]; NULL: */
    View shares;           /* [rows, classes] of each class, device memory */
    const float *weight;   /* [rows] what losses are multiplied by: 1 / rows for their mean */
    int64_t rows;          /* at most `batch` */
    float smooth;          /* label smoothing */
    const float *classes;  /* [classes] what each counts in it; NULL: 1 */
    uint64_t seed;         /* of the dropout: of the run and the step */
    bool add;              /* to the gradients that are there */
    float *loss;           /* [rows] out, weighted */
} NetBatch;

void net_gradient(Net *n, const NetBatch *b);
/* Logits y [rows, classes] of x [rows, size[0]], without dropout; in pieces, on all threads. */
void net_logits(Net *n, View x, View y);

#endif
