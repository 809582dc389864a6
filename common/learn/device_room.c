#include "learn/device_room.h"

void *device_room(Device *dev, int64_t n, size_t size, Err *e)
{
    void *p = dev->alloc(dev, (size_t)n * size);
    if (!p)
        err_set(e, "out of memory on %s (%lld times %zu bytes asked for)", dev->name, (long long)n,
                size);
    return p;
}
