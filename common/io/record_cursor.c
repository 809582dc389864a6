#include "io/record_cursor.h"

int64_t record_step(RecordCursor *c, const Frame *f, int64_t row)
{
    const Tensor *t = frame_get(f, "row.source");
    const int64_t *source = t ? t->data : NULL;
    if (!c->open || !source || source[row] != c->source)
        c->begun++;
    c->open = true;
    c->source = source ? source[row] : 0;
    return c->begun - 1;
}

void record_end(RecordCursor *c, const Frame *f)
{
    if (f->end != END_NONE)
        c->open = false;
}
