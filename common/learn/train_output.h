/* train_output.h - the folder that a training makes: may it be made, is it finished, and its last
 * step into its place. */
#ifndef WEFT_TRAIN_OUTPUT_H
#define WEFT_TRAIN_OUTPUT_H

#include "learn/checkpoint.h"
#include "learn/train_spec.h"

/* May the training begin? Fails where something is there that neither --force replaces nor --resume
 * goes on from. */
int train_output_check(const TrainSpec *t, Err *e);
/* What the finished folder that is there was asked for; NULL: there is none. */
json_t *train_output_record(const char *dir);
/* Puts the folder there, in place of an old one or around the checkpoints that the run has made. */
int train_output_write(const TrainSpec *t, const ModelFiles *files, const float *numbers,
                       const json_t *training, Err *e);

#endif
