/* row_groups.h - what `deal` deals out: groups, that is adjacent rows of one input record
 * (row.source), or single rows where a stream tells no sources. A stream's end closes a group. */
#ifndef WEFT_ROW_GROUPS_H
#define WEFT_ROW_GROUPS_H

#include "base/rand.h"
#include "io/frame.h"
#include "deal/exact_shares.h"

/* Where one is among the units; {0} before the first row. Each row in turn goes through
 * unit_step, each frame's end through unit_end. */
typedef struct UnitCursor {
    int64_t begun; /* units so far */
    bool open;
    int64_t source;
} UnitCursor;

int64_t unit_step(UnitCursor *c, const Frame *f, int64_t row); /* the row's unit, from 0 */
void unit_end(UnitCursor *c, const Frame *f);

typedef struct Units {
    int64_t n, room;
    int32_t *stratum; /* [n] */
    int64_t *size;    /* [strata]: units of each */
    int32_t strata;
    UnitCursor at;
    void *names; /* private */
} Units;

/* by_label: a stratum for each label (that of a group's first row; no label is one more), in
 * order of appearance; else one for all. */
void units_add(Units *u, const Frame *f, bool by_label);
void units_free(Units *u);

/* part[unit] for all units: strata one after another, each one's units shuffled, the first of
 * them to the first part and so on. Release with free(). */
uint8_t *units_deal(const Units *u, const int64_t *total, int parts, Rand *r);

#endif
