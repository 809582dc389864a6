#include "learn/train_run.h"

#include "base/mem.h"
#include "base/msg.h"
#include "base/tidy.h"
#include "learn/train_output.h"
#include "learn/train_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- where it begins ---- */

static int go_on(TrainRun *r, Err *e)
{
    char *path = checkpoint_newest(r->t->output);
    int status = checkpoint_read(path, r->l, r->f, &r->files, r->record, e);
    if (status == 0)
        msg_note("goes on from %s", path);
    free(path);
    return status;
}

/* A finished folder of the same request is the answer; of another one, a refusal. */
static int look_behind(TrainRun *r, Err *e)
{
    json_t *was = train_output_record(r->t->output);
    int status = 0;
    if (was && train_record_agrees(was, r->record, e) == 0)
        status = 1;
    else if (checkpoint_any(r->t->output))
        status = go_on(r, e);
    else
        status = err_at(e, "%s", r->t->output);
    json_decref(was);
    if (status == 1)
        msg_note("%s is finished: nothing is left to do", r->t->output);
    return status;
}

int train_run_begin(TrainRun *r, Err *e)
{
    r->record = train_record(r->t, r->d, r->l, e);
    if (!r->record)
        return -1;
    return r->t->resume ? look_behind(r, e) : 0;
}

void train_run_clear(TrainRun *r)
{
    json_decref(r->record);
}

/* ---- while it runs ---- */

static int save(void *ctx, Fit *f, Err *e)
{
    TrainRun *r = ctx;
    return checkpoint_write(r->t->output, r->l, f, &r->files, r->record, r->t->keep, e);
}

static bool told_to_stop(void *ctx)
{
    (void)ctx;
    return tidy_waiting() != 0;
}

static Log *open_log(const TrainRun *r, Err *e)
{
    FitState s = fit_state(r->f);
    return r->t->resume ? log_go_on(r->t->log, s.step, e) : log_open(r->t->log, e);
}

static int learn(TrainRun *r, Err *e)
{
    Log *log = NULL;
    if (r->t->log && !(log = open_log(r, e)))
        return -1;
    fit_hooks(r->f, &(FitHooks){save, told_to_stop, r});
    int status = fit_run(r->f, log, e);
    if (log_close(log, status < 0 ? NULL : e) < 0)
        return -1;
    return status;
}

static void tell_where(const TrainRun *r)
{
    char *path = checkpoint_newest(r->t->output);
    int64_t step = fit_state(r->f).step;
    if (step && path)
        msg_note("stopped behind step %" PRId64 ", which is in %s: --resume goes on", step, path);
    else
        msg_note("stopped before the first step");
    free(path);
}

static int finish(TrainRun *r, Err *e)
{
    json_t *training = json_copy(r->record);
    json_object_set_new(training, "steps", json_integer(r->t->init_only ? 0 : fit_steps(r->f)));
    json_object_set_new(training, "kept_step", json_integer(fit_kept(r->f)));
    float *numbers = learner_numbers(r->l, e);
    int status = numbers ? train_output_write(r->t, &r->files, numbers, training, e) : -1;
    free(numbers);
    json_decref(training);
    return status;
}

int train_run(TrainRun *r, Err *e)
{
    int status = 0;
    if ((r->t->force || r->t->resume) && checkpoint_sweep(r->t->output, e) < 0)
        return -1;
    if (r->t->force && checkpoint_clear(r->t->output, 0, e) < 0)
        return -1;
    if (r->t->force)
        rmdir(r->t->output); /* where they were all that was in it */
    tidy_hold();
    if (!r->t->init_only)
        status = learn(r, e);
    if (status == 1)
        tell_where(r);
    else if (status == 0)
        status = finish(r, e);
    tidy_release(); /* a signal that has come is heard now */
    return status;
}
