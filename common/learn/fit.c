#include "learn/fit.h"

#include "base/msg.h"
#include "base/rand.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const best_names[] = {"loss", "accuracy", "f1", NULL};

/* A step that has been asked for, until what it said is there. */
typedef struct Asked {
    int64_t step, rows, tokens, mark; /* step 0: none */
    double norm;
    LearnLoss *part;
    int64_t parts;
} Asked;

struct Fit {
    FitSpec spec;
    FitHooks hooks;
    Learner *l;
    Optim *optim;
    const Examples *valid;
    int64_t steps, warmup, per_epoch; /* steps */
    int64_t *order;                   /* of the rows, this epoch */
    int64_t shuffled;                 /* epochs begun */
    Rand shuffle;
    uint64_t drop_seed;
    Asked asked;
    double since; /* the line before, and what passed from then on */
    int64_t rows, tokens;
    FitState at;
    int64_t first; /* at.step when the run began */
    double began, told;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- making ---- */

static void plan(Fit *f)
{
    const FitSpec *s = &f->spec;
    int64_t step = s->batch * s->accumulate;
    f->per_epoch = (f->l->rows->rows + step - 1) / step;
    f->steps = s->max_steps ? s->max_steps : s->epochs * f->per_epoch;
    f->warmup = (int64_t)(s->warmup < 1 ? ceil(s->warmup * (double)f->steps) : s->warmup);
}

Fit *fit_new(Learner *l, const Examples *valid, const FitSpec *spec, Err *e)
{
    Fit *f = mem_zero(1, sizeof *f);
    int64_t rows = l->rows->rows;
    *f = (Fit){.spec = *spec, .l = l, .valid = valid};
    plan(f);
    Rand seeds = rand_new(spec->seed);
    f->shuffle = rand_new(rand_u64(&seeds));
    f->drop_seed = rand_u64(&seeds);
    f->order = mem_array((size_t)rows, sizeof *f->order);
    for (int64_t i = 0; i < rows; i++)
        f->order[i] = i;
    if ((f->optim = optim_new(l, &spec->optim, e)))
        return f;
    fit_free(f);
    return NULL;
}

static void drop_parts(Asked *a)
{
    for (int64_t i = 0; i < a->parts; i++)
        free(a->part[i].value);
    free(a->part);
    *a = (Asked){0};
}

void fit_free(Fit *f)
{
    if (!f)
        return;
    optim_free(f->optim);
    drop_parts(&f->asked);
    free(f->order);
    free(f->at.best_param);
    free(f);
}

void fit_hooks(Fit *f, const FitHooks *hooks)
{
    f->hooks = *hooks;
    f->l->stop = hooks->stop;
    f->l->stop_ctx = hooks->ctx;
}

int64_t fit_steps(const Fit *f)
{
    return f->steps;
}

Optim *fit_optim(Fit *f)
{
    return f->optim;
}

FitState fit_state(const Fit *f)
{
    FitState s = f->at;
    s.seconds += f->began > 0 ? now() - f->began : 0;
    return s;
}

void fit_go_on(Fit *f, const FitState *s)
{
    size_t bytes = (size_t)f->l->params->numbers * sizeof(float);
    f->at = *s;
    f->at.best_param = NULL;
    if (s->has_best) {
        f->at.best_param = mem_alloc(bytes);
        memcpy(f->at.best_param, s->best_param, bytes);
    }
}

int64_t fit_kept(const Fit *f)
{
    return f->at.has_best ? f->at.best_step : f->at.step;
}

/* ---- a step ---- */

static int64_t rows_from(const Fit *f, int64_t at)
{
    int64_t step = f->spec.batch * f->spec.accumulate, left = f->l->rows->rows - at;
    return left < step ? left : step;
}

/* Where the step's rows begin in the order, which is a new one each epoch. */
static int64_t find_rows(Fit *f, int64_t step)
{
    int64_t epoch = (step - 1) / f->per_epoch;
    for (; f->shuffled <= epoch; f->shuffled++)
        rand_shuffle(&f->shuffle, f->order, f->l->rows->rows);
    return (step - 1) % f->per_epoch * f->spec.batch * f->spec.accumulate;
}

/* Asks for the gradient of the rows order[at, at + n). */
static int gradient(Fit *f, int64_t at, int64_t n, int64_t epoch, uint64_t seed, Asked *a, Err *e)
{
    Learner *l = f->l;
    LearnPart p = {.epoch = epoch, .seed = seed};
    int64_t batch = f->spec.batch;
    for (int64_t i = 0; i < n; i++)
        p.total += l->kind->weight(l, f->order[at + i], epoch);
    a->part = mem_zero((size_t)((n + batch - 1) / batch), sizeof *a->part);
    a->rows = n;
    for (int64_t i = 0; i < n; i += batch) {
        p.row = f->order + at + i;
        p.n = n - i < batch ? n - i : batch;
        p.add = i > 0;
        for (int64_t k = 0; k < p.n && l->rows->starts; k++)
            a->tokens += l->rows->starts[p.row[k] + 1] - l->rows->starts[p.row[k]];
        if (l->kind->gradient(l, &p, &a->part[a->parts++], e) < 0)
            return -1;
    }
    return 0;
}

static double sum_loss(const Asked *a)
{
    double sum = 0;
    for (int64_t i = 0; i < a->parts; i++)
        for (int64_t k = 0; k < a->part[i].n; k++)
            sum += (double)a->part[i].value[k];
    return sum;
}

static int failed(const Fit *f, int64_t mark, Err *e)
{
    char why[256];
    Device *dev = f->l->dev;
    int bad = mark ? dev->reach(dev, mark, why, sizeof why) : dev->wait(dev, why, sizeof why);
    return bad < 0 ? err_set(e, "%s", why) : 0;
}

int fit_seconds(Fit *f, double *seconds, Err *e)
{
    enum { TRIES = 3 };
    double least = INFINITY;
    int64_t n = rows_from(f, 0);
    int status = 0;
    for (int i = 0; i < TRIES && status == 0; i++) {
        Asked a = {0};
        double start = now();
        status = gradient(f, 0, n, 0, f->drop_seed, &a, e);
        if (status == 0)
            status = failed(f, 0, e);
        least = fmin(least, now() - start);
        drop_parts(&a);
        if (least > 1) /* seconds: one look is enough */
            break;
    }
    f->l->kind->changed(f->l); /* nothing has, but gradients go */
    *seconds = least / (double)n * (double)f->l->rows->rows / (double)f->per_epoch *
               (double)(f->steps - f->at.step);
    return status;
}

/* ---- telling ---- */

static void notice(const Fit *f, int64_t step, double loss, const Summary *s)
{
    char valid[128] = "";
    if (s)
        snprintf(valid, sizeof valid, "%svalid loss %.4f, accuracy %.4f, macro f1 %.4f",
                 step ? ", " : "", s->loss, s->accuracy, s->macro_f1);
    if (step)
        msg_note("epoch %g, step %" PRId64 " of %" PRId64 ": loss %.4f%s",
                 (double)step / (double)f->per_epoch, step, f->steps, loss, valid);
    else
        msg_note("before the first step: %s", valid);
}

static double rate(const Fit *f, int64_t step)
{
    return lr_at(f->spec.schedule, f->spec.lr, f->warmup, step - 1, f->steps);
}

/* Tells what happened since the last time: on a line of the log, to people where `aloud`. */
static int tell(Fit *f, int64_t step, const Summary *s, bool aloud, Log *log, Err *e)
{
    double t = now(), loss = f->at.losses ? f->at.loss / (double)f->at.losses : NAN;
    double span = fmax(t - f->since, 1e-9);
    if (aloud)
        notice(f, step, loss, s);
    LogLine line = {.step = step,
                    .epoch = (double)step / (double)f->per_epoch,
                    .loss = loss,
                    .lr = step ? rate(f, step) : NAN,
                    .grad_norm = step ? f->at.norm : NAN,
                    .rows_per_s = step ? (double)f->rows / span : NAN,
                    .tokens_per_s = step && f->tokens ? (double)f->tokens / span : NAN,
                    .seconds = f->at.seconds + t - f->began,
                    .valid = s};
    f->at.loss = 0;
    f->at.losses = f->rows = f->tokens = 0;
    f->since = now();
    return log ? log_line(log, &line, e) : 0;
}

/* Where steps take seconds people see that it goes on. */
static void progress(Fit *f, int64_t step, double loss)
{
    double t = now();
    if (!f->spec.progress || t - f->told < 1)
        return;
    f->told = t;
    double each = (t - f->began) / (double)(step - f->first);
    msg_progress("step %" PRId64 " of %" PRId64 ", loss %.4f, %.0f rows/s, %.0f s left", step,
                 f->steps, loss, (double)f->rows / fmax(t - f->since, 1e-9),
                 each * (double)(f->steps - step));
}

/* Is step a place to evaluate, and to tell people? */
static bool is_point(const Fit *f, int64_t step)
{
    int64_t every = f->spec.eval_every ? f->spec.eval_every : f->per_epoch;
    return step % every == 0 || step == f->steps;
}

static bool is_line(const Fit *f, int64_t step)
{
    return f->spec.log_every && step % f->spec.log_every == 0;
}

/* Takes in what the step that was asked for says. */
static int settle(Fit *f, Log *log, Err *e)
{
    Asked *a = &f->asked;
    int64_t step = a->step;
    if (!step)
        return 0;
    if (failed(f, a->mark, e) < 0)
        return -1;
    double loss = sum_loss(a);
    f->at.norm = a->norm;
    f->at.loss += loss;
    f->at.losses++;
    f->rows += a->rows;
    f->tokens += a->tokens;
    drop_parts(a);
    if (!isfinite(loss) || !isfinite(f->at.norm))
        return err_set(e, "the loss is not finite at step %" PRId64 ": try a lower --lr", step);
    progress(f, step, loss);
    return is_line(f, step) && !is_point(f, step) ? tell(f, step, NULL, false, log, e) : 0;
}

/* One step, which is asked for; what the one before said is taken in meanwhile. */
static int one_step(Fit *f, int64_t step, Log *log, Err *e)
{
    int64_t at = find_rows(f, step), n = rows_from(f, at);
    Learner *l = f->l;
    Asked next = {.step = step};
    if (gradient(f, at, n, (step - 1) / f->per_epoch, f->drop_seed + (uint64_t)step, &next, e) <
        0) {
        drop_parts(&next);
        return -1;
    }
    int status = settle(f, log, e);
    f->asked = next;
    if (status < 0)
        return -1;
    optim_step(f->optim, rate(f, step), &f->asked.norm);
    l->kind->changed(l);
    f->asked.mark = l->dev->mark(l->dev);
    return 0;
}

/* ---- evaluation ---- */

/* Keeps the parameters of a better evaluation; *more becomes false when patience is at its end. */
static int judge(Fit *f, const Summary *s, bool *more, Err *e)
{
    Learner *l = f->l;
    FitState *at = &f->at;
    size_t bytes = (size_t)l->params->numbers * sizeof(float);
    if (f->spec.best == BEST_LAST)
        return 0;
    double value = f->spec.best == BEST_LOSS       ? -s->loss
                   : f->spec.best == BEST_ACCURACY ? s->accuracy
                   : isnan(s->macro_f1)            ? s->micro_f1
                                                   : s->macro_f1;
    if (at->has_best && !(value > at->best)) {
        *more = !f->spec.patience || ++at->worse < f->spec.patience;
        return 0;
    }
    if (!at->best_param)
        at->best_param = mem_alloc(bytes);
    l->dev->get(l->dev, at->best_param, l->param, bytes);
    at->has_best = true;
    at->best = value;
    at->best_step = at->step;
    at->worse = 0;
    return failed(f, 0, e);
}

/* Evaluates and tells, as is due; 1: told to stop before that was done. */
static int point(Fit *f, bool *more, Log *log, Err *e)
{
    Summary s;
    int status = settle(f, log, e);
    if (status == 0 && f->valid)
        status = f->l->kind->evaluate(f->l, f->valid, &s, e);
    if (status != 0)
        return status;
    f->at.due = false;
    if (f->valid && judge(f, &s, more, e) < 0)
        return -1;
    return tell(f, f->at.step, f->valid ? &s : NULL, true, log, e);
}

/* A checkpoint where one is due, or where the run is to stop; then 1. */
static int keep(Fit *f, bool stop, Log *log, Err *e)
{
    int64_t step = f->at.step;
    bool last = step == f->steps && !f->at.due;
    bool due = f->spec.checkpoint && step % f->spec.checkpoint == 0;
    stop = stop || (f->hooks.stop && f->hooks.stop(f->hooks.ctx));
    if (last || (!due && !stop))
        return 0;
    if (settle(f, log, e) < 0 || (step && f->hooks.save && f->hooks.save(f->hooks.ctx, f, e) < 0))
        return -1;
    return stop;
}

static int loop(Fit *f, Log *log, Err *e)
{
    bool more = true;
    if (f->spec.eval_first && f->valid && !f->at.step)
        f->at.due = true;
    int status = f->at.due ? point(f, &more, log, e) : 0;
    while (status == 0 && more && f->at.step < f->steps) {
        int64_t step = f->at.step + 1;
        if ((status = one_step(f, step, log, e)) < 0)
            break;
        f->at.step = step;
        f->at.due = is_point(f, step);
        if (f->at.due)
            status = point(f, &more, log, e);
        if (status >= 0 && more)
            status = keep(f, status == 1, log, e);
    }
    return status == 0 ? settle(f, log, e) : status;
}

int fit_run(Fit *f, Log *log, Err *e)
{
    Learner *l = f->l;
    f->began = f->since = f->told = now();
    f->first = f->at.step;
    int status = loop(f, log, e);
    if (status == 0 && f->at.has_best) {
        l->dev->put(l->dev, l->param, f->at.best_param,
                    (size_t)l->params->numbers * sizeof *l->param);
        l->kind->changed(l);
    }
    return status == 0 ? failed(f, 0, e) : status;
}
