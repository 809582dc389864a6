/* train_data.h - the rows that `train` learns from and evaluates on, and their classes. */
#ifndef WEFT_TRAIN_DATA_H
#define WEFT_TRAIN_DATA_H

#include "learn/train_spec.h"

typedef struct TrainData {
    Examples train, valid; /* valid.rows 0: nothing to evaluate on */
    Classes classes;
    float *class_weight; /* [classes.n]; NULL: all 1 */
} TrainData;

/* Reads the files (none: standard input) and t->valid, each to its end. Tells of rows left out. */
int train_data_read(TrainData *d, const TrainSpec *t, char **files, int nfiles, Err *e);
/* Labels become numbers: by d->classes where they have been set (a checkpoint's, which goes on),
 * else by those of the rows. */
int train_data_number(TrainData *d, const TrainSpec *t, Err *e);
void train_data_free(TrainData *d);

#endif
