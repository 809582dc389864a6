/* curves.h - columns of tables, such as `train --log` writes, laid over each other. A table is text
 * whose first line names its columns, divided by tabs; a field may be empty: not measured. */
#ifndef WEFT_CURVES_H
#define WEFT_CURVES_H

#include "plot/chart.h"

typedef struct CurveSpec {
    const char *x, *y; /* column names, or numbers from 1; several y with commas between them.
                          x NULL: the first column */
    int64_t smooth;    /* each y the mean of itself and those before it, so many; 1: as it is */
} CurveSpec;

/* Of these files, none: standard input. Columns of different units get an axis each, two at
 * most. NULL with *e: a file that cannot be read or is empty, a missing column (the message lists
 * those there), what is no number, a line of more or fewer fields than the first. A last line of
 * fewer fields, which is still being written, is left out and told, as are NaN and infinities. */
Chart *curves_chart(char **files, int nfiles, const CurveSpec *spec, Err *e);

#endif
