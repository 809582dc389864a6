#include "learn/train_model.h"

#include "base/mem.h"
#include "base/msg.h"
#include "learn/balance.h"
#include "learn/model_adapter.h"
#include "learn/model_save.h"
#include "learn/new_weights.h"
#include "learn/train_run.h"

#include <inttypes.h>
#include <stdlib.h>

static void majority(const TrainData *d)
{
    if (d->train.objective != LEARN_CLASS)
        return;
    int64_t *count = class_counts(&d->train, d->classes.n), top = 0;
    for (int64_t c = 1; c < d->classes.n; c++)
        if (count[c] > count[top])
            top = c;
    msg_note("majority class %s %.1f %%", d->classes.name[top],
             100.0 * (double)count[top] / (double)d->train.rows);
    free(count);
}

static int announce(const ModelSetup *m, const TrainSpec *t, const TrainData *d, const Learner *l,
                    Fit *f, Err *e)
{
    int64_t trained = 0;
    double seconds = 0;
    for (int i = 0; i < l->params->count; i++)
        trained += l->trains[i] ? param_numbers(&l->params->param[i]) : 0;
    if (d->classes.n) {
        char *names = classes_list(&d->classes);
        msg_note("classes %s: %s",
                 m->goes_on        ? "of the checkpoint, whose head goes on"
                 : t->teacher      ? "in the teacher's order, for a new head"
                 : d->train.labels ? "in tok's order, for a new head"
                                   : "by name, for a new head",
                 names);
        free(names);
    }
    msg_note("%" PRId64 " parameters of %" PRId64 " are trained, on %" PRId64 " rows of %" PRId64
             " tokens, in %" PRId64 " steps",
             trained, l->params->numbers, d->train.rows, d->train.tokens,
             t->init_only ? 0 : fit_steps(f));
    majority(d);
    if (t->init_only || fit_seconds(f, &seconds, e) < 0)
        return t->init_only ? 0 : -1;
    msg_note("about %.0f s", seconds);
    return 0;
}

/* ---- its files ---- */

typedef struct ModelRun {
    ModelSetup m;
    const TrainSpec *t;
    const TrainData *d;
} ModelRun;

static int write_files(void *ctx, const float *numbers, const char *training, OutFolder *o, Err *e)
{
    ModelRun *r = ctx;
    return model_save_files(&r->m, r->t, r->d, numbers, training, o, e);
}

static int write_beside(void *ctx, const float *numbers, OutFolder *o, Err *e)
{
    ModelRun *r = ctx;
    return model_adapter_tensors(&r->m, numbers, o, e);
}

static int read_files(void *ctx, const char *folder, float *numbers, Err *e)
{
    ModelRun *r = ctx;
    return model_read_files(&r->m, folder, numbers, e);
}

/* ---- from the rows to the folder ---- */

static int run(ModelRun *r, Learner *l, Fit *f, Err *e)
{
    TrainRun run = {.t = r->t,
                    .d = r->d,
                    .l = l,
                    .f = f,
                    .files = {.write = write_files, .read = read_files, .ctx = r}};
    if (r->t->lora && !r->t->lora_only)
        run.files.beside = write_beside;
    int status = train_run_begin(&run, e);
    if (status == 0 && (status = announce(&r->m, r->t, r->d, l, f, e)) == 0)
        status = train_run(&run, e);
    train_run_clear(&run);
    return status < 0 ? -1 : 0;
}

int train_model(const TrainSpec *t, TrainData *d, Device *dev, Err *e)
{
    ModelRun r = {.t = t, .d = d};
    ModelSpec *s = &r.m.spec;
    Learner *l = NULL;
    Fit *f = NULL;
    int status = model_setup(&r.m, t, d, dev, e);
    if (status == 0 && !(l = model_learner_new(s, &d->train, e)))
        status = -1;
    if (status == 0) {
        new_weights(s->t, t->fit.seed);
        if (s->words)
            words_learn_renew(s->words);
        f = fit_new(l, d->valid.rows ? &d->valid : NULL, &t->fit, e);
        status = f ? run(&r, l, f, e) : -1;
    }
    fit_free(f);
    if (l)
        l->kind->free(l);
    model_setup_clear(&r.m);
    return status;
}
