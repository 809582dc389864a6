/* namemap.h - a number for each of many names. Finding one takes time that grows with the
 * logarithm of their count, however they were chosen.
 *
 *     NameMap m = {0};
 *     bool fresh;
 *     int64_t *n = namemap_at(&m, name, &fresh);
 *     if (fresh) *n = 7;
 *     namemap_free(&m); */
#ifndef WEFT_NAMEMAP_H
#define WEFT_NAMEMAP_H

#include "base/mem.h"

#include <stdbool.h>

typedef struct NameMap {
    void *root; /* tsearch(3)'s */
} NameMap;

/* The name's number, which stays where it is; 0 and *fresh where the name was not there, of which
 * the map then has a copy. */
int64_t *namemap_at(NameMap *m, Str name, bool *fresh);
bool namemap_has(const NameMap *m, Str name);
void namemap_free(NameMap *m);

#endif
