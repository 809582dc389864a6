#include "learn/fit.h"

#include "base/msg.h"
#include "base/rand.h"
#include "learn/device_room.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const best_names[] = {"loss", "accuracy", "f1", NULL};

struct Fit {
    FitSpec spec;
    Net *net;
    Optim *optim;
    const Vectors *train, *valid;
    const float *class_weight;
    int64_t steps, warmup, per_epoch; /* steps */
    int64_t *order;                   /* of the rows, this epoch */
    Rand shuffle;
    uint64_t drop_seed;
    View x;
    /* A part of a batch: host and device. */
    int32_t *target, *dev_target;
    float *weight, *dev_weight, *loss, *dev_loss;
    int64_t *dev_row;
    /* Since the line before. */
    double loss_sum, since;
    int64_t loss_steps, rows;
    /* The best evaluation so far. */
    float *best_param;
    double best;
    int64_t best_step, worse, done;
    double began;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* All vectors in device memory, for dev->release; p NULL: they do not fit. */
static View all_rows(Device *dev, const Vectors *v, Err *e)
{
    size_t bytes = (size_t)(v->rows * v->width) * sizeof(float);
    const void *x = dev->hold(dev, v->x, bytes);
    if (!x)
        err_set(e, "out of memory on %s (%zu bytes asked for)", dev->name, bytes);
    return view_of((void *)x, K_F32, v->rows, v->width);
}

static void plan(Fit *f)
{
    const FitSpec *s = &f->spec;
    int64_t step = s->batch * s->accumulate;
    f->per_epoch = (f->train->rows + step - 1) / step;
    f->steps = s->max_steps ? s->max_steps : s->epochs * f->per_epoch;
    f->warmup = (int64_t)(s->warmup < 1 ? ceil(s->warmup * (double)f->steps) : s->warmup);
}

/* Where a part of a batch lies, on the host and on the device. */
static int make_room(Fit *f, int64_t batch, Err *e)
{
    Device *dev = f->net->dev;
    f->target = mem_array((size_t)batch, sizeof *f->target);
    f->weight = mem_array((size_t)batch, sizeof *f->weight);
    f->loss = mem_array((size_t)batch, sizeof *f->loss);
    f->dev_target = device_room(dev, batch, sizeof *f->dev_target, e);
    f->dev_weight = device_room(dev, batch, sizeof *f->dev_weight, e);
    f->dev_loss = device_room(dev, batch, sizeof *f->dev_loss, e);
    f->dev_row = device_room(dev, batch, sizeof *f->dev_row, e);
    return f->dev_target && f->dev_weight && f->dev_loss && f->dev_row ? 0 : -1;
}

Fit *fit_new(Net *n, const Vectors *train, const Vectors *valid, const float *class_weight,
             const FitSpec *spec, Err *e)
{
    Fit *f = mem_zero(1, sizeof *f);
    *f = (Fit){
        .spec = *spec, .net = n, .train = train, .valid = valid, .class_weight = class_weight};
    plan(f);
    Rand seeds = rand_new(spec->seed);
    f->shuffle = rand_new(rand_u64(&seeds));
    f->drop_seed = rand_u64(&seeds);
    f->order = mem_array((size_t)train->rows, sizeof *f->order);
    for (int64_t i = 0; i < train->rows; i++)
        f->order[i] = i;
    int64_t batch = spec->batch < train->rows ? spec->batch : train->rows;
    f->optim = optim_new(n, &spec->optim, e);
    f->x = f->optim ? all_rows(n->dev, train, e) : (View){0};
    if (f->x.p && make_room(f, batch, e) == 0)
        return f;
    fit_free(f);
    return NULL;
}

void fit_free(Fit *f)
{
    if (!f)
        return;
    Device *dev = f->net->dev;
    optim_free(f->optim);
    dev->free(dev, f->dev_target);
    dev->free(dev, f->dev_weight);
    dev->free(dev, f->dev_loss);
    dev->free(dev, f->dev_row);
    dev->release(dev, f->x.p);
    free(f->order);
    free(f->target);
    free(f->weight);
    free(f->loss);
    free(f->best_param);
    free(f);
}

int64_t fit_steps(const Fit *f)
{
    return f->steps;
}

int64_t fit_warmup(const Fit *f)
{
    return f->warmup;
}

int64_t fit_kept(const Fit *f)
{
    return f->best_param ? f->best_step : f->done;
}

static double weight_of(const Fit *f, int64_t row)
{
    double w = f->train->weight ? (double)f->train->weight[row] : 1;
    return f->class_weight ? w * (double)f->class_weight[f->train->target[row]] : w;
}

/* The gradient of the rows order[at, at + n), n <= batch, that belong to a step of weight
 * `total`; returns their part of its loss. */
static double part(Fit *f, int64_t at, int64_t n, double total, uint64_t seed, bool add)
{
    Device *dev = f->net->dev;
    const int64_t *row = f->order + at;
    for (int64_t i = 0; i < n; i++) {
        f->target[i] = f->train->target[row[i]];
        f->weight[i] = total > 0 ? (float)(weight_of(f, row[i]) / total) : 0;
    }
    dev->put(dev, f->dev_row, row, (size_t)n * sizeof *row);
    dev->put(dev, f->dev_target, f->target, (size_t)n * sizeof *f->target);
    dev->put(dev, f->dev_weight, f->weight, (size_t)n * sizeof *f->weight);
    net_gradient(f->net, &(NetBatch){.x = f->x,
                                     .row = f->dev_row,
                                     .target = f->dev_target,
                                     .weight = f->dev_weight,
                                     .rows = n,
                                     .smooth = (float)f->spec.smooth,
                                     .seed = seed,
                                     .add = add,
                                     .loss = f->dev_loss});
    dev->get(dev, f->loss, f->dev_loss, (size_t)n * sizeof *f->loss);
    dev->wait(dev, NULL, 0);
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)f->loss[i];
    return sum;
}

