/* weights.h - a model folder's tensors, mapped, found by Hugging Face's names: with or without
 * the family's prefix, LayerNorm.gamma/beta for weight/bias, one file or shards. F16 and BF16
 * are widened; F32 is used where it is mapped. */
#ifndef WEFT_WEIGHTS_H
#define WEFT_WEIGHTS_H

#include "base/hash.h"
#include "io/safetensors.h"

#include <stdbool.h>

typedef struct Weights Weights;

/* FOLDER/model.safetensors, or the shards of model.safetensors.index.json. */
Weights *weights_open(const char *folder, const char *prefix, Err *e);
void weights_close(Weights *w);

bool weights_has(const Weights *w, const char *name);
/* f32 of exactly this shape (cols 0: a vector of `rows`); lives as long as w, on 4 bytes.
 * NULL: absent, of another shape or no float: the message names tensor, shape and file. */
const float *weights_get(Weights *w, const char *name, int64_t rows, int64_t cols, Err *e);
/* Adds a tensor to a fingerprint: its name, type, shape and, spread over it, 18 samples of 64
 * bytes. Absent tensors add their name. */
void weights_hash(const Weights *w, const char *name, Hash *h);

#endif
