#include "io/stream.h"

#include "base/msg.h"

#include <inttypes.h>
#include <stdlib.h>

/* Puts the rows before the one at fault through fn and delivers them. */
static void deliver_before(Out *out, StreamFn *fn, void *ctx, const Frame *f, int64_t rows)
{
    Err e = {0};
    int64_t *row = mem_array((size_t)rows, sizeof *row);
    for (int64_t i = 0; i < rows; i++)
        row[i] = i;
    Frame *g = frame_select(f, row, rows);
    free(row);
    if (fn(ctx, g, &e) < 0)
        frame_free(g);
    else
        out_write(out, g, &e); /* what goes wrong here has no news */
}

/* Takes f over: changed by fn and written, or -1 with *e and the rows before the fault out. */
static int pass(In *in, Out *out, StreamFn *fn, void *ctx, Frame *f, Err *e)
{
    int64_t before = in_rows(in) - f->rows;
    if (f->rows == 0 || fn(ctx, f, e) == 0) /* an end is passed on as it is */
        return out_write(out, f, e);
    if (e->row > 1)
        deliver_before(out, fn, ctx, f, e->row - 1);
    if (e->row)
        err_at(e, "%s: row %" PRId64, in_place(in), before + e->row);
    else
        err_at(e, "%s", in_place(in));
    frame_free(f);
    return -1;
}

int stream_run(In *in, Out *out, StreamFn *fn, void *ctx)
{
    Err e = {0}, late = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, &e)) == 1)
        if ((k = pass(in, out, fn, ctx, f, &e)) < 0)
            break;
    if (k < 0)
        out_fail(out);
    in_close(in);
    if (out_close(out, &late) < 0 && k == 0) {
        e = late;
        k = -1;
    }
    if (k < 0 && e.text[0])
        msg_error("%s", e.text);
    return k < 0 ? EXIT_DATA : 0;
}

int stream_refuse(In *in, const Err *e)
{
    Err late = {0};
    Out *out = out_open();
    out_fail(out);
    out_close(out, &late);
    in_close(in);
    if (e->text[0])
        msg_error("%s", e->text);
    return EXIT_DATA;
}
