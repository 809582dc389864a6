/* pooling.h - how many hidden states become one vector a row, by whom it is said, and what streams
 * call it: the ways, joined by +, in the order of the vector's parts, and behind them what is done
 * to it: "mean", "cls,normalize", "cls+mean+sqrt", "mean,dense,normalize"; past-prompt stands
 * before that where the tokens of the prompt do not count. */
#ifndef WEFT_POOLING_H
#define WEFT_POOLING_H

#include "model/config.h"
#include "model/modules.h"
#include "model/weights.h"

typedef enum PoolKind {
    POOL_MEAN,
    POOL_CLS,
    POOL_MAX,
    POOL_LAST,
    POOL_POOLER,
    POOL_SQRT,     /* the sum over the root of the length */
    POOL_WEIGHTED, /* the mean in which a token counts by its place: 1, 2, ... */
    POOL_NONE
} PoolKind;

enum { POOL_NAME = 128 };

typedef struct Pooling {
    PoolKind kind;
    bool normalize;
    PoolKind joined[POOL_NONE]; /* what stands behind it in the vector */
    int joins;
    bool past_prompt; /* the tokens of the prompt do not count */
    bool modules;     /* what the folder has behind its Pooling module is done to it: Dense ... */
    char tail[POOL_NAME / 2]; /* the name of that: ",dense,normalize" */
    char name[POOL_NAME];     /* pooling_name's */
} Pooling;

const char *pooling_name(Pooling *p); /* as in the stream; stays in p */
int pooling_parse(const char *name, Pooling *p, Err *e);
/* What a model's home says (sentence-transformers' modules.json and its modules), else the family's
 * way; BERT: pooler, or cls where the checkpoint has no pooler. */
int pooling_default(const char *home, const Config *c, const Weights *w, Pooling *p, Err *e);
/* The same of static embeddings (model/bag.h), whose vectors are means already. */
int pooling_of_bag(const char *home, bool normalize, Pooling *p, Err *e);
bool pooling_has(const Pooling *p, PoolKind kind);

#endif
