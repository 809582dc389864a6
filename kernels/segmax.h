/* segmax.h - the maximum over segments, column by column.
 *
 * y[i] = max over j in [starts[i], starts[i+1]) of x[j]       x [_, cols], y [rows, cols]
 * An empty segment gives 0. NaN wins. Exact. */
#ifndef WEFT_SEGMAX_H
#define WEFT_SEGMAX_H

typedef struct Segmax {
    View x, y;
    const int64_t *starts;
} Segmax;

#endif
