/* generate_options.h - what `gen` was asked for. */
#ifndef WEFT_GENERATE_OPTIONS_H
#define WEFT_GENERATE_OPTIONS_H

#include "base/opt.h"
#include "generate/settings.h"

typedef struct GenerateFilter {
    const Common *common;
    Settings asked; /* by options */
    int64_t batch;  /* rows at a time; 0: by memory */
    bool prompt, scores, trunc_left;
    const char *bad_words, *choices, *cache; /* a file, texts, a file */
} GenerateFilter;

#endif
