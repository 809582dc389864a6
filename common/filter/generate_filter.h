/* generate_filter.h - what `gen` does to a stream: rows of ids in, rows of what follows out. */
#ifndef WEFT_GENERATE_FILTER_H
#define WEFT_GENERATE_FILTER_H

#include "base/opt.h"
#include "generate/settings.h"
#include "io/stream.h"

typedef struct GenerateFilter {
    const Common *common;
    Settings asked; /* by options */
    int64_t batch;  /* rows at a time; 0: by memory */
    bool prompt, scores, trunc_left;
    const char *bad_words, *choices, *cache; /* a file, texts, a file */
} GenerateFilter;

/* The whole of it, to standard output. -1: what went wrong was told (*e is empty) or is *e. */
int generate_run(GenerateFilter *f, In *in, Err *e);

#endif
