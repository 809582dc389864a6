#include "learn/objective.h"

#include <stddef.h>

const char *const objective_names[] = {"class", "multi", "regression", "token",
                                       "span",  "mlm",   "clm",        NULL};