/* The gradient of a step's rows order[at, at + n) and their mean loss. */
static double gradient(Fit *f, int64_t at, int64_t n, uint64_t seed)
{
    double total = 0, loss = 0;
    for (int64_t i = 0; i < n; i++)
        total += weight_of(f, f->order[at + i]);
    for (int64_t i = 0; i < n; i += f->spec.batch) {
        int64_t left = n - i < f->spec.batch ? n - i : f->spec.batch;
        loss += part(f, at + i, left, total, seed, i > 0);
    }
    return loss;
}

static int64_t rows_from(const Fit *f, int64_t at)
{
    int64_t step = f->spec.batch * f->spec.accumulate, left = f->train->rows - at;
    return left < step ? left : step;
}

double fit_seconds(Fit *f)
{
    enum { TRIES = 3 };
    double least = INFINITY;
    int64_t n = rows_from(f, 0);
    for (int i = 0; i < TRIES; i++) {
        double start = now();
        gradient(f, 0, n, f->drop_seed);
        least = fmin(least, now() - start);
    }
    return least / (double)n * (double)f->train->rows / (double)f->per_epoch * (double)f->steps;
}

/* Counts rows [at, to) of v, whose logits are y. */
static void count_rows(Metrics *m, const Vectors *v, int64_t at, int64_t to, const float *y,
                       int64_t classes)
{
    for (int64_t i = at; i < to; i++) {
        const float *logit = y + (i - at) * classes;
        int64_t top = 0;
        for (int64_t c = 1; c < classes; c++)
            if (logit[c] > logit[top])
                top = c;
        metrics_add(m, v->target[i], top, class_nll(logit, classes, v->target[i]),
                    v->weight ? (double)v->weight[i] : 1);
    }
}

int fit_evaluate(Net *n, const Vectors *v, Summary *s, Err *e)
{
    Device *dev = n->dev;
    int64_t classes = n->size[n->layers], most = (1 << 22) / classes;
    int64_t chunk = v->rows < most ? v->rows : most;
    View x = all_rows(dev, v, e);
    float *dev_y = x.p ? device_room(dev, chunk * classes, sizeof *dev_y, e) : NULL;
    float *y = mem_array((size_t)(chunk * classes), sizeof *y);
    Metrics m = metrics_new(classes);
    for (int64_t at = 0, to; dev_y && at < v->rows; at = to) {
        to = at + chunk < v->rows ? at + chunk : v->rows;
        net_logits(n, view_rows(x, at, to), view_of(dev_y, K_F32, to - at, classes));
        dev->get(dev, y, dev_y, (size_t)((to - at) * classes) * sizeof *y);
        dev->wait(dev, NULL, 0);
        count_rows(&m, v, at, to, y, classes);
    }
    *s = metrics_sum(&m, NULL);
    int status = dev_y ? 0 : -1;
    metrics_free(&m);
    dev->free(dev, dev_y);
    dev->release(dev, x.p);
    free(y);
    return status;
}

