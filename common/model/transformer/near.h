/* near.h - what attention adds in layers that see only what is near: nothing, and beyond that so
 * much less than nothing that the weight is 0 (attend.h's bias, with a reach of window + 1). */
#ifndef WEFT_NEAR_H
#define WEFT_NEAR_H

#include "model/config.h"

/* [heads, 2 * (window + 1) + 1], to be freed; NULL: every layer sees all. */
float *near_new(const Config *c);

#endif
