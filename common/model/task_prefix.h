/* task_prefix.h - what a model wants to have before a text: T5's "translate English to French: "
 * (task_specific_params of config.json), or "query: " (prompts of
 * config_sentence_transformers.json).
 */
#ifndef WEFT_TASK_PREFIX_H
#define WEFT_TASK_PREFIX_H

#include "base/err.h"

/* The caller frees it. NULL: the model has no such task; the message lists those it has. */
char *task_prefix(const char *folder, const char *task, Err *e);
/* What stands before each text where nobody says anything: default_prompt_name. NULL, with e's text
 * empty: nothing. */
char *default_prefix(const char *folder, Err *e);

#endif
