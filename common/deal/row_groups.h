/* row_groups.h - what `deal` deals out, and to which part: the rows of one input record together
 * (io/record_cursor.h). */
#ifndef WEFT_ROW_GROUPS_H
#define WEFT_ROW_GROUPS_H

#include "base/namemap.h"
#include "base/rand.h"
#include "deal/exact_shares.h"
#include "io/record_cursor.h"

typedef struct RowGroups {
    int64_t n, room;
    int32_t *stratum; /* [n] */
    int64_t *size;    /* [strata]: units of each */
    int32_t strata;
    RecordCursor at;
    NameMap names; /* private */
} RowGroups;

/* by_label: a stratum for each label (that of a group's first row; no label is one more), in
 * order of appearance; else one for all. */
void row_groups_add(RowGroups *u, const Frame *f, bool by_label);
void row_groups_free(RowGroups *u);

/* part[unit] for all units: strata one after another, each one's units shuffled, the first of
 * them to the first part and so on. Release with free(). */
uint8_t *row_groups_deal(const RowGroups *u, const int64_t *total, int parts, Rand *r);

#endif
