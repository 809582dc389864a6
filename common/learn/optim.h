/* optim.h - the step that follows a gradient, and how large it is: optimizers as torch.optim
 * has them (kernels/step.h), schedules as transformers' optimization.py has them. */
#ifndef WEFT_OPTIM_H
#define WEFT_OPTIM_H

#include "learn/net.h"

extern const char *const optim_names[]; /* by StepKind, NULL behind the last */

typedef struct OptimSpec {
    StepKind kind;
    double momentum; /* of SGD */
    double decay;    /* of weights; of biases too where decay_all */
    bool decay_all;
    double clip; /* largest norm of the whole gradient; 0: any */
} OptimSpec;

typedef struct Optim Optim;
Optim *optim_new(Net *n, const OptimSpec *spec, Err *e); /* NULL: no device memory */
void optim_free(Optim *o);                               /* NULL is fine */
/* One step by net's gradients; returns their norm before clipping. */
double optim_step(Optim *o, double lr);

typedef enum Schedule { LR_LINEAR, LR_CONSTANT, LR_COSINE, LR_POLYNOMIAL } Schedule;
extern const char *const schedule_names[]; /* likewise */

/* The rate of the step that `done` steps came before, of `total`:
 *   done < warmup: lr * done / warmup, and then, with t = (done - warmup) / (total - warmup),
 *   linear: lr (1 - t)   cosine: lr (1 + cos(pi t)) / 2   constant: lr
 *   polynomial: 1e-7 + (lr - 1e-7) (1 - t), the power 1 that transformers takes */
double lr_at(Schedule s, double lr, int64_t warmup, int64_t done, int64_t total);

#endif
