/* train_model.h - a whole model learns from rows of ids: from the rows to the folder. */
#ifndef WEFT_TRAIN_MODEL_H
#define WEFT_TRAIN_MODEL_H

#include "learn/train_data.h"

/* Tells people what is to come, trains (unless t->init_only) with the log where t->log says, and
 * saves the folder t->output. */
int train_model(const TrainSpec *t, TrainData *d, Device *dev, Err *e);

#endif
