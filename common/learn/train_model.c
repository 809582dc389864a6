#include "learn/train_model.h"

#include "base/mem.h"
#include "base/msg.h"
#include "learn/balance.h"
#include "learn/model_save.h"
#include "learn/new_weights.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

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
                 m->goes_on ? "of the checkpoint, whose head goes on"
                 : d->train.labels ? "in tok's order, for a new head" : "by name, for a new head",
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

/* All parameters on the host, to be freed; NULL: the device has failed. */
static float *bring(const Learner *l, Err *e)
{
    char why[256];
    size_t bytes = (size_t)l->params->numbers * sizeof(float);
    float *p = mem_alloc(bytes);
    l->dev->get(l->dev, p, l->param, bytes);
    if (l->dev->wait(l->dev, why, sizeof why) == 0)
        return p;
    err_set(e, "%s", why);
    free(p);
    return NULL;
}

static int save(const ModelSetup *m, const TrainSpec *t, const TrainData *d, const Learner *l, Err *e)
{
    float *numbers = bring(l, e);
    int status = numbers ? 0 : -1;
    if (status == 0 && mkdir(t->output, 0777) < 0)
        status = err_sys(e, "%s", t->output);
    if (status == 0)
        status = model_save_files(m, t, d, numbers, NULL, t->output, e);
    free(numbers);
    return status;
}

int train_model(const TrainSpec *t, TrainData *d, Device *dev, Err *e)
{
    ModelSetup m;
    Learner *l = NULL;
    Fit *f = NULL;
    int status = model_setup(&m, t, d, dev, e);
    if (status == 0 && !(l = model_learner_new(&m.spec, &d->train, e)))
        status = -1;
    if (status == 0) {
        new_weights(m.spec.t, t->fit.seed);
        if (m.spec.words)
            words_learn_renew(m.spec.words);
        f = fit_new(l, d->valid.rows ? &d->valid : NULL, &t->fit, e);
        status = f ? announce(&m, t, d, l, f, e) : -1;
    }
    if (status == 0 && !t->init_only)
        status = learn(t, f, e);
    if (status == 0)
        status = save(&m, t, d, l, e);
    fit_free(f);
    if (l)
        l->kind->free(l);
    model_setup_clear(&m);
    return status;
}
