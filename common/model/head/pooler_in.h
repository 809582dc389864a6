/* pooler_in.h - what a pooler is made of; for pooler*.c alone. */
#ifndef WEFT_POOLER_IN_H
#define WEFT_POOLER_IN_H

#include "model/head/pooler.h"

/* What is done to the vectors: y = act(x W' + b) (+ x, or + x R'), a layer norm, or length 1. */
typedef struct PoolStep {
    ModuleKind kind;
    int64_t in, out;
    Weight *dense, *residual;
    bool adds; /* x itself */
    Act act;
    float *gamma, *beta; /* device memory */
} PoolStep;

struct Pooler {
    Pooling pooling;
    Device *dev;
    Weight *dense; /* POOL_POOLER's */
    PoolStep *step;
    int steps;
    float *gamma; /* device: 1/sqrt(cols), with which the RMS norm is the length's */
    int64_t gamma_cols;
};

/* The modules behind Pooling, whose vectors have so many numbers. */
int pooler_add_modules(Pooler *p, const char *home, int64_t cols, Err *e);
/* n times the number x in device memory, or NULL. */
float *pooler_fill(Device *d, int64_t n, float x, Err *e);

#endif
