/* device_room.h - device memory for what learns. */
#ifndef WEFT_DEVICE_ROOM_H
#define WEFT_DEVICE_ROOM_H

#include "base/err.h"
#include "kernels/device.h"

/* Room for n elements of `size` bytes, uninitialised; for dev->free. NULL: there is none left. */
void *device_room(Device *dev, int64_t n, size_t size, Err *e);

#endif
