/* transformer.h - the transformer: token ids in, hidden states out, over a device.
 *
 *     Transformer *enc = transformer_load(folder, dev, K_F32, -1, &e);
 *     transformer_run(enc, &in, out, &e);
 */
#ifndef WEFT_TRANSFORMER_H
#define WEFT_TRANSFORMER_H

#include "base/hash.h"
#include "model/config.h"
#include "model/weights.h"

typedef struct Transformer Transformer;

/* layers: how many to load and run; -1 those that reading a text goes through, 0 the
 * embeddings alone. More than there are is an
 * error. type: K_F32, K_BF16 or K_F16: weights are rounded to it, products read it, sums, norms and
 * softmax are f32. */
Transformer *transformer_load(const char *folder, Device *dev, KType type, int64_t layers, Err *e);
void transformer_free(Transformer *enc);
const Config *transformer_config(const Transformer *enc);
int64_t transformer_layers(const Transformer *enc); /* the layers it runs */

/* What the stream calls `encoder`: a digest of what the hidden states depend on. Heads are not
 * part of it, so a checkpoint with and one without a head agree. */
void transformer_fingerprint(const Weights *w, const Config *c, char out[HASH_TEXT]);
void transformer_identity(const Transformer *enc, char out[HASH_TEXT]);

/* The word embeddings that were read need not stay in memory until they are read again: for those
 * who spend a second on a batch and want little memory. */
void transformer_rest(const Transformer *enc);

typedef struct TransformerIn {
    const int32_t *id;     /* [tokens] */
    const uint8_t *kind;   /* [tokens] token_type_ids, or NULL: all 0 */
    const int64_t *starts; /* [rows + 1] */
    int64_t rows, tokens;
    const int64_t *read; /* [reads] tokens whose last states alone are asked for, none twice;
                            NULL: all are. Of transformer_forward, where transformer_picks */
    int64_t reads;
} TransformerIn;

/* Ids and types within the tables, no row longer than the positions: else -1, e->row, message. */
int transformer_check(const Transformer *enc, const TransformerIn *in, Err *e);
/* out: host memory [tokens, hidden], bf16 of an encoder of K_BF16, else f32. probs NULL, or host
 * memory [tokens, layers, heads, wide] for the attention weights, which must be zero before (what
 * lies beyond a row's length is left alone). */
int transformer_run(Transformer *enc, const TransformerIn *in, void *out, float *probs,
                    int64_t wide, Err *e);
/* The same in two, for devices that work on their own: `out` is there when transformer_finish has
 * returned for the mark, in order; 0: it is there already. `in` is no longer needed. */
int transformer_start(Transformer *enc, const TransformerIn *in, void *out, float *probs,
                      int64_t wide, int64_t *mark, Err *e);
int transformer_finish(Transformer *enc, int64_t mark, Err *e);

#endif
