#include "io/stream.h"

#include "io/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WAIT_MS = 10, MADE_BY = 3 };
static const char *const made_by[MADE_BY] = {"model", "vocab", "encoder"};

struct In {
    char **files;
    int nfiles, at; /* at: the operand that is open, or comes next */
    const char *place;
    Source *source;
    bool saved; /* it is a regular file: whoever wrote it is not beside us */
    int64_t want;
    bool any;            /* a frame has come */
    bool open;           /* a frame has come since the last end */
    int64_t read;        /* rows that came, ... */
    int64_t since;       /* ... since the last end, ... */
    int64_t given;       /* ... and that in_next has returned */
    char *made[MADE_BY]; /* of the last frame that had rows */
    bool made_known;
    Frame *held; /* came while waiting for another, and did not fit it */
    int stopped; /* 1: reading goes on; 0 or -1: what in_next says from now on */
    Err err;
};

In *in_open(char **files, int nfiles)
{
    static char *standard[] = {"-"};
    In *in = mem_zero(1, sizeof *in);
    in->files = nfiles ? files : standard;
    in->nfiles = nfiles ? nfiles : 1;
    in->stopped = 1;
    in->place = "stdin";
    return in;
}

void in_want(In *in, int64_t tokens)
{
    in->want = tokens;
}

int64_t in_rows(const In *in)
{
    return in->given;
}

const char *in_place(const In *in)
{
    return in->place;
}

void in_close(In *in)
{
    source_close(in->source);
    frame_free(in->held);
    for (int i = 0; i < MADE_BY; i++)
        free(in->made[i]);
    free(in);
}

/* ---- operands ---- */

static int open_next(In *in, Err *e)
{
    const char *name = in->files[in->at];
    bool standard = strcmp(name, "-") == 0;
    in->place = standard ? "stdin" : name;
    int fd = standard ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, "cannot open");
    struct stat st;
    in->saved = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (isatty(fd)) {
        close(fd);
        return err_set(e, "a terminal, not a weft stream: pipe one in, or name a file");
    }
    in->source = source_open(fd);
    return 0;
}

static void close_this(In *in)
{
    source_close(in->source);
    in->source = NULL;
    in->at++;
}

/* ---- what a frame must agree with ---- */

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* A folder may be called by two names: what was made by it is told by the fingerprints. */
static bool same_maker(const In *in, const Frame *f)
{
    for (int i = 1; i < MADE_BY; i++) {
        const char *v = frame_meta(f, made_by[i]);
        if (!v || !same(in->made[i], v))
            return false;
    }
    return true;
}

/* "model /m", or "no model". */
static void describe(char out[256], const char *key, const char *value)
{
    if (value)
        snprintf(out, 256, "%s %s", key, value);
    else
        snprintf(out, 256, "no %s", key);
}

static int other_maker(const In *in, const char *key, const char *was, const char *now, Err *e)
{
    char from[256], to[256];
    describe(from, key, was);
    describe(to, key, now);
    return err_set(
        e, "the stream changes from %s to %s after %" PRId64 " rows: make all of it with one model",
        from, to, in->read);
}

static int check_maker(In *in, const Frame *f, Err *e)
{
    if (f->rows == 0)
        return 0;
    bool fingerprints = in->made_known && same_maker(in, f);
    for (int i = 0; i < MADE_BY; i++) {
        const char *now = frame_meta(f, made_by[i]), *was = in->made[i];
        if (in->made_known && !fingerprints && !same(was, now))
            return other_maker(in, made_by[i], was, now, e);
    }
    for (int i = 0; i < MADE_BY; i++) {
        free(in->made[i]);
        in->made[i] = mem_str(frame_meta(f, made_by[i]));
    }
    in->made_known = true;
    return 0;
}

/* ---- one frame ---- */

/* No more after this: returns what in_next will say from now on, and keeps the reason. */
static int stop(In *in, int status, const Err *e)
{
    in->stopped = status;
    if (status < 0) {
        in->err = *e;
        err_at(&in->err, "%s", in->place);
    }
    return status;
}

static int stop_early(In *in)
{
    Err e = {0};
    err_set(&e, "stream ends early after %" PRId64 " rows%s", in->read,
            in->read || in->saved ? "" : ": did head(1) cut it? `weft head` is ours always");
    return stop(in, -1, &e);
}

/* Counts a frame that has come, or finds it at fault. An end that counted other rows than came
 * is a fault behind the frame's rows, which are delivered. */
