#include "learn/train_data.h"

#include "base/msg.h"
#include "learn/balance.h"

#include <inttypes.h>
#include <stdlib.h>

static int read_rows(Examples *v, char **files, int nfiles, const ExamplesSpec *spec, Err *e)
{
    int status = examples_read(v, spec, files, nfiles, e);
    if (status == 0 && v->skipped)
        msg_note("%s: %" PRId64 " row%s without a label left out", v->place, v->skipped,
                 v->skipped == 1 ? "" : "s");
    return status;
}

int train_data_read(TrainData *d, const TrainSpec *t, char **files, int nfiles, Err *e)
{
    ExamplesSpec spec = {.objective = t->teacher ? LEARN_CLASS : t->objective,
                         .skip = t->skip,
                         .model = t->model,
                         .teacher = t->teacher};
    *d = (TrainData){0};
    if (read_rows(&d->train, files, nfiles, &spec, e) < 0)
        return -1;
    spec.objective = (int)d->train.objective;
    spec.teacher = NULL;
    spec.texts = true;
    if (t->valid && (read_rows(&d->valid, (char *[]){(char *)t->valid}, 1, &spec, e) < 0 ||
                     examples_agree(&d->train, &d->valid, e) < 0))
        return -1;
    return 0;
}

int train_data_number(TrainData *d, const TrainSpec *t, Err *e)
{
    if (!has_classes(d->train.objective))
        return 0;
    if (!d->classes.n && examples_classes(&d->train, &d->classes, e) < 0)
        return -1;
    if (examples_number(&d->train, &d->classes, e) < 0 ||
        (d->valid.rows && examples_number(&d->valid, &d->classes, e) < 0))
        return -1;
    Err why = {0};
    if (t->class_weight && d->train.soft)
        return err_usage(e, "--class-weight is of labels, and these rows have shares of them all");
    if (d->train.soft)
        examples_smooth(&d->train, t->fit.smooth);
    if (t->class_weight &&
        !(d->class_weight = class_weights(t->class_weight, &d->train, &d->classes, &why)))
        return err_usage(e, "--class-weight: %s", why.text);
    return 0;
}

void train_data_free(TrainData *d)
{
    examples_free(&d->train);
    examples_free(&d->valid);
    classes_clear(&d->classes);
    free(d->class_weight);
}
