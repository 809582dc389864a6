/* merges.h - the pairs that byte pair encoding joins, in order of rank (Sennrich et al. 2016). */
#ifndef WEFT_MERGES_H
#define WEFT_MERGES_H

#include "text/vocab.h"

typedef struct Merge {
    int32_t left, right, whole; /* ids */
} Merge;

typedef struct MergeList {
    Merge *merge;
    size_t n, cap;
} MergeList;

/* The next pair. -1: one of the two, or both together, is not in the vocabulary. */
int merges_add(MergeList *l, const Vocab *v, Str left, Str right, Err *e);
/* merges.txt: a pair a line, a space between; a first line that begins "#version" is none. The
 * error says which line, not which file. */
int merges_read(MergeList *l, const Vocab *v, const char *path, Err *e);
void merges_free(MergeList *l);

#endif