static int accept(In *in, Frame *f)
{
    Err e = {0};
    in->any = true;
    if (f->end == END_FAILED && in->saved)
        err_set(&e, "the program that wrote it failed");
    if (f->end == END_FAILED)
        return stop(in, -1, &e);
    if (frame_check(f, &e) < 0) {
        err_at(&e, "broken frame after %" PRId64 " rows", in->read);
        return stop(in, -1, &e);
    }
    if (check_maker(in, f, &e) < 0)
        return stop(in, -1, &e);
    in->read += f->rows;
    in->since += f->rows;
    in->open = f->end == END_NONE;
    if (in->open)
        return 1;
    int64_t came = in->since;
    in->since = 0;
    if (f->end_rows < 0 || f->end_rows == came)
        return 1;
    err_set(&e, "end says %" PRId64 " rows, %" PRId64 " came", f->end_rows, came);
    f->end = END_NONE;
    stop(in, -1, &e);
    return f->rows > 0 ? 1 : -1;
}

/* The operand that is open, or the next: 1; else what stopped says. */
static int have_source(In *in)
{
    Err e = {0};
    if (in->stopped != 1 || in->source)
        return in->stopped;
    if (in->at < in->nfiles)
        return open_next(in, &e) < 0 ? stop(in, -1, &e) : 1;
    if (in->any)
        return stop(in, 0, &e);
    err_set(&e, "empty input, not a stream: did the program before fail?");
    return stop(in, -1, &e);
}

/* The next frame of whatever operand: 1, or SOURCE_LATER, or what stopped says. */
static int read_frame(In *in, double *patience, Frame **f)
{
    Err e = {0};
    Frame *got;
    bool foreign;
    int k;
    for (;; close_this(in)) {
        if ((k = have_source(in)) != 1)
            return k;
        k = source_next(in->source, patience, &got, &foreign, &e);
        if (k != SOURCE_END)
            break;
        if (in->open)
            return stop_early(in);
    }
    if (k == SOURCE_LATER)
        return k;
    if (k == SOURCE_CUT)
        return stop_early(in);
    if (k == SOURCE_ERROR) {
        if (in->any)
            err_at(&e, "after %" PRId64 " rows", in->read);
        return stop(in, -1, &e);
    }
    /* A foreign document is a stream of its own: the one before it had no end. */
    k = foreign && in->open ? stop_early(in) : accept(in, got);
    if (k == 1)
        *f = got;
    else
        frame_free(got);
    return k;
}

/* ---- frames that wait are joined ---- */

typedef struct Batch {
    Frame **frame;
    int n;
    int64_t rows, tokens;
    size_t bytes;
} Batch;

static void add(Batch *b, Frame *f)
{
    b->frame = mem_resize(b->frame, (size_t)b->n + 1, sizeof(Frame *));
    b->frame[b->n++] = f;
    b->rows += f->rows;
    b->tokens += f->tokens;
    b->bytes += frame_bytes(f);
}

static bool wants_more(const In *in, const Batch *b)
{
    int64_t frames = in->want / FRAME_TOKENS + 1;
    return b->tokens < in->want && b->rows < FRAME_ROWS * frames && b->bytes < FRAME_BYTES &&
           b->frame[b->n - 1]->end == END_NONE;
}

/* Takes the held frame into the batch if it belongs there. */
static bool take(In *in, Batch *b)
{
    Frame *f = in->held, *last = b->frame[b->n - 1];
    if (f->rows == 0 && f->count == 0) { /* nothing but, perhaps, the end */
        last->end = f->end;
        last->end_rows = f->end_rows;
        frame_free(f);
    } else if (frame_agree(b->frame[0], f)) {
        add(b, f);
    } else {
        return false;
    }
    in->held = NULL;
    return true;
}

bool in_ready(In *in)
{
    double patience = 0;
    return in->held || read_frame(in, &patience, &in->held) != SOURCE_LATER;
}

int in_next(In *in, Frame **f, Err *e)
{
    Frame *first = in->held;
    in->held = NULL;
    int k = first ? 1 : read_frame(in, NULL, &first);
    if (k != 1) {
        *f = NULL;
        *e = in->err;
        return k;
    }
    Batch b = {0};
    double patience = WAIT_MS;
    add(&b, first);
    while (wants_more(in, &b) && read_frame(in, &patience, &in->held) == 1 && take(in, &b))
        ;
    *f = frame_join(b.frame, b.n);
    free(b.frame);
    in->given += (*f)->rows;
    return 1;
}
