/* transformer_back.h - what the way back through the layers needs beside the tape: buffers for the
 * gradients under way, and where those of the parameters go. For the transformer's files alone. */
#ifndef WEFT_TRANSFORMER_BACK_H
#define WEFT_TRANSFORMER_BACK_H

#include "model/transformer/transformer_layers.h"

enum { BACK_POINTS = 4 }; /* a layer has no more, its first one included */

/* All [tokens, ..]. Of points there are as many as a layer has, used in turn. */
typedef enum BackSlot {
    BACK_STATE,                          /* of a point's normed states, f32 */
    BACK_SUM = BACK_STATE + BACK_POINTS, /* of the sum that is a point's, f32 */
    BACK_OUT = BACK_SUM + BACK_POINTS,   /* of what was added to make it, as products read it */
    BACK_WIDE = BACK_OUT + BACK_POINTS,  /* the activation's outputs, made again */
    BACK_PRE,                            /* of its inputs */
    BACK_SEEN,                           /* of what attention gave */
    BACK_ALL_SEEN, /* of all tokens, where the last layer goes on with some, */
    BACK_ALL_SUM,  /* and of the sum behind its attention, f32 */
    BACK_EMBED,    /* of the sum of the embeddings, f32 */
    BACK_EMBED_IN, /* of what is projected to the layers' width, f32 */
    BACK_MEMORY,   /* of the encoder's last states, f32 */
    BACK_SLOTS
} BackSlot;

enum { TABLE_WORD, TABLE_POSITION, TABLE_KIND, TABLES };

struct Back {
    Space space[BACK_SLOTS], biases[2];
    View slot[BACK_SLOTS];
    float *dbias, *ddistance; /* [rows, heads, span], [heads, span]; NULL: no bias by distance */
    TableUse table[HALVES][TABLES];
    int64_t *host[3]; /* of a table's use, while it is made */
    int64_t host_room;
};

static inline View back_at(const Run *u, BackSlot s, int64_t point)
{
    return u->t->back->slot[s < BACK_WIDE ? s + point % BACK_POINTS : s];
}

static inline View back_tile(const Piece *p, const Run *u, BackSlot s, int64_t point)
{
    View v = back_at(u, s, point);
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

static inline bool back_trains(const Run *u, int param)
{
    return param >= 0 && u->learn->trains[param];
}
static inline float *back_grad(const Run *u, int param)
{
    return u->learn->grad + u->t->plan.params.param[param].at;
}

/* Of what the embeddings and their norm give, or of their sum where they have none. */
static inline View back_embeds(const Run *u)
{
    bool before = u->t->config.family->norms == NORMS_BEFORE;
    return u->half->project.id >= 0 ? back_at(u, BACK_EMBED_IN, 0)
                                    : back_at(u, before ? BACK_SUM : BACK_STATE, 0);
}

/* transformer_back.c: room for the batch; which rows of which tables its tokens use. */
int back_begin(Run *u, const TransformerIn *in, Err *e);
void back_free(Transformer *t);
/* Tokens by the entry they took. Nothing where the table does not learn. */
int table_use(Transformer *m, TableUse *t, int param, const int32_t *index, int64_t n, Err *e);
/* transformer_params.c: the gradients of the parameters of u->layer; of the last norm; of what
 * comes before the layers; of the bias by distance. */
void back_layer_params(Run *u);
void back_distance_params(Run *u);
void back_last_params(Run *u);
void back_embed_params(Run *u);
/* transformer_backward.c: a half, from the gradient of its last states (BACK_STATE of its last
 * point) on. */
void transformer_half_back(Run *u);
/* The encoder's last states have the gradient that the decoder's layers gave them. */
void back_from_memory(Run *u);

#endif
