/* gnuplot.h - runs gnuplot(1), which draws pictures for us. It is found on PATH and started without
 * a shell; it reads the script from a file that has no name, and writes the picture into another,
 * so it opens nothing by a name of ours. */
#ifndef WEFT_GNUPLOT_H
#define WEFT_GNUPLOT_H

#include "base/err.h"
#include "base/mem.h"

/* Appends what it has drawn. -1: it is not there (the message says where from), or what it says is
 * wrong. */
int gnuplot_run(Str script, Buf *picture, Err *e);

#endif
