/* frames - the filter that changes nothing, and what tests want to know of a stream.
 *
 * `frames --help` lists its options. */
#include "base/msg.h"
#include "base/opt.h"
#include "io/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Will {
    int64_t fault, seen, cut, want;
    bool dump, list, fail, spool, broken;
    const char *output, *drop;
    char *key, *value;
} Will;

/* ---- looking ---- */

static void print_place(const Frame *f, const Tensor *t, int64_t i)
{
    if (tensor_bytes(f, t)) {
        Str s = frame_text(f, t->name, i);
        printf(" '%.*s'", (int)s.n, s.p);
        return;
    }
    int64_t n = 1;
    for (int k = 1; k < t->rank; k++)
        n *= t->shape[k];
    for (int64_t k = 0; k < n; k++)
        printf(" %.9g", dtype_get(t->type, t->data, i * n + k));
}

static void print_row(const Frame *f, int64_t row)
{
    const Tensor *ends = frame_get(f, "row.tokens"), *pick = frame_get(f, "pick.token");
    int64_t a = ends ? ((int64_t *)ends->data)[row] : 0;
    int64_t b = ends ? ((int64_t *)ends->data)[row + 1] : 0;
    const char *between = "";
    for (int i = 0; i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        Axis axis = tensor_axis(t->name);
        if (axis == AXIS_OTHER)
            continue;
        printf("%s%s:", between, t->name);
        between = " ";
        if (axis == AXIS_ROW)
            print_place(f, t, row);
        if (axis == AXIS_ROW1)
            printf(" %" PRId64, b - a);
        for (int64_t k = a; axis == AXIS_TOKEN && k < b; k++)
            print_place(f, t, k);
        for (int64_t k = 0; axis == AXIS_PICK && k < t->shape[0]; k++) {
            int64_t at = ((int64_t *)pick->data)[k];
            if (at >= a && at < b && t == pick)
                printf(" %" PRId64, at - a);
            else if (at >= a && at < b)
                print_place(f, t, k);
        }
    }
    putchar('\n');
}

static void look(const Will *w, const Frame *f)
{
    static const char *const ends[] = {"", " end"};
    if (w->list) {
        printf("rows %" PRId64 " tokens %" PRId64 "%s\n", f->rows, f->tokens, ends[f->end]);
    } else {
        for (int64_t i = 0; i < f->rows; i++)
            print_row(f, i);
        if (f->end == END_OK)
            printf("end\n");
    }
    fflush(stdout);
}

/* ---- changing ---- */

static int apply(void *ctx, Frame *f, Err *e)
{
    Will *w = ctx;
    if (w->broken)
        return err_set(e, "broken: as asked");
    if (w->fault > w->seen && w->fault <= w->seen + f->rows) {
        e->row = w->fault - w->seen;
        return err_set(e, "not to be borne: leave it out");
    }
    w->seen += f->rows;
    if (w->key)
        frame_set_meta(f, w->key, w->value);
    if (w->drop && strcmp(w->drop, "token.") == 0)
        frame_drop_tokens(f); /* row.tokens would tell of what is gone */
    else if (w->drop)
        frame_drop_prefix(f, w->drop);
    return 0;
}

static int write_cut(const Will *w, Out *out, Frame *f, Err *e)
{
    int64_t row[FRAME_ROWS];
    for (int64_t at = 0; at < f->rows; at += w->cut) {
        int64_t n = f->rows - at < w->cut ? f->rows - at : w->cut;
        for (int64_t i = 0; i < n; i++)
            row[i] = at + i;
        Frame *g = frame_select(f, row, n);
        g->end = at + n == f->rows ? f->end : END_NONE;
        if (out_write(out, g, e) < 0)
            return -1;
    }
    if (f->rows == 0)
        return out_write(out, f, e);
    frame_free(f);
    return 0;
}

static int copy(Will *w, In *in, Out *out, Err *e)
{
    Frame *f;
    int k;
    while ((k = in_next(in, &f, e)) == 1) {
        if (w->fail)
            f->end = END_NONE;
        if ((w->cut ? write_cut(w, out, f, e) : out_write(out, f, e)) < 0)
            return -1;
    }
    return k;
}

static int respool(In *in, Out *out, Err *e)
{
    Spool *s = spool_in(in, e);
    int n = s ? spool_frames(s) : 0, status = s ? 0 : -1;
    for (int i = n; status == 0 && i-- > 0;) {
        Frame *f = spool_frame(s, i, e), *other = spool_frame(s, n - 1 - i, e);
        if (!f || !other)
            status = -1;
        else
            f->end = other->end;
        frame_free(other);
        if (status == 0)
            status = out_write(out, f, e);
    }
    spool_free(s);
    return status;
}

static int by_hand(Will *w, In *in, Out *out)
{
    Err e = {0};
    if ((w->spool ? respool(in, out, &e) : copy(w, in, out, &e)) < 0) {
        out_fail(out);
        out_close(out, NULL);
        in_close(in);
        die(&e);
    }
    if (w->fail)
        out_fail(out);
    in_close(in);
    if (out_close(out, &e) < 0)
        die(&e);
    return w->fail;
}

static int look_all(const Will *w, In *in)
{
    Err e = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, &e)) == 1) {
        look(w, f);
        frame_free(f);
    }
    in_close(in);
    if (k < 0)
        die(&e);
    return 0;
}

/* ---- the command line ---- */

static const Opt options[] = {
    {'d', "dump", NULL, "print the rows", OPT_FLAG(Will, dump)},
    {'l', "list", NULL, "print a line a frame", OPT_FLAG(Will, list)},
    {'c', "cut", "N", "frames of N rows", OPT_INT(Will, cut, 1, FRAME_ROWS)},
    {'f', "fail", NULL, "end in failure", OPT_FLAG(Will, fail)},
    {'S', "spool", NULL, "frames last to first, through a spool", OPT_FLAG(Will, spool)},
    {'w', "want", "N", "join waiting frames up to N tokens", OPT_INT(Will, want, 0, INT64_MAX)},
    {'x', "fault", "N", "be at fault at row N", OPT_INT(Will, fault, 1, INT64_MAX)},
    {'X', "broken", NULL, "be at fault at no row in particular", OPT_FLAG(Will, broken)},
    {'o', "output", "F", "write to a file", OPT_TEXT(Will, output)},
    {'k', "key", "K=V", "set metadata", OPT_KEY},
    {'R', "remove", "T", "drop the tensors whose names begin with T", OPT_TEXT(Will, drop)},
    {0},
};

static void key_value(Will *w, const char *s)
{
    size_t n = strcspn(s, "=");
    w->key = mem_strn(s, n);
    w->value = mem_str(s[n] ? s + n + 1 : "");
}

static Args parse(int argc, char **argv, Will *w)
{
    static const Program frames = {
        .name = "frames", .synopsis = "[option ...] [file ...]", .about = "a filter for tests"};
    Args a = args_begin(&frames, options, w, argc, argv);
    while (args_next(&a) != -1)
        key_value(w, a.value);
    return a;
}

int main(int argc, char **argv)
{
    Will w = {0};
    Err e = {0};
    Args a = parse(argc, argv, &w);
    In *in = in_open(a.files, a.nfiles);
    in_want(in, w.want);
    if (w.dump || w.list)
        return look_all(&w, in);
    Out *out = w.output ? out_file(w.output, &e) : out_open();
    if (!out)
        die(&e);
    int status = w.cut || w.fail || w.spool ? by_hand(&w, in, out) : stream_run(in, out, apply, &w);
    free(w.key);
    free(w.value);
    return status;
}
