/* shards.h - the index of a checkpoint in several files: which tensor is in which of them. */
#ifndef WEFT_SHARDS_H
#define WEFT_SHARDS_H

#include "base/err.h"

#include <jansson.h>

typedef struct Shards {
    json_t *map;       /* tensor: file */
    const char **name; /* the files, each once, in order of name; in the folder of the index */
    char **path;
    int count;
} Shards;

/* PATH/TO/X.index.json. 0, or -1 and *e names it; either way s is to be cleared. */
int shards_read(const char *path, Shards *s, Err *e);
void shards_clear(Shards *s);

#endif
