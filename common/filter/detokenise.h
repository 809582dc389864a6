/* detokenise.h - rows of ids as texts, a row a line. */
#ifndef WEFT_DETOKENISE_H
#define WEFT_DETOKENISE_H

#include "io/stream.h"
#include "text/tokenizer.h"

typedef struct Texts {
    const char *model; /* -m; NULL: the stream's */
    bool raw;          /* special tokens too */
    bool nul;          /* texts as they are, a NUL behind each; else as put_tsv() has them */
    /* private */
    Tokenizer *tokenizer;
    Buf text, out;
} Texts;

/* All rows of all streams to standard output, frame by frame. -1: *e, place included; what was
 * before the fault has been written. */
int texts_run(Texts *t, In *in, Err *e);
void texts_clear(Texts *t);

#endif
