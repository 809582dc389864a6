#include "learn/train_head.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "learn/balance.h"
#include "learn/net.h"
#include "learn/vector_learner.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int announce(const TrainData *d, const Net *n, Fit *f, bool init_only, Err *e)
{
    int64_t *count = class_counts(&d->train, d->classes.n), top = 0;
    char *names = classes_list(&d->classes);
    for (int64_t c = 1; c < d->classes.n; c++)
        if (count[c] > count[top])
            top = c;
    msg_note("classes %s: %s", d->train.labels ? "in tok's order" : "by name", names);
    double seconds = 0;
    int status = init_only ? 0 : fit_seconds(f, &seconds, e);
    msg_note("%" PRId64 " parameters of %" PRId64 " are trained, on %" PRId64 " rows in %" PRId64
             " steps; majority class %s %.1f %%; about %.*f s",
             n->params, n->params, d->train.rows, init_only ? 0 : fit_steps(f),
             d->classes.name[top], 100.0 * (double)count[top] / (double)d->train.rows,
             seconds < 9.95, seconds);
    free(count);
    free(names);
    return status;
}

static int learn(const TrainSpec *t, Fit *f, Err *e)
{
    Log *log = NULL;
    if (t->log && !(log = log_open(t->log, e)))
        return -1;
    int status = fit_run(f, log, e);
    if (log_close(log, status < 0 ? NULL : e) < 0)
        return -1;
    return status;
}

/* What config.json tells of the training; to be freed. */
static char *training_json(const TrainSpec *t, const TrainData *d, const Fit *f)
{
    const FitSpec *s = &t->fit;
    json_t *weights = d->class_weight ? json_array() : NULL;
    for (int64_t c = 0; weights && c < d->classes.n; c++)
        json_array_append_new(weights, json_real((double)d->class_weight[c]));
    json_t *o = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:s, s:I, s:f, s:b, s:f, s:f, s:o*, "
        "s:s*}",
        "seed", (json_int_t)s->seed, "rows", (json_int_t)d->train.rows, "steps",
        (json_int_t)fit_steps(f), "kept_step", (json_int_t)fit_kept(f), "batch",
        (json_int_t)s->batch, "accumulate", (json_int_t)s->accumulate, "optim",
        optim_names[s->optim.kind], "momentum", s->optim.momentum, "lr", s->lr, "schedule",
        schedule_names[s->schedule], "warmup", (json_int_t)fit_warmup(f), "weight_decay",
        s->optim.decay, "decay_all", s->optim.decay_all, "clip", s->optim.clip, "label_smoothing",
        s->smooth, "class_weight", weights, "best",
        s->best ? best_names[s->best - BEST_LOSS] : NULL);
    if (!s->max_steps)
        json_object_set_new(o, "epochs", json_integer((json_int_t)s->epochs));
    char *text = json_dumps(o, JSON_REAL_PRECISION(9));
    json_decref(o);
    return text;
}

/* The parameters on the host, to be freed; NULL: the device has failed. */
static float *parameters(const Net *n, Err *e)
{
    char why[512];
    float *param = mem_array((size_t)n->params, sizeof *param);
    n->dev->get(n->dev, param, n->param, (size_t)n->params * sizeof *param);
    if (n->dev->wait(n->dev, why, sizeof why) == 0)
        return param;
    err_set(e, "%s", why);
    free(param);
    return NULL;
}

static int save(const TrainSpec *t, const TrainData *d, const Net *n, const char *training, Err *e)
{
    const Examples *v = &d->train;
    HeadFile h = {.model = v->model,
                  .encoder = v->encoder,
                  .vocab = v->vocab,
                  .pool = v->pool,
                  .layer = -1,
                  .layers = n->layers,
                  .dropout = t->dropout,
                  .label = d->classes.name},
             before = {0};
    float *param = parameters(n, e);
    if (!param)
        return -1;
    num_int(v->layer, 0, INT32_MAX, &h.layer, NULL);
    memcpy(h.size, n->size, sizeof h.size);
    for (int l = 0; l < n->layers; l++) {
        h.weight[l] = param + (n->weight[l] - n->param);
        h.bias[l] = param + (n->bias[l] - n->param);
    }
    int status = 0;
    /* A folder that train made stands for its encoder. */
    if (v->model[0] == '/' && headfile_is(v->model)) {
        status = headfile_load(v->model, &before, e);
        h.model = before.model;
    }
    if (status == 0)
        status = headfile_save(t->output, &h, training, t->force, e);
    headfile_free(&before);
    free(param);
    return status;
}

static int train_and_save(const TrainSpec *t, const TrainData *d, const Net *n, Fit *f, Err *e)
{
    if (announce(d, n, f, t->init_only, e) < 0 || (!t->init_only && learn(t, f, e) < 0))
        return -1;
    char *training = training_json(t, d, f);
    int status = save(t, d, n, training, e);
    free(training);
    return status;
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
    int status = f ? train_and_save(t, d, n, f, e) : -1;
    fit_free(f);
    if (l)
        l->kind->free(l);
    net_free(n);
    return status;
}
