/* transformer_in.h - what the encoder's files share: transformer_load.c reads and packs the
 * weights, transformer_run.c takes a batch through the layers, encoder_batch.c makes batches and
 * brings their numbers in and out. */
#ifndef WEFT_TRANSFORMER_IN_H
#define WEFT_TRANSFORMER_IN_H

#include "model/transformer/transformer.h"

typedef struct Norms {
    const float *gamma, *beta; /* device memory */
} Norms;

typedef struct TransformerLayer {
    Weight *qkv, *out;                            /* query, key and value one below the other */
    Weight *cross_query, *cross_pair, *cross_out; /* of a decoder's; the pair is key and value */
    Weight *up, *down; /* a gate, and what it is for, one below the other in `up` */
    Norms attend, cross, feed;
} TransformerLayer;

/* The encoder or the decoder: what lies below its layers, and the layers. */
typedef struct Half {
    const Names *names;
    int64_t first, end; /* its layers, counted through both */
    bool whole;         /* none of them is left out: the last norm is due */
    bool causal;
    const float *position, *kind; /* device memory, or NULL */
    Norms embed, last;
    Weight *project;
    TransformerLayer *layer;
    int64_t owned; /* of `layer`: fewer than there are where all are one */
} Half;

/* Device memory that grows with the largest batch so far. */
typedef struct Space {
    void *p;
    size_t size;
} Space;

enum { HALVES = 2 };
enum {
    SPACE_STARTS,
    SPACE_POSITION,
    SPACE_KIND,
    SPACE_QKV,
    SPACE_SEEN,
    SPACE_PROBS,
    SPACE_PROBS_AT,
    SPACE_ID,
    SPACE_X = SPACE_ID + HALVES,
    SPACE_NORMED = SPACE_X + HALVES,
    SPACE_NARROW = SPACE_NORMED + HALVES,
    SPACES = SPACE_NARROW + HALVES
};

struct Transformer {
    Config config;
    Weights *weights; /* mapped as long as we live: tables are used in place */
    Device *dev;
    KType type, compute; /* of the weights asked for; of what products read */
    int64_t layers;
    Half half[HALVES];
    int halves;
    const float *word;     /* device memory */
    const float *distance; /* what attention adds by distance, device memory; NULL: nothing */
    float *distance_host;
    Space space[SPACES];
    int64_t *starts;                  /* of the batch */
    int32_t *ids, *positions, *kinds; /* host copies, grown alike */
    int64_t host_tokens;
};

/* One batch on its way through the layers. */
typedef struct Run {
    Transformer *enc;
    const Half *half;
    Batch batch;
    const int32_t *id, *position, *kind; /* device */
    View x;                              /* hidden states in f32: what residuals are added to */
    View normed;                         /* where norms come first, in f32; else {0} */
    View narrow; /* in 16 bits where that is what comes out or products read, else {0} */
    View in;     /* the one of the three that products read */
    View memory; /* the encoder's, that a decoder looks at */
    View qkv, seen;
    int64_t layer; /* the layer a stage works on */
    float *probs;  /* of this layer, device */
    const int64_t *probs_at;
    struct Look *look; /* where the attention weights go; NULL: nowhere */
} Run;

/* A half's embeddings and layers. */
void transformer_half(Run *u);
/* Brings the attention weights of u->layer out. */
void transformer_look(Run *u);

/* Reads and packs the weights of enc->layers layers. */
int transformer_weights(Transformer *enc, Err *e);

static inline const TransformerLayer *half_layer(const Half *h, int64_t layer)
{
    return &h->layer[h->owned > 1 ? layer - h->first : 0];
}

#endif
