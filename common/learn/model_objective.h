/* model_objective.h - what a model's config.json says that it is trained for. */
#ifndef WEFT_MODEL_OBJECTIVE_H
#define WEFT_MODEL_OBJECTIVE_H

#include "io/frame.h"

/* LEARN_MULTI or LEARN_REGRESSION by the problem_type of the model (`given`, or NULL: the frame's),
 * where the frame's labels are of rows; else -1, as where there is no such model: whoever needs it
 * will say so. */
int model_objective(const char *given, const Frame *f);

#endif
