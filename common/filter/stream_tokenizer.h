/* stream_tokenizer.h - the tokenizer of a stream's model, for what gives ids back as text. */
#ifndef WEFT_STREAM_TOKENIZER_H
#define WEFT_STREAM_TOKENIZER_H

#include "io/frame.h"
#include "text/tokenizer.h"

/* The tokenizer of the model that `model` names (NULL: $WEFT_MODEL). It must be the one that
 * made the ids, where `vocab` tells its fingerprint. */
Tokenizer *lexicon_load(const char *model, const char *vocab, Err *e);

typedef struct Lexicon {
    const char *model; /* -m; NULL: the stream's */
    Tokenizer *tokenizer;
    TokWork *work;
} Lexicon;

/* With the first frame whose task needs it. Model and vocabulary of a stream never change. */
int lexicon_open(Lexicon *l, const Frame *f, Err *e);
void lexicon_close(Lexicon *l);

/* A place in a text, in bytes and in characters (code points), which transformers counts. */
typedef struct CharAt {
    size_t byte;
    int64_t chars;
} CharAt;

/* The characters before byte `to` (<= text.n); *at is any place of the text, {0} at first, and
 * moves there: what lies near costs little. */
int64_t chars_before(CharAt *at, Str text, size_t to);

#endif
