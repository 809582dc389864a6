/* check.h - do a frame's tensors fit what a model takes? The one place where the two are compared:
 * metadata may be absent, or lie, and a product reads as far as the model's shapes say.
 *
 * width: numbers a token or row that the model takes; ANY_WIDTH: whatever there are, but none is
 * nothing to compute with. taker: who takes them, for the message ("the model /m"). */
#ifndef WEFT_CHECK_H
#define WEFT_CHECK_H

#include "io/frame.h"
#include "model/transformer/transformer.h"

enum { ANY_WIDTH = 0 };

/* token.hidden, F32 or BF16 [t, width], of a frame with row.tokens; NULL and a message. */
const Tensor *check_states(const Frame *f, int64_t width, const char *taker, Err *e);
/* row.vector, F32 [n, width]. */
const Tensor *check_vectors(const Frame *f, int64_t width, const char *taker, Err *e);
/* The ids of a frame with their rows, and token.type where it is there. Whether the model has such
 * ids and types is transformer_check()'s to say. */
int check_ids(const Frame *f, TransformerIn *in, Err *e);

#endif
