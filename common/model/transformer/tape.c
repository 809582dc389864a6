#include "model/transformer/tape.h"

void *tape_space(Tape *t, int which, size_t bytes, Err *e)
{
    return space_grow(&t->space[which], t->dev, bytes, e);
}

const void *tape_put(Tape *t, int which, const void *host, size_t bytes, Err *e)
{
    void *p = tape_space(t, which, bytes, e);
    if (p)
        t->dev->put(t->dev, p, host, bytes);
    return p;
}

/* Halves run one after the other, and within a layer nobody asks for the queries, keys and values
 * once attention has seen them: what only the stage behind reads is in one place for all, unless it
 * is to be kept. */
static int space_of(int half, Slot s, const SlotShape *shape)
{
    bool lasting = s <= SLOT_NARROW || shape->places;
    bool shared = s == SLOT_CROSS_SEEN && !lasting;
    return SPACE_SLOTS + (lasting ? half : 0) * SLOTS + (shared ? SLOT_SEEN : (int)s);
}

/* Cross attention's queries, keys and values lie where its layer's own were. */
static void cross_views(View slot[SLOTS], const SlotShape shape[SLOTS])
{
    View q = slot[SLOT_QKV];
    int64_t wide = shape[SLOT_CROSS_QUERY].cols;
    slot[SLOT_CROSS_QUERY] = view_of(q.p, q.type, q.rows, wide);
    char *behind = (char *)q.p + (size_t)(q.rows * wide) * ktype_size(q.type);
    slot[SLOT_CROSS_PAIR] = view_of(behind, q.type, q.rows, shape[SLOT_CROSS_PAIR].cols);
}

int tape_begin(Tape *t, int half, int64_t tokens, const SlotShape shape[SLOTS], Err *e)
{
    bool borrows = shape[SLOT_CROSS_QUERY].cols && !shape[SLOT_CROSS_QUERY].places;
    t->tokens = tokens;
    for (Slot s = 0; s < SLOTS; s++) {
        const SlotShape *a = &shape[s];
        View *v = &t->slot[half][s];
        *v = (View){0};
        if (!a->cols || (borrows && (s == SLOT_CROSS_QUERY || s == SLOT_CROSS_PAIR)))
            continue;
        int64_t rows = tokens * (a->places ? a->places : 1);
        void *p =
            tape_space(t, space_of(half, s, a), (size_t)(rows * a->cols) * ktype_size(a->type), e);
        if (!p)
            return -1;
        *v = view_of(p, a->type, rows, a->cols);
    }
    if (borrows)
        cross_views(t->slot[half], shape);
    return 0;
}

void tape_free(Tape *t)
{
    for (int i = 0; t->dev && i < SPACES; i++)
        t->dev->free(t->dev, t->space[i].p);
}
