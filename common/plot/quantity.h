/* quantity.h - what the columns of `train --log` measure: their names on an axis, and which of them
 * can share one. */
#ifndef WEFT_QUANTITY_H
#define WEFT_QUANTITY_H

#include <stdbool.h>

typedef struct Quantity {
    const char *column, *label; /* as the table has it; and on an axis */
    const char *unit;           /* those of one unit share an axis; a column unknown here is its
                                   own unit */
    bool right;                 /* set by whoever gives out the axes */
} Quantity;

/* Points to `column`, which stays the caller's. */
Quantity quantity_of(const char *column);
char *quantity_label(const char *column);
/* The labels of those on one axis, each once, with commas; NULL where there are none. */
char *quantities_label(const Quantity *q, int n, bool right);

#endif
