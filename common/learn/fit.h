/* fit.h - the training loop: rows in a new order each epoch, batches, steps, evaluations.
 *
 *     Fit *fit = fit_new(learner, &valid, &spec, &e);
 *     msg_note("%lld steps, about %.0f s", fit_steps(fit), fit_seconds(fit));
 *     int status = fit_run(fit, log, &e);
 *     // learner->param: the last step's, or the best evaluation's where spec.best says so
 *
 * The loss of a step is the mean over its batch * accumulate rows by their weights, as
 * torch.nn.CrossEntropyLoss(weight) has it. The last step of an epoch takes the rows that are left.
 * Losses come back while the next step is under way: nothing waits for them. */
#ifndef WEFT_FIT_H
#define WEFT_FIT_H

#include "learn/learner.h"
#include "learn/log.h"
#include "learn/optim.h"

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
    int64_t checkpoint; /* steps; 0: none */
    bool progress;
} FitSpec;

typedef struct Fit Fit;

/* Where a run stands, and what it would need to go on: the parameters are the learner's, moments
 * the optimizer's. */
typedef struct FitState {
    int64_t step;
    bool due;          /* its evaluation */
    double seconds;    /* of all runs */
    double loss, norm; /* since the last line: sum of `losses` steps' losses; the last one's norm */
    int64_t losses;
    int64_t best_step, worse;
    double best;
    bool has_best;
    float *best_param; /* [numbers] host, where has_best; the Fit's */
} FitState;

/* What a checkpoint is made by, each `checkpoint` steps and when `stop` says so: then the run ends
 * after it (without one where no step has been taken), and fit_run returns 1. Either may be NULL.
 */
typedef struct FitHooks {
    int (*save)(void *ctx, Fit *f, Err *e);
    bool (*stop)(void *ctx);
    void *ctx;
} FitHooks;

/* valid may be NULL. Everything must outlive the Fit. NULL with *e: the device has no room. */
Fit *fit_new(Learner *l, const Examples *valid, const FitSpec *spec, Err *e);
void fit_free(Fit *f); /* NULL is fine */
void fit_hooks(Fit *f, const FitHooks *hooks);

int64_t fit_steps(const Fit *f); /* that are planned */
/* An estimate, from a few gradients of the first rows. */
int fit_seconds(Fit *f, double *seconds, Err *e);
Optim *fit_optim(Fit *f);
FitState fit_state(const Fit *f);
void fit_go_on(Fit *f, const FitState *s); /* before fit_run; copies best_param */
/* log may be NULL. 0, 1 (stopped), -1. */
int fit_run(Fit *f, Log *log, Err *e);
int64_t fit_kept(const Fit *f); /* after fit_run: the step whose parameters the learner has */

#endif
