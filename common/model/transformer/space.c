#include "model/transformer/space.h"

void *space_grow(Space *s, Device *dev, size_t bytes, Err *e)
{
    if (s->size < bytes || !s->p) {
        dev->free(dev, s->p);
        s->size = bytes + bytes / 4;
        s->p = dev->alloc(dev, s->size);
        if (!s->p) {
            s->size = 0;
            err_set(e, "out of memory on %s (%zu bytes asked for)", dev->name, bytes);
        }
    }
    return s->p;
}
