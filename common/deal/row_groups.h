/* row_groups.h - what `deal` deals out, and to which part: the rows of one input record together
 * (io/record_cursor.h), and records that have one value in common where that is asked for. */
#ifndef WEFT_ROW_GROUPS_H
#define WEFT_ROW_GROUPS_H

#include "base/namemap.h"
#include "base/rand.h"
#include "deal/exact_shares.h"
#include "io/record_cursor.h"

typedef struct RowGroups {
    int64_t records, n; /* n: units, each of one record or of those of one value */
    int64_t record_room, room;
    int64_t *unit;    /* [records]; NULL: each its own */
    int64_t *weight;  /* [n]: records of each unit; NULL: 1 */
    int32_t *stratum; /* [n] */
    int64_t *size;    /* [strata]: records of each */
    int32_t strata;
    RecordCursor at;
    NameMap names, values; /* private */
} RowGroups;

/* by_label: a stratum for each label (that of a unit's first row; no label is one more), in
 * order of appearance; else one for all. group: the range tensor whose values make units
 * ("row.text"); a record without a value is a unit. NULL: each record is. */
void row_groups_add(RowGroups *u, const Frame *f, bool by_label, const char *group);
void row_groups_free(RowGroups *u);

/* part[record] for all records: strata one after another, each one's units shuffled (r NULL: in
 * their order), the first of them to the first part and so on. Units of several records: the
 * largest first, each to the part that lacks most; total is met as far as they allow. Release with
 * free(). */
uint8_t *row_groups_deal(const RowGroups *u, const int64_t *total, int parts, Rand *r);

#endif
