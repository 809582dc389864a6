/* tokenise.h - the loop of `tok`: records of texts in, frames of ids out. */
#ifndef WEFT_TOKENISE_H
#define WEFT_TOKENISE_H

#include "io/stream.h"
#include "rows/fields.h"

enum { TOKENISE_META = 8 };

typedef struct Tokenise {
    char **files;
    int nfiles;
    const RecSpec *input; /* as fields_ask() has filled in these two */
    const RowSpec *rows;
    const Fields *fields;
    int threads;
    const char *meta[TOKENISE_META][2]; /* key and value of each frame; value NULL: none */
} Tokenise;

/* All records of all files, and the stream's end. -1: *e, place included, after the rows before
 * the fault were sent. *cut: rows that were cut. */
int tokenise_run(const Tokenise *in, Out *out, int64_t *cut, Err *e);

#endif
