/* name_index.h - where a name stands in a list, found by halving: a frame of 10,000 tensors is
 * asked for each of them. The list is of elements whose first member is the name. */
#ifndef WEFT_NAME_INDEX_H
#define WEFT_NAME_INDEX_H

#include "base/mem.h"

typedef struct NameIndex {
    int *at; /* the list's indices in order of their names */
    int n;
} NameIndex;

typedef struct NamedItems {
    const void *first;
    size_t step; /* bytes from one to the next */
} NamedItems;

/* The element that is called `a` with `b` behind it; -1: none is. */
int name_find(const NameIndex *x, NamedItems list, Str a, Str b);
/* The list's last element, x->n, is new; no other has its name. */
void name_added(NameIndex *x, NamedItems list);
/* Element i has gone, and those behind it have moved up. */
void name_dropped(NameIndex *x, int i);
NameIndex name_copy(const NameIndex *x);

#endif
