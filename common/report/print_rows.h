/* print_rows.h - rows of a frame to read: as JSON objects, as a padded batch, as short lines. */
#ifndef WEFT_PRINT_ROWS_H
#define WEFT_PRINT_ROWS_H

#include "io/frame.h"

/* How ids are spelt. token is NULL where no vocabulary is at hand; an id beyond it gives
 * {NULL, 0}. */
typedef struct Speller {
    Str (*token)(const void *vocab, int64_t id);
    const void *vocab;
    int64_t pad; /* the padding token's id */
} Speller;

/* {"text", "pair", "label", "ids", "tokens", "spans", "vector", "logits", "keep"}: those that the
 * frame has. A row without a label has null. */
void rows_put_json(Buf *b, const Frame *f, int64_t row, const Speller *s);

/* {"input_ids", "token_type_ids", "attention_mask"}, padded at the end to `width` tokens. -1: the
 * row has more. */
int rows_put_padded(Buf *b, const Frame *f, int64_t row, int64_t width, const Speller *s, Err *e);

/* A few lines a row, long ones cut. */
void rows_put_short(Buf *b, const Frame *f, int64_t row, int64_t number, const Speller *s);

/* The tokens of a row; 0 where the frame has none. */
int64_t rows_length(const Frame *f, int64_t row);

#endif
