/* near.h - what attention adds in layers that see only what is near: nothing, and beyond that so
 * much less than nothing that the weight is 0 (attend.h's bias, with a reach of window + 1). */
#ifndef WEFT_NEAR_H
#define WEFT_NEAR_H

#include "model/config.h"

/* [heads, 2 * (window + 1) + 1] in device memory, for dev->release, and what it is held of in
 * *host, to be freed after that; both NULL: every layer sees all. -1: there is no memory. */
int near_hold(const Config *c, Device *dev, float **host, const float **near, Err *e);

#endif
