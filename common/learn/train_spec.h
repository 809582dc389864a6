/* train_spec.h - what `train` is asked to do, and whether it goes together. Where that is wrong it
 * is a usage error. */
#ifndef WEFT_TRAIN_SPEC_H
#define WEFT_TRAIN_SPEC_H

#include "learn/fit.h"

#define STEPS_MOST (INT64_C(1) << 50)
enum { COUNT_MOST = 1 << 24 }; /* epochs, rows of a batch, batches of a step */

typedef struct TrainSpec {
    FitSpec fit;
    const char *output;            /* the folder to make */
    const char *valid, *log;       /* a stream to evaluate on, a file to write; or NULL */
    const char *class_weight;      /* as class_weights() reads it, or NULL */
    int layers;                    /* Linear layers of the head */
    int64_t size[HEAD_LAYERS + 1]; /* their widths; the ends are known once the rows are read */
    double dropout;                /* of what goes into each layer */
    bool force, init_only, skip;
} TrainSpec;

extern const TrainSpec train_spec_default;

/* The layers of --head: "linear", or "mlp:N[,N...]", hidden ones of N. */
int train_spec_head(TrainSpec *t, const char *text, Err *e);
/* --warmup: a whole number of steps, or a ratio of all steps. */
int train_spec_warmup(TrainSpec *t, const char *text, Err *e);
int train_spec_check(const TrainSpec *t, Err *e);

#endif
