/* generate_filter.h - what `gen` does to a stream: rows of ids in, rows of what follows out. */
#ifndef WEFT_GENERATE_FILTER_H
#define WEFT_GENERATE_FILTER_H

#include "filter/generate_options.h"
#include "io/stream.h"

/* The whole of it, to standard output. -1: what went wrong was told (*e is empty) or is *e. */
int generate_run(GenerateFilter *f, In *in, Err *e);

#endif
