/* weights.h - a model folder's tensors, mapped (those of pytorch_model.bin are read), found by
 * Hugging Face's names: with or without the family's prefix, LayerNorm.gamma/beta for
 * weight/bias, one file or shards. F16 and BF16 are widened; F32 is used where it lies. */
#ifndef WEFT_WEIGHTS_H
#define WEFT_WEIGHTS_H

#include "base/hash.h"
#include "store/safetensors.h"

#include <stdbool.h>

typedef struct Weights Weights;

/* FOLDER/model.safetensors, or the shards of model.safetensors.index.json; where there are none,
 * FOLDER/pytorch_model.bin, or the shards of pytorch_model.bin.index.json. */
Weights *weights_open(const char *folder, const char *prefix, Err *e);
void weights_close(Weights *w);

/* All of them, without their numbers; bytes on disk. */
int weights_count(const Weights *w);
StView weights_at(const Weights *w, int i);
uint64_t weights_bytes(const Weights *w);

bool weights_has(const Weights *w, const char *name);
/* f32 of exactly this shape (cols 0: a vector of `rows`); lives as long as w, on 4 bytes.
 * NULL: absent, of another shape or no float: the message names tensor, shape and file. */
const float *weights_get(Weights *w, const char *name, int64_t rows, int64_t cols, Err *e);
/* Memory for n numbers that lives as long as w. */
float *weights_own(Weights *w, size_t n);
/* p[0, n) has been copied: its pages need not stay in memory (they can be read again). */
void weights_done(const Weights *w, const float *p, int64_t n);
/* Adds a tensor to a fingerprint: its name, type, shape and, spread over it, 18 samples of 64
 * bytes. Absent tensors add their name. */
void weights_hash(const Weights *w, const char *name, Hash *h);

#endif
