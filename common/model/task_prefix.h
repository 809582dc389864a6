/* task_prefix.h - what a model wants to have before the text of a task: T5's "translate English
 * to French: " (task_specific_params of config.json). */
#ifndef WEFT_TASK_PREFIX_H
#define WEFT_TASK_PREFIX_H

#include "base/err.h"

/* The caller frees it. NULL: the model has no such task; the message lists those it has. */
char *task_prefix(const char *folder, const char *task, Err *e);

#endif
