/* stream_speller.h - how a stream's ids are spelt: by the tokenizer of the model that is asked for,
 * or that the stream names. */
#ifndef WEFT_STREAM_SPELLER_H
#define WEFT_STREAM_SPELLER_H

#include "report/print_rows.h"
#include "text/tokenizer.h"

typedef struct StreamSpeller {
    const char *model; /* -m; NULL: the stream's */
    Speller speller;   /* spells nothing where the model is not there */
    /* private */
    Tokenizer *tokenizer;
    bool looked;
} StreamSpeller;

/* With each frame; the first that has ids tells. -1: the model was asked for, and is not there. */
int stream_speller_find(StreamSpeller *s, const Frame *f, Err *e);
void stream_speller_clear(StreamSpeller *s);

#endif
