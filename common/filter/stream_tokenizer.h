/* stream_tokenizer.h - the tokenizer of a stream's model, for what gives ids back as text. */
#ifndef WEFT_STREAM_TOKENIZER_H
#define WEFT_STREAM_TOKENIZER_H

#include "io/frame.h"
#include "text/tokenizer.h"

/* The tokenizer of the model that `model` names (NULL: $WEFT_MODEL). It must be the one that
 * made the ids, where `vocab` tells its fingerprint. */
Tokenizer *stream_tokenizer_load(const char *model, const char *vocab, Err *e);

typedef struct StreamTokenizer {
    const char *model; /* -m; NULL: the stream's */
    Tokenizer *tokenizer;
    TokWork *work;
} StreamTokenizer;

/* With the first frame whose task needs it. Model and vocabulary of a stream never change. */
int stream_tokenizer_open(StreamTokenizer *l, const Frame *f, Err *e);
void stream_tokenizer_close(StreamTokenizer *l);

#endif
