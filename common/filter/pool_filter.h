/* pool_filter.h - what `pool` does to a frame: one vector a row. */
#ifndef WEFT_POOL_FILTER_H
#define WEFT_POOL_FILTER_H

#include "base/opt.h"
#include "io/frame.h"
#include "model/head/pooling.h"

typedef struct PoolFilter {
    const Common *common;
    Pooling want; /* kind POOL_NONE: what the model says */
    Device *dev;
    Pooler *pooler;
    Pooling used;
} PoolFilter;

/* token.hidden -> row.vector; the token tensors stay. */
int pool_vectors(Pooler *p, Frame *frame, Err *e);
int pool_frame(void *filter, Frame *f, Err *e);
void pool_end(PoolFilter *f);

#endif
