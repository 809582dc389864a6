/* kept.h - keys and values that are kept, so that a text goes on without being read again.
 *
 * Each layer has a store of slots, and a token has the same slot in all of them: its keys, and
 * behind them its values. A text is a track, the slots of its tokens in their order. Texts that
 * begin alike share slots, by reference: to fork one copies no keys. */
#ifndef WEFT_KEPT_H
#define WEFT_KEPT_H

#include "base/err.h"
#include "kernels/device.h"

typedef struct Kept Kept;

typedef struct Track {
    int32_t *slot;
    int64_t n, room;
} Track;

/* Stores of `slots` slots of `wide` f32 for each of the layers. NULL: no memory, and a message that
 * says how much was asked for. */
Kept *kept_new(Device *dev, int64_t layers, int64_t wide, int64_t slots, Err *e);
void kept_free(Kept *k);                       /* NULL is fine */
View kept_layer(const Kept *k, int64_t layer); /* [slots, wide] */
int64_t kept_slots(const Kept *k);             /* of NULL none */
int64_t kept_spare(const Kept *k);             /* those that no track has */

/* n slots more, of the spare ones, which must be as many. */
void track_append(Kept *k, Track *t, int64_t n);
/* `to`, which has none, begins with the first n slots of `from`. */
void track_fork(Kept *k, Track *to, const Track *from, int64_t n);
void track_drop(Kept *k, Track *t); /* and it has none any more */

/* What a layer keeps of the track's first n tokens, host memory [n, wide], there and back. What is
 * read is there after the device's next wait. */
void track_read(const Kept *k, const Track *t, int64_t layer, int64_t n, float *to);
void track_write(const Kept *k, const Track *t, int64_t layer, int64_t n, const float *from);

#endif
