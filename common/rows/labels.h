/* labels.h - the classes that --labels gives: their order, and other names for raw values.
 * "A,B" or "0=A,4=B", names with a comma in them in quotes (quoted.h); two raw values may have one
 * name. */
#ifndef WEFT_LABELS_H
#define WEFT_LABELS_H

#include "base/err.h"
#include "base/mem.h"

typedef struct Labels {
    char **raw, **name; /* what stands in the data; what it is called */
    int count;          /* 0: none were given, every label is as it is */
} Labels;

int labels_parse(Labels *l, const char *given, Err *e);
/* The label's name. -1: it is none of them. An empty label is no label, and stays so. */
int labels_name(const Labels *l, Str raw, Str *name, Err *e);
/* The names in their order, each once, as a JSON array; the caller frees it. */
char *labels_json(const Labels *l);
void labels_free(Labels *l);

#endif
