/* vector_learner.h - a head on vectors (net.h) as something that the training loop can train. */
#ifndef WEFT_VECTOR_LEARNER_H
#define WEFT_VECTOR_LEARNER_H

#include "learn/learner.h"
#include "learn/net.h"

/* class_weight [classes] may be NULL. Everything must outlive the learner; the net stays the
 * caller's. NULL: no room on the device. */
Learner *vector_learner_new(Net *n, const Examples *rows, const float *class_weight, double smooth,
                            Err *e);

#endif
