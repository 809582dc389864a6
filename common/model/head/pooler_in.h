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

/* Device memory that stays from batch to batch, which asking for anew costs as much as the work. */
typedef struct PoolRoom {
    void *p;
    size_t bytes;
} PoolRoom;

struct Pooler {
    Pooling pooling;
    Device *dev;
    Weight *dense; /* POOL_POOLER's */
    PoolStep *step;
    int steps;
    PoolRoom *room; /* [steps + 1]: the vectors behind each step; NULL: none yet */
    float *gamma;   /* device: 1/sqrt(cols), with which the RMS norm is the length's */
    int64_t gamma_cols;
};

/* The modules behind Pooling, whose vectors have so many numbers. */
int pooler_add_modules(Pooler *p, const char *home, int64_t cols, Err *e);
/* n times the number x in device memory, or NULL. */
float *pooler_fill(Device *d, int64_t n, float x, Err *e);

#endif
