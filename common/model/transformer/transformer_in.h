/* transformer_in.h - what the transformer's files share: transformer_load.c brings the parameters
 * to the device, transformer_layers.c takes a batch through the layers, transformer_batch.c makes
 * batches and brings their numbers in and out. */
#ifndef WEFT_TRANSFORMER_IN_H
#define WEFT_TRANSFORMER_IN_H

#include "model/transformer/plan.h"
#include "model/transformer/tape.h"
#include "model/transformer/transformer.h"
#include "model/transformer/transformer_learn.h"
#include "model/transformer/turns.h"

typedef struct Run Run;
typedef struct Back Back;

/* A table's rows, and which tokens (or other places) each was of. Device memory. */
typedef struct TableUse {
    int param;
    int64_t rows;                        /* that were used */
    const int64_t *out, *starts, *token; /* [rows], [rows + 1], [..] */
    const float *weight;                 /* [rows]; NULL: 1 */
    Space space[4];
} TableUse;

struct Transformer {
    Config config;
    Weights *weights; /* mapped as long as we live: tables are used in place */
    Device *dev;
    KType type, compute; /* of the weights asked for; of what products read */
    Plan plan;
    float *arena;          /* device memory of a writable model, all parameters; else NULL */
    const float **value;   /* by parameter, device memory; NULL of a packed matrix' parts */
    const Dense **dense;   /* by matrix, of a model that learns */
    Weight **weight;       /* by matrix */
    const float *distance; /* what attention adds by distance, device memory; NULL: nothing */
    float *distance_host;
    const float *near; /* what attention adds in layers that see what is near, or NULL */
    float *near_host;
    Turns turns;
    AttendFar *far; /* of each layer, what queries and keys make of distances up to far_reach; */
    Space far_space[2]; /* their entries, and their keys and queries */
    int64_t far_reach;
    float *waves;             /* positions' table, host memory, where the checkpoint lacks it */
    TableUse buckets, spread; /* of the bias by distance: a table's entries, all distances */
    Tape tape;
    Back *back;         /* of a model that learns */
    Run *pass;          /* its last way forward */
    Drops drops;        /* whose numbers are in device memory */
    Drops picked_drops; /* the same of the tokens that are read */
    Learn learn;
    bool again;                       /* layers are made again on the way back */
    Slot in;                          /* what products read of the hidden states */
    int64_t *starts;                  /* of the batch */
    int32_t *ids, *positions, *kinds; /* host copies, grown alike */
    int64_t host_tokens;
};

/* A run of operations over the batch, cut in one way. What it reads and writes are sets of
 * IN_SLOT()s; it touches no others. */
typedef struct Stage {
    Each cut;
    StageFn *fn;
    unsigned reads, writes;
} Stage;

/* One batch on its way through the layers. */
struct Run {
    Transformer *t;
    const HalfPlan *half;
    const Stage *stage;
    Batch batch;
    const int32_t *id, *position, *kind; /* device */
    int64_t layer;                       /* the layer a stage works on */
    bool far;                            /* a row is longer than what is near */
    const Drops *drops;                  /* NULL: nothing is dropped */
    const Learn *learn;                  /* on the way back */
    bool again;                          /* where a layer is made again */
    const int64_t *picked;               /* device: the tokens that are read; NULL: all */
    int64_t picks;
    float *probs; /* of this layer, device */
    const int64_t *probs_at;
    struct Look *look; /* where the attention weights go; NULL: nowhere */
};

/* Where positions and ids of a batch go; then each half's. */
int batch_begin(Run *u, const TransformerIn *in, Err *e);
int batch_half(Run *u, int which, const TransformerIn *in, Err *e);
/* A half's embeddings and layers. */
void transformer_half(Run *u);
/* u->layer once more, from the state that it began with, to the same bits. */
void transformer_again(Run *u);
/* Brings the attention weights of u->layer out. */
void transformer_look(Run *u);

/* The entry of the table for keys that far behind the query. */
int64_t distance_bucket(int64_t distance, const Config *c);
/* Likewise of distances that queries and keys meet. */
int64_t far_bucket(int64_t distance, const Distances *f);
/* Room for rows of so many tokens. What was handed out before is void where it grows. */
int far_grow(Transformer *t, int64_t longest, Err *e);
void far_free(Transformer *t);
/* A parameter's numbers as the checkpoint has them, or as they are made; host memory, as long as
 * the transformer. */
const float *transformer_param(Transformer *t, int param, Err *e);
/* What attention adds in layers that see only what is near, if there are such. */
int transformer_near(Transformer *t, Err *e);
/* Reads the parameters of the plan. */
int transformer_weights(Transformer *t, Err *e);

#endif
