/* learner.h - what the training loop (fit.h) asks of what learns: a head on vectors, a whole model.
 * Parameters and their gradients lie in one piece each, in device memory, by the places of a list.
 */
#ifndef WEFT_LEARNER_H
#define WEFT_LEARNER_H

#include "kernels/device.h"
#include "learn/examples.h"
#include "measure/metrics.h"
#include "model/transformer/params.h"

typedef struct Learner Learner;

/* Rows of one pass forward and back. */
typedef struct LearnPart {
    const int64_t *row; /* [n] of the rows to learn from */
    int64_t n;
    int64_t epoch;
    double total;  /* weight of all rows of the step: what the loss is divided by */
    uint64_t seed; /* of the run and the step */
    bool add;      /* to the gradients that are there */
} LearnPart;

/* What a pass says, each by its weight over the total: their sum is the loss. */
typedef struct LearnLoss {
    float *value; /* [n] host, to be freed; filled when the device has been waited for */
    int64_t n;
} LearnLoss;

typedef struct LearnerKind {
    /* What a row weighs in its step's loss; 0: nothing of it is learnt from. */
    double (*weight)(Learner *l, int64_t row, int64_t epoch);
    int (*gradient)(Learner *l, const LearnPart *part, LearnLoss *loss, Err *e);
    /* Parameters have changed. */
    void (*changed)(Learner *l);
    int (*evaluate)(Learner *l, const Examples *rows, Summary *s, Err *e); /* 1: stopped */
    void (*free)(Learner *l);
} LearnerKind;

/* The first member of each. */
struct Learner {
    const LearnerKind *kind;
    Device *dev;
    const Params *params;
    const bool *trains;  /* by parameter */
    float *param, *grad; /* [params->numbers] */
    const Examples *rows;
    bool (*stop)(void *ctx); /* is an evaluation to be left? NULL: never */
    void *stop_ctx;
    /* A table of which most rows are never seen: of those rows gradients are 0, and remain so. */
    int table;     /* its parameter; -1: none */
    uint8_t *seen; /* by row of it: has had a gradient */
};

/* n numbers of the device on the host, to be freed; NULL: the device has failed. */
float *learner_bring(const Learner *l, const float *from, int64_t n, Err *e);
/* All parameters so. */
float *learner_numbers(const Learner *l, Err *e);

#endif
