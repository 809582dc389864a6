/* speaker_in.h - what a speaker is made of: speaker_load.c reads its weights, speaker.c brings
 * steps in and logits out, speaker_layers.c takes a step through the layers. */
#ifndef WEFT_SPEAKER_IN_H
#define WEFT_SPEAKER_IN_H

#include "model/transformer/plan.h"
#include "model/transformer/space.h"
#include "model/transformer/speaker.h"
#include "model/transformer/turns.h"
#include "model/weights.h"

/* What a step brings along, and what it is computed in. */
enum {
    SAY_LISTS, /* what the rows bring, all of it in one */
    SAY_X,     /* [tokens, hidden]: what residuals are added to */
    SAY_SUM,
    SAY_NORMED,
    SAY_QKV,
    SAY_SEEN,
    SAY_WIDE,
    SAY_BOTH, /* a gate and what it is for */
    SAY_LAST_X,
    SAY_LOGITS,
    SAY_HEARD, /* what is said of the logits */
    SAY_READ,  /* the encoder's states, their keys and values, and where those go */
    SAY_PAIR,
    SAY_OUT,
    SAY_SPACES
};

struct Speaker {
    Config config;
    Device *dev;
    ThinForm form;
    Transformer *encoder; /* NULL: there is none */
    Weights *weights;
    Plan plan;
    int which;               /* its half of the plan */
    const float **value;     /* by parameter, device memory; NULL: it is not this half's */
    Weight **weight;         /* by matrix, likewise */
    Weight *words;           /* from hidden states to logits */
    const float *words_bias; /* final_logits_bias, or NULL */
    float words_scale;
    const float *distance; /* as a Transformer's */
    float *distance_host;
    const float *near; /* as a Transformer's */
    float *near_host;
    Turns turns;
    float *waves; /* as a Transformer's */
    Kept *kept, *memory;
    Space space[SAY_SPACES];
};

static inline const HalfPlan *speaker_half(const Speaker *s)
{
    return &s->plan.half[s->which];
}

/* A step on its way through the layers. */
typedef struct Say {
    Speaker *s;
    const HalfPlan *half;
    Batch batch, cross; /* rows of new tokens; those that look at one memory are one row */
    const int32_t *id, *position, *slot, *cross_slot, *last;
    const int64_t *at, *host_at, *cross_at, *host_cross_at;
    const int64_t *fresh; /* the new tokens' slots, where they are put there by themselves */
    bool far;             /* a row is longer than what is near */
    View x, sum, normed, qkv, seen, wide, both, last_x, logits;
    int64_t layer;
} Say;

/* From ids to u->logits, and what the store keeps. */
void say_layers(Say *u);
/* The keys and values of the encoder's states x [tokens, hidden] into the memory's slots `out`, for
 * each layer, by way of `pair` [tokens, keys and values]. */
void say_read(Speaker *s, View x, View pair, const int64_t *out);

#endif
