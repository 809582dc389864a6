#include "model/transformer/tape.h"

void *tape_space(Tape *t, int which, size_t bytes, Err *e)
{
    Space *s = &t->space[which];
    if (s->size < bytes || !s->p) {
        t->dev->free(t->dev, s->p);
        s->size = bytes + bytes / 4;
        s->p = t->dev->alloc(t->dev, s->size);
        if (!s->p) {
            s->size = 0;
            err_set(e, "out of memory on %s (%zu bytes asked for)", t->dev->name, bytes);
        }
    }
    return s->p;
}

const void *tape_put(Tape *t, int which, const void *host, size_t bytes, Err *e)
{
    void *p = tape_space(t, which, bytes, e);
    if (p)
        t->dev->put(t->dev, p, host, bytes);
    return p;
}

/* Halves run one after the other, and within a layer nobody asks for the queries, keys and values
 * once attention has seen them: what is only read by the stage behind has one place for all. */
static int place_of(int half, Slot s)
{
    bool lasting = s <= SLOT_NARROW;
    return SPACE_SLOTS + (lasting ? half : 0) * SLOTS + (s == SLOT_CROSS_SEEN ? SLOT_SEEN : (int)s);
}

/* Cross attention's queries, keys and values lie where its layer's own were. */
static void cross_views(View slot[SLOTS], const SlotShape shape[SLOTS])
{
    View q = slot[SLOT_QKV];
    int64_t wide = shape[SLOT_CROSS_QUERY].cols;
    if (!wide)
        return;
    slot[SLOT_CROSS_QUERY] = view_of(q.p, q.type, q.rows, wide);
    char *behind = (char *)q.p + (size_t)(q.rows * wide) * ktype_size(q.type);
    slot[SLOT_CROSS_PAIR] = view_of(behind, q.type, q.rows, shape[SLOT_CROSS_PAIR].cols);
}

int tape_begin(Tape *t, int half, int64_t tokens, const SlotShape shape[SLOTS], Err *e)
{
    for (Slot s = 0; s < SLOTS; s++) {
        View *v = &t->slot[half][s];
        *v = (View){0};
        if (!shape[s].cols || s == SLOT_CROSS_QUERY || s == SLOT_CROSS_PAIR)
            continue;
        size_t bytes = (size_t)(tokens * shape[s].cols) * ktype_size(shape[s].type);
        void *p = tape_space(t, place_of(half, s), bytes, e);
        if (!p)
            return -1;
        *v = view_of(p, shape[s].type, tokens, shape[s].cols);
    }
    cross_views(t->slot[half], shape);
    return 0;
}

void tape_free(Tape *t)
{
    for (int i = 0; t->dev && i < SPACES; i++)
        t->dev->free(t->dev, t->space[i].p);
}
