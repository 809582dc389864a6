/* candidates.h - the classes of zero-shot classification, and what is said of a text with each
 * (transformers' ZeroShotClassificationPipeline). */
#ifndef WEFT_CANDIDATES_H
#define WEFT_CANDIDATES_H

#include "base/err.h"
#include "base/mem.h"

typedef struct Candidates {
    char **name;
    Str *text; /* the template with the name in it */
    int count;
} Candidates;

/* "politics, sports" or, with a comma in one, "politics,""law, order""" as in CSV: names without
 * the white space around them, but for quoted ones; empty ones are none. `template` holds {}. */
int candidates_parse(Candidates *c, const char *given, const char *template, Err *e);
/* The names as a JSON array; the caller frees it. */
char *candidates_json(const Candidates *c);
void candidates_free(Candidates *c);

#endif
