/* fit.h - the training loop: rows in a new order each epoch, batches, steps, evaluations.
 *
 *     Fit *fit = fit_new(net, &train, &valid, class_weight, &spec, &e);
 *     msg_note("%lld steps, about %.0f s", fit_steps(fit), fit_seconds(fit));
 *     int status = fit_run(fit, log, &e);
 *     // net->param: the last step's, or the best evaluation's where spec.best says so
 *
 * The loss of a step is the mean over its batch * accumulate rows, weighted by row.weight and
 * the class's weight as torch.nn.CrossEntropyLoss(weight) does. The last step of an epoch takes
 * the rows that are left. Evaluation measures the plain cross entropy, weighted by row.weight
 * alone, as `score --eval` does. */
#ifndef WEFT_FIT_H
#define WEFT_FIT_H

#include "learn/log.h"
#include "learn/optim.h"
#include "learn/vectors.h"

typedef enum Best { BEST_LAST, BEST_LOSS, BEST_ACCURACY, BEST_F1 } Best;
extern const char *const best_names[]; /* from BEST_LOSS on, NULL behind the last */

typedef struct FitSpec {
    int64_t epochs, max_steps; /* max_steps 0: as many as the epochs have; else so many */
    int64_t batch, accumulate;
    OptimSpec optim;
    Schedule schedule;
    double lr, warmup; /* warm-up steps; below 1: share of all steps, rounded up */
    double smooth;
    uint64_t seed;
    Best best;
    int64_t patience; /* evaluations in a row without a better one that end it; 0: any */
    bool eval_first;
    int64_t eval_every; /* steps; 0: each epoch */
    int64_t log_every;  /* steps; 0: where evaluations are */
    bool progress;
} FitSpec;

typedef struct Fit Fit;

/* valid and class_weight ([classes]) may be NULL. Everything must outlive the Fit. NULL with *e:
 * the device has no room for rows and gradients. */
Fit *fit_new(Net *n, const Vectors *train, const Vectors *valid, const float *class_weight,
             const FitSpec *spec, Err *e);
void fit_free(Fit *f); /* NULL is fine */

int64_t fit_steps(const Fit *f);  /* that are planned */
int64_t fit_warmup(const Fit *f); /* of which the rate rises in */
double fit_seconds(Fit *f);       /* an estimate, from a few gradients of the first rows */
/* log may be NULL. */
int fit_run(Fit *f, Log *log, Err *e);
int64_t fit_kept(const Fit *f); /* after fit_run: the step whose parameters the net has */

/* The metrics of the net on all rows of v. -1: the device has no room for them. */
int fit_evaluate(Net *n, const Vectors *v, Summary *s, Err *e);

#endif
