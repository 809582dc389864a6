/* decode.h - the decoders of tokenizer.json: entries' texts to the text they came from. */
#ifndef WEFT_DECODE_H
#define WEFT_DECODE_H

#include "base/err.h"
#include "base/mem.h"

#include <jansson.h>

typedef struct Decoder Decoder; /* NULL: entries with a space between */

/* null, or none, leaves *d NULL. */
int decoder_new(Decoder **d, const json_t *o, Err *e);
void decoder_free(Decoder *d);
void decoder_run(const Decoder *d, const Str *token, size_t n, Buf *out);

/* transformers' clean_up_tokenization(), of b from `from` on: spaces before punctuation and
 * English contractions go. */
void decode_clean(Buf *b, size_t from);

#endif
