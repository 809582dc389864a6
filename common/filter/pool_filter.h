/* pool_filter.h - what `pool` does to a frame: one vector a row. */
#ifndef WEFT_POOL_FILTER_H
#define WEFT_POOL_FILTER_H

#include "base/hash.h"
#include "base/opt.h"
#include "io/frame.h"
#include "model/head/pooler.h"

typedef struct PoolFilter {
    const Common *common;
    Pooling want; /* kind POOL_NONE: what the model says */
    Device *dev;
    Pooler *pooler;
    Pooling used;
    char *folder;            /* of the model whose configuration says how; NULL: it was not asked */
    bool bag;                /* it holds static embeddings */
    int64_t width;           /* of its hidden states; else ANY_WIDTH */
    char encoder[HASH_TEXT]; /* its fingerprint, where its pooler is used; else "" */
} PoolFilter;

/* token.hidden, of as many numbers as check.h is to see to, -> row.vector; the token tensors
 * stay. */
int pool_vectors(Pooler *p, Frame *frame, int64_t width, const char *taker, Err *e);
int pool_frame(void *filter, Frame *f, Err *e);
void pool_end(PoolFilter *f);

#endif
