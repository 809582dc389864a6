#include "io/stream.h"

#include "base/msg.h"

#include <inttypes.h>
#include <stdlib.h>

/* What every frame of a run goes through. */
typedef struct Loop {
    In *in;
    Out *out;
    PartFn *part; /* NULL: whole frames */
    StreamFn *fn, *finish;
    void *ctx;
    Frame *late; /* fn's work on it goes on; NULL: on none */
    const char *late_place;
} Loop;

/* Writes what fn has made. A frame without rows says nothing, unless a stream ends with it. */
static int deliver(Loop *l, Frame *f, Err *e)
{
    if (f->rows || f->end != END_NONE)
        return out_write(l->out, f, e);
    frame_free(f);
    return 0;
}

/* Waits for the frame that is worked on, if any, and writes it. */
static int settle(Loop *l, Err *e)
{
    Frame *f = l->late;
    l->late = NULL;
    if (!f)
        return 0;
    if (l->finish(l->ctx, f, e) == 0)
        return deliver(l, f, e);
    err_at(e, "%s", l->late_place);
    frame_free(f);
    return -1;
}

/* Puts the rows before the one at fault through fn and delivers them. */
static void deliver_before(Loop *l, const Frame *f, int64_t rows)
{
    Err e = {0};
    Frame *g = frame_slice(f, 0, rows);
    int r = l->fn(l->ctx, g, &e);
    if (r == 1)
        r = l->finish(l->ctx, g, &e);
    if (r < 0)
        frame_free(g);
    else
        deliver(l, g, &e); /* what goes wrong here has no news */
}

/* Fn's work on f is done, or goes on: r of 1. Frames before it are written first. */
static int keep(Loop *l, Frame *f, int r, Err *e)
{
    if (settle(l, e) < 0) {
        frame_free(f);
        return -1;
    }
    if (r == 0)
        return deliver(l, f, e);
    l->late = f;
    l->late_place = in_place(l->in);
    return 0;
}

/* Takes f over: changed by fn and written, or -1 with *e and the rows before the fault out.
 * `before`: the rows of all frames before it. */
static int pass(Loop *l, Frame *f, int64_t before, Err *e)
{
    Err none = {0};
    int r = l->fn(l->ctx, f, e);
    if (r >= 0)
        return keep(l, f, r, e);
    if (settle(l, &none) == 0 && e->row > 1)
        deliver_before(l, f, e->row - 1);
    if (e->row)
        err_at(e, "%s: row %" PRId64, in_place(l->in), before + e->row);
    else
        err_at(e, "%s", in_place(l->in));
    frame_free(f);
    return -1;
}

/* The same of a frame without rows, which is passed on as it is: an end. */
static int pass_end(Loop *l, Frame *f, Err *e)
{
    if (settle(l, e) == 0)
        return out_write(l->out, f, e);
    frame_free(f);
    return -1;
}

/* The same in parts. */
static int pass_parts(Loop *l, Frame *f, Err *e)
{
    int64_t before = in_rows(l->in) - f->rows, n = 0;
    int r = 0;
    for (int64_t first = 0; r == 0 && first < f->rows; first += n) {
        n = l->part(l->ctx, f, first, e);
        if (n < 0)
            r = err_at(e, "%s", in_place(l->in));
        else if (n == f->rows)
            return pass(l, f, before, e);
        else {
            Frame *g = frame_slice(f, first, n);
            g->end = first + n == f->rows ? f->end : END_NONE;
            r = pass(l, g, before + first, e);
        }
    }
    frame_free(f);
    return r;
}

/* in_next; a frame that is worked on does not wait for one that has not come. */
static int next(Loop *l, Frame **f, Err *e)
{
    if (l->late && !in_ready(l->in) && settle(l, e) < 0)
        return -1;
    return in_next(l->in, f, e);
}

static int run(Loop *l)
{
    Err e = {0}, late = {0};
    Frame *f;
    int k;
    while ((k = next(l, &f, &e)) == 1) {
        k = !f->rows  ? pass_end(l, f, &e)
            : l->part ? pass_parts(l, f, &e)
                      : pass(l, f, in_rows(l->in) - f->rows, &e);
        if (k < 0)
            break;
    }
    if (settle(l, &late) < 0 && k == 0) {
        e = late;
        k = -1;
    }
    if (k < 0)
        out_fail(l->out);
    in_close(l->in);
    if (out_close(l->out, &late) < 0 && k == 0) {
        e = late;
        k = -1;
    }
    if (k < 0 && e.text[0])
        msg_error("%s", e.text);
    return k < 0 ? EXIT_DATA : 0;
}

int stream_run(In *in, Out *out, StreamFn *fn, void *ctx)
{
    return run(&(Loop){.in = in, .out = out, .fn = fn, .ctx = ctx});
}

int stream_run_parts(In *in, Out *out, PartFn *part, StreamFn *fn, void *ctx)
{
    return run(&(Loop){.in = in, .out = out, .part = part, .fn = fn, .ctx = ctx});
}

int stream_run_late(In *in, Out *out, StreamFn *fn, StreamFn *finish, void *ctx)
{
    return run(&(Loop){.in = in, .out = out, .fn = fn, .finish = finish, .ctx = ctx});
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
