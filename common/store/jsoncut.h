/* jsoncut.h - tokenizer.json with its large tables cut out: where they stand in the file, and
 * the rest as objects. */
#ifndef WEFT_JSONCUT_H
#define WEFT_JSONCUT_H

#include "store/jsonscan.h"

#include <jansson.h>

enum { CUT_VOCAB, CUT_MERGES, CUTS };

typedef struct JsonCut {
    json_t *root;    /* model.vocab and model.merges are null where they were cut out */
    Str table[CUTS]; /* the value in the file; {NULL, 0}: there is none */
    Str file;
} JsonCut;

/* The error says which line, not which file. */
int jsoncut_open(JsonCut *c, const char *path, Err *e);
void jsoncut_close(JsonCut *c);
/* To read a table; its lines are counted from the beginning of the file. */
JsonScan jsoncut_table(const JsonCut *c, int table);

#endif
