/* tape.h - the buffers that a pass through the layers writes and reads.
 *
 * Stages name what they read and write by slots. A slot has a place for each layer, or for each
 * point: point 0 is behind the embeddings, and each residual leads to the next. Where a place lies
 * is the tape's affair. To infer, one set of buffers serves all, each layer overwriting the last
 * one's; to learn, what the way back needs has a place of its own. Where layers are made again on
 * the way back, states between them have theirs, and what is within a layer has one for all. */
#ifndef WEFT_TAPE_H
#define WEFT_TAPE_H

#include "base/err.h"
#include "kernels/device.h"
#include "model/transformer/plan.h"
#include "model/transformer/space.h"

/* All [tokens, ..]. What products read is one of the first three. */
typedef enum Slot {
    /* by point */
    SLOT_X,      /* hidden states in f32: what residuals are added to */
    SLOT_NORMED, /* where norms come first, in f32 */
    SLOT_NARROW, /* in 16 bits, where that is what comes out or products read */
    SLOT_SUM,    /* what went into a norm behind the residual; only to learn, as those below */
    SLOT_STATS,  /* of the point's norm (norm.h) */
    /* by layer */
    SLOT_QKV,    /* queries, keys and values */
    SLOT_TURNED, /* the same turned by places, a key and a value for each query (rotate.h) */
    SLOT_SEEN,   /* what attention gives */
    SLOT_CROSS_QUERY,
    SLOT_CROSS_PAIR, /* keys and values of the encoder's states */
    SLOT_CROSS_SEEN,
    SLOT_LSE, /* attention's, [tokens, heads] */
    SLOT_CROSS_LSE,
    SLOT_PRE, /* what goes into the activation, and its gate */
    /* once */
    SLOT_EMBED_SUM, /* the sum of the tables' rows, where a norm follows */
    SLOT_EMBED_STATS,
    SLOT_EMBED_IN, /* what the projection to the layers' width reads */
    SLOT_PICKED,   /* of the last layer, of the tokens that are read: what attention is added to, */
    SLOT_PICKED_SEEN, /* and what it gives */
    SLOTS
} Slot;
#define IN_SLOT(s) (1u << (s))

/* What a slot is like in a half; cols 0: it is not there. places 0: one for all, which halves may
 * share; else so many, to be kept. Of points of layers that are made again these are as many as a
 * layer has points, used in turn, or so many more than that as there are layers. */
typedef struct SlotShape {
    KType type;
    int64_t cols, places;
} SlotShape;

/* What a batch brings along. */
enum {
    SPACE_STARTS,
    SPACE_NUMBERS,
    SPACE_PICKED,
    SPACE_PICKED_NUMBERS,
    SPACE_POSITION,
    SPACE_KIND,
    SPACE_PROBS,
    SPACE_PROBS_AT,
    SPACE_ID,
    SPACE_SLOTS = SPACE_ID + HALVES, /* of each half */
    SPACES = SPACE_SLOTS + HALVES * SLOTS
};

typedef struct Tape {
    Device *dev;
    Space space[SPACES];
    int64_t tokens;           /* of the batch */
    int64_t points[HALVES];   /* of a layer, where layers are made again; 0: they are not */
    View slot[HALVES][SLOTS]; /* all places of it, one below the other */
} Tape;

/* Memory of so many bytes, as space_grow has it. */
void *tape_space(Tape *t, int which, size_t bytes, Err *e);
/* Host bytes on their way there. NULL, as above. */
const void *tape_put(Tape *t, int which, const void *host, size_t bytes, Err *e);
/* Slots for the batch's tokens. The encoder's stay when the decoder's begin. */
int tape_begin(Tape *t, int half, int64_t tokens, const SlotShape shape[SLOTS], Err *e);
void tape_free(Tape *t);

/* Which of the places is a point's: those within a layer come first. */
static inline int64_t tape_point(int64_t places, int64_t points, int64_t at)
{
    int64_t within = at % points;
    return places == points ? within : within ? within - 1 : points - 1 + at / points;
}

/* A place of a slot, [tokens, cols]; {0}: there is no such slot. */
static inline View tape_place(const Tape *t, int half, Slot s, int64_t at)
{
    View v = t->slot[half][s];
    if (v.rows > t->tokens && s < SLOT_QKV && t->points[half])
        at = tape_point(v.rows / t->tokens, t->points[half], at);
    int64_t from = v.rows > t->tokens ? at * t->tokens : 0;
    return v.p ? view_rows(v, from, from + t->tokens) : v;
}

#endif
