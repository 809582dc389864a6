/* vectors.h - a stream's vectors (row.vector): how near they are to each other, and laid flat. */
#ifndef WEFT_VECTORS_H
#define WEFT_VECTORS_H

#include "io/stream.h"
#include "plot/chart.h"

/* The cosine of each two rows, CHART_SIDE rows at most. A vector of length 0 has none. */
Chart *similarity_chart(In *in, Err *e);
/* Each row's place on the two directions in which the rows differ most (components.h), coloured by
 * its label. Memory holds the covariance; vectors are laid aside (spool.h). */
Chart *map_chart(In *in, Err *e);

enum {
    MAP_ROWS = 1 << 20,
    MAP_WIDTH = 1 << 12, /* a covariance of 128 MiB */
};

#endif
