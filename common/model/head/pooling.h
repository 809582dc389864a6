/* pooling.h - many hidden states to one vector a row.
 *
 * What the stream's `pool` says: "mean", "cls", "max", "last" or "pooler", with ",normalize"
 * behind it where vectors were brought to length 1. */
#ifndef WEFT_POOLING_H
#define WEFT_POOLING_H

#include "model/config.h"
#include "model/weights.h"

typedef enum PoolKind { POOL_MEAN, POOL_CLS, POOL_MAX, POOL_LAST, POOL_POOLER, POOL_NONE } PoolKind;

typedef struct Pooling {
    PoolKind kind;
    bool normalize;
} Pooling;

const char *pooling_name(Pooling p); /* as in the stream */
int pooling_parse(const char *name, Pooling *p, Err *e);
/* What a model folder says (sentence-transformers' modules.json and its Pooling module), else
 * the family's way; BERT: pooler, or cls where the checkpoint has no pooler. */
int pooling_default(const char *folder, const Config *c, const Weights *w, Pooling *p, Err *e);

/* A pooler ready to run: with the dense layer that POOL_POOLER needs, else without weights. */
typedef struct Pooler Pooler;
/* c and w may be NULL where the kind is not POOL_POOLER. */
Pooler *pooler_new(Pooling p, Device *dev, const Config *c, Weights *w, Err *e);
void pooler_free(Pooler *p);

typedef struct PoolIn {
    View hidden;           /* host memory [tokens, cols], dense, f32 or bf16 */
    const int64_t *starts; /* [rows + 1] */
    int64_t rows;
} PoolIn;

/* out: host memory f32 [rows, cols]. A row without tokens gives zeros by mean and max, and is
 * an error (e->row) for the kinds that pick a token. */
int pooler_run(Pooler *p, const PoolIn *in, float *out, Err *e);

#endif
