#include "learn/train_data.h"

#include "base/msg.h"
#include "learn/balance.h"

#include <inttypes.h>
#include <stdlib.h>

static int read_rows(Vectors *v, char **files, int nfiles, bool skip, Err *e)
{
    int status = vectors_read(v, files, nfiles, skip, e);
    if (status < 0 && v->tokens)
        return err_usage(e, "training of whole models comes with a later version; pool the hidden "
                            "states first: encode | pool");
    if (status == 0 && v->skipped)
        msg_note("%s: %" PRId64 " row%s without a label left out", v->place, v->skipped,
                 v->skipped == 1 ? "" : "s");
    return status;
}

int train_data_read(TrainData *d, const TrainSpec *t, char **files, int nfiles, Err *e)
{
    *d = (TrainData){0};
    if (read_rows(&d->train, files, nfiles, t->skip, e) < 0 ||
        vectors_classes(&d->train, &d->classes, e) < 0 ||
        vectors_number(&d->train, &d->classes, e) < 0)
        return -1;
    if (t->valid && (read_rows(&d->valid, (char *[]){(char *)t->valid}, 1, t->skip, e) < 0 ||
                     vectors_agree(&d->train, &d->valid, e) < 0 ||
                     vectors_number(&d->valid, &d->classes, e) < 0))
        return -1;
    Err why = {0};
    if (t->class_weight &&
        !(d->class_weight = class_weights(t->class_weight, &d->train, &d->classes, &why)))
        return err_usage(e, "--class-weight: %s", why.text);
    return 0;
}

void train_data_free(TrainData *d)
{
    vectors_free(&d->train);
    vectors_free(&d->valid);
    classes_clear(&d->classes);
    free(d->class_weight);
}
