/* label_ids.h - label texts numbered in the order in which they are met. Private to vectors.c. */
#ifndef WEFT_LABEL_IDS_H
#define WEFT_LABEL_IDS_H

#include "base/mem.h"

typedef struct Name {
    Str text;
    int32_t id;
    char *place; /* where it was met first, */
    int64_t row; /* and in which row of that place, from 1 */
} Name;

typedef struct Naming {
    void *tree; /* tsearch(3), by text */
    Name **name; /* by id */
    int32_t count;
} Naming;

Naming *naming_new(void);
/* The number of a text; a new one where it was not met before. */
int32_t naming_id(Naming *n, Str text, const char *place, int64_t row);
void naming_free(Naming *n); /* NULL is fine */

#endif
