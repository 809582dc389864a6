#include "model/transformer/kept.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct Kept {
    Device *dev;
    View *layer;
    int64_t layers, slots;
    int32_t *users; /* tracks that have the slot */
    int32_t *spare; /* a stack */
    int64_t spares;
};

Kept *kept_new(Device *dev, int64_t layers, int64_t wide, int64_t slots, Err *e)
{
    Kept *k = mem_zero(1, sizeof *k);
    k->dev = dev;
    k->slots = k->spares = slots;
    k->layer = mem_zero((size_t)layers + 1, sizeof *k->layer);
    k->users = mem_zero((size_t)slots + 1, sizeof *k->users);
    k->spare = mem_array((size_t)slots + 1, sizeof *k->spare);
    for (int64_t i = 0; i < slots; i++)
        k->spare[i] = (int32_t)(slots - 1 - i); /* the lowest first */
    for (; k->layers < layers; k->layers++) {
        size_t bytes = (size_t)(slots * wide) * sizeof(float);
        void *p = dev->alloc(dev, bytes);
        if (!p) {
            err_set(e,
                    "no memory on %s for the keys and values of %lld tokens, %lld MB: fewer rows "
                    "at a time (-b) or shorter ones (--max-new) take less",
                    dev->name, (long long)slots, (long long)(bytes * (size_t)layers >> 20));
            kept_free(k);
            return NULL;
        }
        k->layer[k->layers] = view_of(p, K_F32, slots, wide);
    }
    return k;
}

void kept_free(Kept *k)
{
    if (!k)
        return;
    for (int64_t i = 0; i < k->layers; i++)
        k->dev->free(k->dev, k->layer[i].p);
    free(k->layer);
    free(k->users);
    free(k->spare);
    free(k);
}

View kept_layer(const Kept *k, int64_t layer)
{
    return k->layer[layer];
}

int64_t kept_slots(const Kept *k)
{
    return k ? k->slots : 0;
}

int64_t kept_spare(const Kept *k)
{
    return k->spares;
}

static void make_room(Track *t, int64_t n)
{
    if (n <= t->room)
        return;
    t->room = n + n / 2 + 16;
    t->slot = mem_resize(t->slot, (size_t)t->room, sizeof *t->slot);
}

void track_append(Kept *k, Track *t, int64_t n)
{
    make_room(t, t->n + n);
    for (int64_t i = 0; i < n; i++) {
        int32_t slot = k->spare[--k->spares];
        k->users[slot] = 1;
        t->slot[t->n++] = slot;
    }
}

void track_fork(Kept *k, Track *to, const Track *from, int64_t n)
{
    make_room(to, n);
    if (n)
        memcpy(to->slot, from->slot, (size_t)n * sizeof *to->slot);
    to->n = n;
    for (int64_t i = 0; i < n; i++)
        k->users[to->slot[i]]++;
}

void track_drop(Kept *k, Track *t)
{
    for (int64_t i = t->n; i-- > 0;)
        if (--k->users[t->slot[i]] == 0)
            k->spare[k->spares++] = t->slot[i];
    free(t->slot);
    *t = (Track){0};
}

static void *place(const Kept *k, const Track *t, int64_t layer, int64_t i)
{
    return (float *)k->layer[layer].p + t->slot[i] * k->layer[layer].stride;
}

void track_read(const Kept *k, const Track *t, int64_t layer, int64_t n, float *to)
{
    int64_t wide = k->layer[layer].cols;
    for (int64_t i = 0; i < n; i++)
        k->dev->get(k->dev, to + i * wide, place(k, t, layer, i), (size_t)wide * sizeof *to);
}

void track_write(const Kept *k, const Track *t, int64_t layer, int64_t n, const float *from)
{
    int64_t wide = k->layer[layer].cols;
    for (int64_t i = 0; i < n; i++)
        k->dev->put(k->dev, place(k, t, layer, i), from + i * wide, (size_t)wide * sizeof *from);
}
