/* transformer_items.h - gradients of parameters as a list of panels that are independent of each
 * other and are dealt out together. Tokens are added in fixed blocks, in order, so that no number
 * depends on who computes it. */
#ifndef WEFT_TRANSFORMER_ITEMS_H
#define WEFT_TRANSFORMER_ITEMS_H

#include "model/transformer/transformer_in.h"

enum { ITEMS = 1024 };

typedef struct Item {
    enum { ITEM_DENSE, ITEM_BIAS, ITEM_NORM, ITEM_TABLE, ITEM_COLSUM } kind;
    int64_t lo, hi;
    View dy, x; /* of ITEM_NORM: x is the sum */
    View dw;    /* of ITEM_TABLE: the table's gradient */
    float *db;  /* of ITEM_NORM: beta's */
    float *dgamma;
    const float *stats;
    const TableUse *use;
} Item;

typedef struct Items {
    Transformer *t;
    const Learn *learn;
    bool add; /* to the gradients that are there; tables' always are */
    int n;
    Item item[ITEMS];
} Items;

/* Of a matrix y = x W' + b: dy and x as products read them. Nothing where it does not learn. */
void items_dense(Items *l, const Dense *d, View dy, View x);
/* Of a norm of s, whose `stats` are those of norm.h. */
void items_norm(Items *l, const NormPlan *n, View dy, View s, View stats);
/* Of a table whose rows were used so. */
void items_table(Items *l, const TableUse *use, View dy, View table);
/* y += column sums of dy, whole. */
void items_colsum(Items *l, View dy, float *y);
void items_run(Items *l); /* and there are none any more */

static inline float *items_grad(const Items *l, int param)
{
    return l->learn->grad + l->t->plan.params.param[param].at;
}

#endif
