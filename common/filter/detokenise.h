/* detokenise.h - rows of ids as texts, a row a line. */
#ifndef WEFT_DETOKENISE_H
#define WEFT_DETOKENISE_H

#include "io/stream.h"
#include "text/tokenizer.h"

typedef struct Detokenise {
    const char *model; /* -m; NULL: the stream's */
    bool raw;          /* special tokens too */
    bool nul;          /* texts as they are, a NUL behind each; else as put_tsv() has them */
    /* private */
    Tokenizer *tokenizer;
    Buf text, out;
} Detokenise;

/* All rows of all streams to standard output, frame by frame. -1: *e, place included; what was
 * before the fault has been written. */
int detokenise_run(Detokenise *t, In *in, Err *e);
void detokenise_clear(Detokenise *t);

#endif
