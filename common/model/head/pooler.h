/* pooler.h - many hidden states to one vector a row, as a Pooling says. */
#ifndef WEFT_POOLER_H
#define WEFT_POOLER_H

#include "model/head/pooling.h"

/* With the weights that POOL_POOLER needs, and a folder's Dense and LayerNorm modules; else
 * without any. */
typedef struct Pooler Pooler;
/* c and w may be NULL where there is no POOL_POOLER; home, the folder with modules.json, where
 * p->modules is false. */
Pooler *pooler_new(const Pooling *p, Device *dev, const Config *c, Weights *w, const char *home,
                   Err *e);
void pooler_free(Pooler *p);

typedef struct PoolIn {
    View hidden;           /* host memory [tokens, cols], dense, f32 or bf16 */
    const int64_t *starts; /* [rows + 1]; NULL: `hidden` is f32 and has the rows' vectors already,
                              of one mean, with which the modules behind it go on */
    int64_t rows;
    int64_t prompt; /* tokens of each row that are a prompt's, for Pooling.past_prompt */
} PoolIn;

/* Numbers of a vector made of hidden states of so many. */
int64_t pooler_width(const Pooler *p, int64_t cols);
/* The other way: numbers of the hidden states that such a vector is made of. */
int64_t pooler_reads(const Pooler *p, int64_t width);
/* out: host memory f32 [rows, pooler_width()]. A row without tokens gives zeros by mean and max,
 * and is an error (e->row) for the kinds that pick a token. */
int pooler_run(Pooler *p, const PoolIn *in, float *out, Err *e);

#endif
