/* tape.h - the buffers that a pass through the layers writes and reads.
 *
 * Stages name what they read and write by slots. Where a slot of a layer lies is the tape's
 * affair: to infer, one set serves all layers, each overwriting the last one's. */
#ifndef WEFT_TAPE_H
#define WEFT_TAPE_H

#include "base/err.h"
#include "kernels/device.h"
#include "model/transformer/plan.h"

/* All [tokens, ..]. What products read is one of the first three. */
typedef enum Slot {
    SLOT_X,      /* hidden states in f32: what residuals are added to */
    SLOT_NORMED, /* where norms come first, in f32 */
    SLOT_NARROW, /* in 16 bits, where that is what comes out or products read */
    SLOT_QKV,    /* queries, keys and values */
    SLOT_SEEN,   /* what attention gives */
    SLOT_CROSS_QUERY,
    SLOT_CROSS_PAIR, /* keys and values of the encoder's states */
    SLOT_CROSS_SEEN,
    SLOTS
} Slot;
#define IN_SLOT(s) (1u << (s))

/* What a slot is like in a half; cols 0: it is not there. */
typedef struct SlotShape {
    KType type;
    int64_t cols;
} SlotShape;

/* Device memory that grows with the largest batch so far. */
typedef struct Space {
    void *p;
    size_t size;
} Space;

/* What a batch brings along. */
enum {
    SPACE_STARTS,
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
    View slot[HALVES][SLOTS]; /* of the batch */
} Tape;

/* Memory of so many bytes, with room to grow; NULL: there is no more, and a message. */
void *tape_space(Tape *t, int which, size_t bytes, Err *e);
/* Host bytes on their way there. NULL, as above. */
const void *tape_put(Tape *t, int which, const void *host, size_t bytes, Err *e);
/* Slots for the batch's tokens. The encoder's stay when the decoder's begin. */
int tape_begin(Tape *t, int half, int64_t tokens, const SlotShape shape[SLOTS], Err *e);
void tape_free(Tape *t);

#endif
