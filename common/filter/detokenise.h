/* detokenise.h - rows of ids as texts, a row a line. */
#ifndef WEFT_DETOKENISE_H
#define WEFT_DETOKENISE_H

#include "filter/stream_tokenizer.h"
#include "io/stream.h"

typedef struct Detokenise {
    StreamTokenizer from;
    bool raw;    /* special tokens too */
    bool nul;    /* texts as they are, a NUL behind each; else as put_tsv() has them */
    bool json;   /* objects as transformers' pipelines for generated text make them */
    bool stream; /* each row goes out by itself; else a frame's rows together */
    /* private */
    Buf text, out;
} Detokenise;

/* All rows of all streams to standard output, frame by frame. -1: *e, place included; what was
 * before the fault has been written. */
int detokenise_run(Detokenise *t, In *in, Err *e);
void detokenise_clear(Detokenise *t);

#endif
