/* train_head.h - a head learns from vectors: from the rows to the folder. */
#ifndef WEFT_TRAIN_HEAD_H
#define WEFT_TRAIN_HEAD_H

#include "learn/train_data.h"

/* Tells people what is to come, trains (unless t->init_only) with the log where t->log says, and
 * saves the folder t->output, which is there whole or not at all. */
int train_head(const TrainSpec *t, TrainData *d, Device *dev, Err *e);

#endif
