#include "io/recut.h"

#include <stdlib.h>

/* How many of f's rows from `first` on make a frame: one at least. */
static int64_t fitting(const Frame *f, int64_t first)
{
    const Tensor *t = frame_get(f, "row.tokens");
    const int64_t *at = t ? t->data : NULL;
    int64_t n = 1;
    while (first + n < f->rows && n < FRAME_ROWS &&
           (!at || at[first + n + 1] - at[first] <= FRAME_TOKENS))
        n++;
    return n;
}

static void hold(Recut *r, Frame *f)
{
    r->held = mem_resize(r->held, (size_t)r->n + 1, sizeof *r->held);
    r->held[r->n++] = f;
    r->rows += f->rows;
    r->tokens += f->tokens;
}

/* Writes what is held in frames as large as they may be; the last rows, which may be joined by
 * others, stay unless a stream ends with them. */
static int release(Recut *r, bool all, Err *e)
{
    int status = 0;
    int64_t first = 0, n;
    Frame *f = frame_join(r->held, r->n);
    End end = f->end;
    r->n = 0;
    r->rows = r->tokens = 0;
    for (; status == 0 && first < f->rows; first += n) {
        n = fitting(f, first);
        if (first + n == f->rows && !all)
            break;
        Frame *piece = frame_slice(f, first, n);
        piece->end = first + n == f->rows ? end : END_NONE;
        status = out_write(r->to, piece, e);
    }
    if (status == 0 && first < f->rows)
        hold(r, frame_slice(f, first, f->rows - first));
    frame_free(f);
    return status;
}

int recut_write(Recut *r, Frame *f, Err *e)
{
    bool ends = f->end != END_NONE;
    if (!f->rows && r->n) { /* nothing but, perhaps, the end */
        r->held[r->n - 1]->end = f->end;
        frame_free(f);
        return ends ? release(r, true, e) : 0;
    }
    if (!f->rows)
        return out_write(r->to, f, e);
    if (r->n && !frame_agree(r->held[0], f) && release(r, true, e) < 0) {
        frame_free(f);
        return -1;
    }
    hold(r, f);
    return ends || r->rows > FRAME_ROWS || r->tokens > FRAME_TOKENS ? release(r, ends, e) : 0;
}

void recut_clear(Recut *r)
{
    for (int i = 0; i < r->n; i++)
        frame_free(r->held[i]);
    free(r->held);
    *r = (Recut){0};
}
