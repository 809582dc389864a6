/* transformer.h - the transformer: token ids in, hidden states out, over a device.
 *
 *     Encoder *enc = encoder_load(folder, dev, K_F32, -1, &e);
 *     encoder_run(enc, &in, out, &e);
 */
#ifndef WEFT_TRANSFORMER_H
#define WEFT_TRANSFORMER_H

#include "base/hash.h"
#include "model/config.h"
#include "model/weights.h"

typedef struct Encoder Encoder;

/* layers: how many to load and run; -1 all, 0 the embeddings alone. More than there are is an
 * error. type: K_F32, K_BF16 or K_F16: weights are rounded to it, products read it, sums, norms and
 * softmax are f32. */
Encoder *encoder_load(const char *folder, Device *dev, KType type, int64_t layers, Err *e);
void encoder_free(Encoder *enc);
const Config *encoder_config(const Encoder *enc);
int64_t encoder_layers(const Encoder *enc); /* the layers it runs */

/* What the stream calls `encoder`: a digest of what the hidden states depend on. Heads are not
 * part of it, so a checkpoint with and one without a head agree. */
void encoder_fingerprint(const Weights *w, const Config *c, char out[HASH_TEXT]);
void encoder_identity(const Encoder *enc, char out[HASH_TEXT]);

/* The word embeddings that were read need not stay in memory until they are read again: for those
 * who spend a second on a batch and want little memory. */
void encoder_rest(const Encoder *enc);

typedef struct EncoderIn {
    const int32_t *id;      /* [tokens] */
    const uint8_t *kind;    /* [tokens] token_type_ids, or NULL: all 0 */
    const int64_t *starts;  /* [rows + 1] */
    int64_t rows, tokens;
} EncoderIn;

/* Ids and types within the tables, no row longer than the positions: else -1, e->row, message. */
int encoder_check(const Encoder *enc, const EncoderIn *in, Err *e);
/* out: host memory [tokens, hidden], bf16 of an encoder of K_BF16, else f32. probs NULL, or host memory
 * [tokens, layers, heads, wide] for the attention weights, which must be zero before (what lies
 * beyond a row's length is left alone). */
int encoder_run(Encoder *enc, const EncoderIn *in, void *out, float *probs, int64_t wide,
                Err *e);
/* The same in two, for devices that work on their own: `out` is there when encoder_finish has
 * returned for the mark, in order; 0: it is there already. `in` is no longer needed. */
int encoder_start(Encoder *enc, const EncoderIn *in, void *out, float *probs, int64_t wide,
                  int64_t *mark, Err *e);
int encoder_finish(Encoder *enc, int64_t mark, Err *e);

#endif
