/* train_run.h - a training from its first step, or a checkpoint, to the folder that it leaves; the
 * same for all learners.
 *
 *     TrainRun r = {.t = t, .d = d, .l = learner, .f = fit, .files = ...};
 *     int status = train_run_begin(&r, &e);       // 1: it is finished already
 *     if (status == 0) ... tell people what is to come ...
 *     if (status == 0) status = train_run(&r, &e);
 *     train_run_clear(&r);
 *
 * Told to stop by SIGTERM, SIGINT or SIGHUP it ends the step, writes a checkpoint, says where, and
 * dies by the signal. */
#ifndef WEFT_TRAIN_RUN_H
#define WEFT_TRAIN_RUN_H

#include "learn/checkpoint.h"
#include "learn/train_data.h"

typedef struct TrainRun {
    const TrainSpec *t;
    const TrainData *d;
    Learner *l;
    Fit *f;
    ModelFiles files;
    json_t *record; /* train_run_begin's */
} TrainRun;

/* With --resume goes on from the newest checkpoint, which it says. 0; 1: the folder is finished,
 * which it says; -1. */
int train_run_begin(TrainRun *r, Err *e);
/* Trains, unless --init-only, and puts the folder in its place. */
int train_run(TrainRun *r, Err *e);
void train_run_clear(TrainRun *r);

#endif
