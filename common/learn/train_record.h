/* train_record.h - what a training was asked for and from what it began, as JSON: config.json of
 * the folder has it for people, a checkpoint so that only the same run goes on from it. */
#ifndef WEFT_TRAIN_RECORD_H
#define WEFT_TRAIN_RECORD_H

#include "learn/train_data.h"

#include <jansson.h>

enum { RECORD_DIGITS = 9 }; /* of its numbers, in memory and on the disk */

/* Options by their long names, with _ for -, as they were settled; seed, rows, and digests of the
 * rows (`data`, `valid`) and of the parameters as they are, before the first step (`start`). */
json_t *train_record(const TrainSpec *t, const TrainData *d, const Learner *l, Err *e);
/* Is what a checkpoint was made for what is asked for? Else *e tells what differs. What changes no
 * number may differ: how often something is told or kept. */
int train_record_agrees(const json_t *was, const json_t *is, Err *e);

#endif
