/* exact_shares.h - dealing units out to parts in exact shares, by largest remainder. */
#ifndef WEFT_EXACT_SHARES_H
#define WEFT_EXACT_SHARES_H

#include "base/err.h"

/* One part: `exact` units, or where that is -1 a share of the rest, in proportion to weight. */
typedef struct Share {
    double weight;
    int64_t exact;
} Share;

/* How many of `units` each part gets; the sum is units. Each quota is rounded down, and what is
 * left goes to the largest remainders, earlier parts first among equals. Fails where the exact
 * parts ask for more than there is, or nothing takes the rest. */
int share_totals(const Share *part, int parts, int64_t units, int64_t *total, Err *e);

/* The same within strata (labels): cell[s * parts + p] units of stratum s go to part p. A cell is
 * its quota size[s] * total[p] / units rounded down or up, rows sum to size[s], columns to
 * total[p]; such a table always exists (the transportation problem has whole solutions). Those
 * with the largest remainders are rounded up as far as the sums allow. */
void share_table(const int64_t *size, int64_t strata, const int64_t *total, int parts,
                 int64_t *cell);

#endif
