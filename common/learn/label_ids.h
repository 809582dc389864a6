/* label_ids.h - label texts numbered in the order in which they are met. Private to vectors.c. */
#ifndef WEFT_LABEL_IDS_H
#define WEFT_LABEL_IDS_H

#include "base/mem.h"

typedef struct LabelId {
    Str text;
    int32_t id;
    char *place; /* where it was met first, */
    int64_t row; /* and in which row of that place, from 1 */
} LabelId;

typedef struct LabelIds {
    void *tree;     /* tsearch(3), by text */
    LabelId **name; /* by id */
    int32_t count;
} LabelIds;

LabelIds *label_ids_new(void);
/* The number of a text; a new one where it was not met before. */
int32_t label_ids_of(LabelIds *n, Str text, const char *place, int64_t row);
void label_ids_free(LabelIds *n); /* NULL is fine */

#endif
