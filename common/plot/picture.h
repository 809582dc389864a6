/* picture.h - a chart as a file: PNG, SVG or PDF, by its name's end. The same chart gives the same
 * bytes, by the same gnuplot and its libraries. */
#ifndef WEFT_PICTURE_H
#define WEFT_PICTURE_H

#include "plot/chart.h"

/* Is that a name of a picture? Else a usage error. */
int picture_check(const char *path, Err *e);
/* Whole or not at all (outfile.h). */
int picture_write(const char *path, const Chart *c, Err *e);

#endif
