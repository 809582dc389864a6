/* space.h - device memory that grows with the largest batch so far. */
#ifndef WEFT_SPACE_H
#define WEFT_SPACE_H

#include "base/err.h"
#include "kernels/device.h"

typedef struct Space {
    void *p;
    size_t size;
} Space;

/* Room for so many bytes, and some to grow; NULL: there is no more, and a message. What was in it
 * may be lost. */
void *space_grow(Space *s, Device *dev, size_t bytes, Err *e);

#endif
