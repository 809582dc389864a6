/* transformer_layers.h - what the way forward (transformer_layers.c) and the way back
 * (transformer_backward.c) through the layers have in common. */
#ifndef WEFT_TRANSFORMER_LAYERS_H
#define WEFT_TRANSFORMER_LAYERS_H

#include "model/transformer/transformer_in.h"

/* The places of dropout, as mix.h counts them. Those of a layer are apart from the next one's by
 * more than there are heads. */
enum {
    SITE_EMBED = 1,
    SITE_LAST = 2,
    SITE_LAYER = 1 << 12,
    SITE_ATTEND = 0,      /* and the head */
    SITE_CROSS = 1 << 10, /* likewise */
    SITE_OUT = 2 << 10,
    SITE_CROSS_OUT,
    SITE_INNER,
    SITE_FEED
};

/* SITE_EMBED or SITE_LAST of a half. */
static inline uint32_t site_end(const Run *u, int what)
{
    return (uint32_t)what + 2 * (uint32_t)(u->half - u->t->plan.half);
}

static inline uint32_t site_of(int64_t layer, int what)
{
    return (uint32_t)(layer + 1) * SITE_LAYER + (uint32_t)what;
}

/* Residuals of a layer: what it does to a token, point by point. */
static inline int64_t points_of(const HalfPlan *h)
{
    return h->owned && h->layer->cross_out.id >= 0 ? 3 : 2;
}

/* The point that a layer begins at; counted from the half's first layer, whose point 0 is behind
 * the embeddings. */
static inline int64_t point_of(const Run *u, int64_t layer)
{
    return (layer - u->half->first) * points_of(u->half);
}

static inline const float *run_value(const Run *u, int param)
{
    return param < 0 ? NULL : u->t->value[param];
}

/* What a decoder looks at: the encoder's last states, as products read them. */
static inline View run_memory(const Run *u)
{
    const HalfPlan *h = &u->t->plan.half[0];
    return tape_place(&u->t->tape, 0, u->t->in, (h->end - h->first) * points_of(h));
}

/* A slot that the running stage names, and the piece's rows of it. */
View slot_at(const Run *u, Slot s, int64_t at);
View slot_tile(const Piece *p, const Run *u, Slot s, int64_t at);

const NormPlan *norm_before(const Run *u, int64_t layer);
/* The attentions of u->layer, but for probs. */
Attend self_attention(const Run *u);
Attend cross_attention(const Run *u);

void run_stage(Run *u, const Stage *s);

/* Where a batch says which of its last states are read, the last layer computes what is behind its
 * attention for those tokens alone: its points behind the first one, and the activation's inputs,
 * have a row for each of them. */
static inline bool picks_here(const Run *u)
{
    return u->picked && u->layer == u->half->end - 1;
}
void run_picked(Run *u, const Stage *s);

#endif
