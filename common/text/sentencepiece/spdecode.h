/* spdecode.h - pieces to text as SentencePiece itself has it: marks become spaces, but for the one
 * that the text begins with. */
#ifndef WEFT_SPDECODE_H
#define WEFT_SPDECODE_H

#include "text/sentencepiece/spiece.h"

typedef struct SpDecoder SpDecoder;

/* `s` stays as long as it does. NULL: two pieces are one, or there is a denormalizer. */
SpDecoder *spdecoder_new(const Spiece *s, Err *e);
void spdecoder_free(SpDecoder *d);
/* Appends the text of n pieces; those that the file lacks stand as they are. */
void spdecoder_decode(const SpDecoder *d, const Str *piece, size_t n, Buf *out);

#endif
