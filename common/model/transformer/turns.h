/* turns.h - the cosines and sines that queries and keys are turned by, place by place (rotate.h),
 * in device memory; a table that grows with the longest row so far. */
#ifndef WEFT_TURNS_H
#define WEFT_TURNS_H

#include "model/config.h"
#include "model/transformer/space.h"

enum { TURN_SETS = 2 }; /* of layers that see all, and of those that see what is near */

typedef struct Turns {
    Space space[TURN_SETS];
    int64_t places;
} Turns;

/* Room for rows of so many tokens. What was handed out before is void where it grows. */
int turns_grow(Turns *t, const Config *c, Device *dev, int64_t places, Err *e);
const float *turns_of(const Turns *t, const Config *c, int64_t layer);
void turns_free(Turns *t, Device *dev);

#endif
