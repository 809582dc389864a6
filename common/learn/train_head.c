#include "learn/train_head.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "learn/balance.h"
#include "learn/net.h"
#include "learn/train_run.h"
#include "learn/vector_learner.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int announce(const TrainSpec *t, const TrainData *d, const Net *n, Fit *f, Err *e)
{
    int64_t *count = class_counts(&d->train, d->classes.n), top = 0;
    char *names = classes_list(&d->classes);
    for (int64_t c = 1; c < d->classes.n; c++)
        if (count[c] > count[top])
            top = c;
    msg_note("classes %s: %s",
             t->teacher        ? "in the teacher's order"
             : d->train.labels ? "in tok's order"
                               : "by name",
             names);
    double seconds = 0;
    int status = t->init_only ? 0 : fit_seconds(f, &seconds, e);
    msg_note("%" PRId64 " parameters of %" PRId64 " are trained, on %" PRId64 " rows in %" PRId64
             " steps; majority class %s %.1f %%; about %.*f s",
             n->params, n->params, d->train.rows, t->init_only ? 0 : fit_steps(f),
             d->classes.name[top], 100.0 * (double)count[top] / (double)d->train.rows,
             seconds < 9.95, seconds);
    free(count);
    free(names);
    return status;
}

/* ---- its files ---- */

typedef struct HeadRun {
    const TrainSpec *t;
    const TrainData *d;
    const Net *n;
} HeadRun;

/* Which parameters are which layer's. */
static void place(HeadFile *h, const Net *n, float *numbers)
{
    h->layers = n->layers;
    memcpy(h->size, n->size, sizeof h->size);
    for (int l = 0; l < n->layers; l++) {
        h->weight[l] = numbers + (n->weight[l] - n->param);
        h->bias[l] = numbers + (n->bias[l] - n->param);
    }
}

static int write_files(void *ctx, const float *numbers, const char *training, OutFolder *o, Err *e)
{
    const HeadRun *r = ctx;
    const Examples *v = &r->d->train;
    HeadFile h = {.model = v->model,
                  .encoder = v->encoder,
                  .vocab = v->vocab,
                  .pool = v->pool,
                  .layer = -1,
                  .dropout = r->t->dropout,
                  .label = r->d->classes.name},
             before = {0};
    int status = 0;
    num_int(v->layer, 0, INT32_MAX, &h.layer, NULL);
    place(&h, r->n, (float *)(uintptr_t)numbers);
    /* A folder that train made stands for its encoder. */
    if (v->model[0] == '/' && headfile_is(v->model)) {
        status = headfile_load(v->model, &before, e);
        h.model = before.model;
    }
    if (status == 0)
        status = headfile_write(o, &h, training, e);
    headfile_free(&before);
    return status;
}

static int read_files(void *ctx, const char *folder, float *numbers, Err *e)
{
    const HeadRun *r = ctx;
    HeadFile was, is = {0};
    if (headfile_load(folder, &was, e) < 0)
        return -1;
    place(&is, r->n, numbers);
    int status = was.layers == is.layers && memcmp(was.size, is.size, sizeof is.size) == 0
                     ? 0
                     : err_set(e, "a head of other layers");
    for (int l = 0; l < is.layers && status == 0; l++) {
        memcpy(is.weight[l], was.weight[l],
               (size_t)(is.size[l] * is.size[l + 1]) * sizeof *numbers);
        memcpy(is.bias[l], was.bias[l], (size_t)is.size[l + 1] * sizeof *numbers);
    }
    headfile_free(&was);
    return status;
}

/* ---- from the rows to the folder ---- */

static int run(HeadRun *r, Learner *l, Fit *f, Err *e)
{
    TrainRun run = {.t = r->t,
                    .d = r->d,
                    .l = l,
                    .f = f,
                    .files = {.write = write_files, .read = read_files, .ctx = r}};
    int status = train_run_begin(&run, e);
    if (status == 0 && (status = announce(r->t, r->d, r->n, f, e)) == 0)
        status = train_run(&run, e);
    train_run_clear(&run);
    return status < 0 ? -1 : 0;
}

int train_head(const TrainSpec *t, TrainData *d, Device *dev, Err *e)
{
    int64_t size[HEAD_LAYERS + 1], batch = t->fit.batch;
    if (train_data_number(d, t, e) < 0)
        return -1;
    memcpy(size, t->size, sizeof size);
    size[0] = d->train.width;
    size[t->layers] = d->classes.n;
    if (batch > d->train.rows)
        batch = d->train.rows;
    Net *n = net_new(dev, size, t->layers, batch, t->dropout, e);
    if (!n)
        return -1;
    net_init(n, t->fit.seed);
    Learner *l = vector_learner_new(n, &d->train, d->class_weight, t->fit.smooth, e);
    Fit *f = l ? fit_new(l, t->valid ? &d->valid : NULL, &t->fit, e) : NULL;
    int status = f ? run(&(HeadRun){t, d, n}, l, f, e) : -1;
    fit_free(f);
    if (l)
        l->kind->free(l);
    net_free(n);
    return status;
}
