/* plan.h - what a transformer is made of: its modules, and of which parameters each.
 *
 * A plan is made of a configuration, whose family says what things are called, and of the names in
 * a checkpoint: a bias is there where the checkpoint has one. A model that has no checkpoint yet
 * has the biases of its family. Nothing here holds numbers. */
#ifndef WEFT_PLAN_H
#define WEFT_PLAN_H

#include "model/config.h"
#include "model/transformer/params.h"
#include "model/weights.h"

enum { DENSE_PARTS = 3 };

/* y = x W' + b. `parts` matrices one below the other make W, their biases b. */
typedef struct Dense {
    int id;           /* of the matrices of the plan, from 0; -1: there is none */
    int weight, bias; /* parameters, of the first part; the others' follow. bias -1: none */
    int parts;
    int64_t out[DENSE_PARTS], in; /* outputs of each part */
    bool plain;                   /* a head's: [outputs, inputs] whatever the family has, f32 */
} Dense;

typedef struct NormPlan {
    int gamma, beta; /* parameters; -1: none */
} NormPlan;

typedef struct LayerPlan {
    Dense qkv, out;
    Dense cross_query, cross_pair, cross_out; /* of a decoder's; the pair is key and value */
    Dense up, down;                           /* a gate, and what it is for, are parts of `up` */
    NormPlan attend, cross, feed;
    NormPlan query, key;      /* of a head */
    Dense far_key, far_query; /* keys and queries of distances */
} LayerPlan;

/* The encoder or the decoder: what lies below its layers, and the layers. */
typedef struct HalfPlan {
    int64_t first, end; /* its layers, counted through both */
    bool whole;         /* none of them is left out: the last norm is due */
    bool causal;
    int position, kind; /* tables; -1: none */
    NormPlan embed, last;
    int far; /* table of distances; -1: none */
    NormPlan far_norm;
    Dense project;
    LayerPlan *layer;
    int64_t owned; /* of `layer`: fewer than there are where all are one */
} HalfPlan;

enum { HALVES = 2 };

typedef struct Plan {
    Params params;
    int word, distance; /* tables; distance -1: none */
    HalfPlan half[HALVES];
    int halves;
    int64_t layers; /* in all */
    int denses;     /* matrices: ids are below */
    Dense *more;    /* those that are no layer's: a head's */
    int mores;
} Plan;

/* The first `layers` layers (at most c->layers) through encoder and decoder. w NULL: a model that
 * is to be made. */
void plan_new(Plan *p, const Config *c, const Weights *w, int64_t layers);
void plan_clear(Plan *p);
/* A matrix of a head's, out [n], bias or none: parameters NAME.weight and NAME.bias. A name that
 * begins with the family's prefix stands without it. */
Dense plan_dense(Plan *p, const char *name, int64_t out, int64_t in, bool bias, Part part,
                 bool fresh);
NormPlan plan_norm(Plan *p, const char *name, int64_t wide, bool bias, Part part, bool fresh);

static inline const LayerPlan *plan_layer(const HalfPlan *h, int64_t layer)
{
    return &h->layer[h->owned > 1 ? layer - h->first : 0];
}

/* All matrices of the plan, by id. Release with free(). */
const Dense **plan_denses(const Plan *p);
/* The row of a table that stands for padding and never learns (torch.nn.Embedding's padding_idx);
 * -1: none. */
int64_t plan_padding(const Plan *p, const Config *c, int param);

static inline int64_t dense_out(const Dense *d)
{
    int64_t n = 0;
    for (int i = 0; i < d->parts; i++)
        n += d->out[i];
    return n;
}

#endif