/* Keeps the parameters of a better evaluation; false when patience is at its end. */
static bool judge(Fit *f, const Summary *s, int64_t step)
{
    Net *n = f->net;
    if (f->spec.best == BEST_LAST)
        return true;
    double value = f->spec.best == BEST_LOSS       ? -s->loss
                   : f->spec.best == BEST_ACCURACY ? s->accuracy
                                                   : s->macro_f1;
    if (f->best_param && !(value > f->best))
        return !f->spec.patience || ++f->worse < f->spec.patience;
    if (!f->best_param)
        f->best_param = mem_array((size_t)n->params, sizeof *f->best_param);
    n->dev->get(n->dev, f->best_param, n->param, (size_t)n->params * sizeof *n->param);
    n->dev->wait(n->dev, NULL, 0);
    f->best = value;
    f->best_step = step;
    f->worse = 0;
    return true;
}

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

/* Tells what happened since the last time: on a line of the log, to people where `aloud`. */
static int tell(Fit *f, int64_t step, double lr, double norm, const Summary *s, bool aloud,
                Log *log, Err *e)
{
    double t = now(), loss = f->loss_steps ? f->loss_sum / (double)f->loss_steps : NAN;
    if (aloud)
        notice(f, step, loss, s);
    LogLine line = {.step = step,
                    .epoch = (double)step / (double)f->per_epoch,
                    .loss = loss,
                    .lr = lr,
                    .grad_norm = norm,
                    .tokens_per_s = NAN,
                    .seconds = t - f->began,
                    .rows_per_s = step ? (double)f->rows / fmax(t - f->since, 1e-9) : NAN,
                    .valid = s};
    f->loss_sum = 0;
    f->loss_steps = f->rows = 0;
    f->since = now();
    return log ? log_line(log, &line, e) : 0;
}

/* One step and its loss. */
static int one_step(Fit *f, int64_t step, double lr, double *norm, Err *e)
{
    int64_t at = (step - 1) % f->per_epoch * f->spec.batch * f->spec.accumulate;
    int64_t n = rows_from(f, at);
    if (at == 0)
        rand_shuffle(&f->shuffle, f->order, f->train->rows);
    double loss = gradient(f, at, n, f->drop_seed + (uint64_t)step);
    *norm = optim_step(f->optim, lr);
    f->loss_sum += loss;
    f->loss_steps++;
    f->rows += n;
    char why[256];
    if (f->net->dev->wait(f->net->dev, why, sizeof why) < 0)
        return err_set(e, "%s", why);
    if (!isfinite(loss) || !isfinite(*norm))
        return err_set(e, "the loss is not finite at step %" PRId64 ": try a lower --lr", step);
    return 0;
}

/* Is step a place to evaluate, and to tell people? */
static bool is_point(const Fit *f, int64_t step)
{
    int64_t every = f->spec.eval_every ? f->spec.eval_every : f->per_epoch;
    return step % every == 0 || step == f->steps;
}

static void progress(const Fit *f, int64_t step, double *last)
{
    double t = now();
    if (!f->spec.progress || t - *last < 1)
        return;
    *last = t;
    msg_progress("step %" PRId64 " of %" PRId64, step, f->steps);
}

static int loop(Fit *f, Log *log, Err *e)
{
    double norm = NAN, told = f->began;
    Summary s;
    if (f->spec.eval_first && f->valid) {
        if (fit_evaluate(f->net, f->valid, &s, e) < 0)
            return -1;
        judge(f, &s, 0);
        if (tell(f, 0, NAN, NAN, &s, true, log, e) < 0)
            return -1;
    }
    for (int64_t step = 1, more = true; more && step <= f->steps; step++) {
        double lr = lr_at(f->spec.schedule, f->spec.lr, f->warmup, step - 1, f->steps);
        if (one_step(f, step, lr, &norm, e) < 0)
            return -1;
        f->done = step;
        bool point = is_point(f, step), evaluate = point && f->valid;
        if (evaluate) {
            if (fit_evaluate(f->net, f->valid, &s, e) < 0)
                return -1;
            more = judge(f, &s, step);
        }
        progress(f, step, &told);
        if ((point || (f->spec.log_every && step % f->spec.log_every == 0)) &&
            tell(f, step, lr, norm, evaluate ? &s : NULL, point, log, e) < 0)
            return -1;
    }
    return 0;
}

int fit_run(Fit *f, Log *log, Err *e)
{
    Net *n = f->net;
    f->began = f->since = now();
    if (loop(f, log, e) < 0)
        return -1;
    if (f->best_param) {
        n->dev->put(n->dev, n->param, f->best_param, (size_t)n->params * sizeof *n->param);
        n->dev->wait(n->dev, NULL, 0);
    }
    return 0;
}
