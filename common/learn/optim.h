/* optim.h - the step that follows a gradient, and how large it is: optimizers as torch.optim has
 * them (kernels/step.h), schedules as transformers' optimization.py has them. */
#ifndef WEFT_OPTIM_H
#define WEFT_OPTIM_H

#include "learn/learner.h"

extern const char *const optim_names[]; /* by StepKind, NULL behind the last */

typedef struct OptimSpec {
    StepKind kind;
    double momentum; /* of SGD */
    double decay;    /* of parameters that decay; of all where decay_all */
    bool decay_all;
    double clip;     /* largest norm of the whole gradient; 0: any */
    double lr_decay; /* from layer to layer, downward; 1: none */
} OptimSpec;

typedef struct Optim Optim;
Optim *optim_new(Learner *l, const OptimSpec *spec, Err *e); /* NULL: no device memory */
void optim_free(Optim *o);                                   /* NULL is fine */
/* One step by the learner's gradients. *norm (host) is their norm before clipping, once the device
 * has been waited for. */
void optim_step(Optim *o, double lr, double *norm);

/* Its state, for a checkpoint: steps taken, and up to two pieces of device memory, of so many
 * numbers: the parameters that are trained, in their order. */
int64_t optim_taken(const Optim *o);
void optim_set_taken(Optim *o, int64_t t);
int optim_state(const Optim *o, float *piece[2], int64_t *numbers);

typedef enum Schedule { LR_LINEAR, LR_CONSTANT, LR_COSINE, LR_POLYNOMIAL } Schedule;
extern const char *const schedule_names[]; /* likewise */

/* The rate of the step that `done` steps came before, of `total`:
 *   done < warmup: lr * done / warmup, and then, with t = (done - warmup) / (total - warmup),
 *   linear: lr (1 - t)   cosine: lr (1 + cos(pi t)) / 2   constant: lr
 *   polynomial: 1e-7 + (lr - 1e-7) (1 - t), the power 1 that transformers takes */
double lr_at(Schedule s, double lr, int64_t warmup, int64_t done, int64_t total);

#endif
