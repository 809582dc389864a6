#include "io/stream.h"

#include "base/outfile.h"
#include "base/progress.h"
#include "io/wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUEUE = 2 };

struct Out {
    int fd;
    OutFile *file; /* NULL: standard output */
    char *place;
    int64_t since; /* rows given since the last end */
    bool failed;   /* out_fail was called */
    pthread_t thread;
    bool alone;           /* the thread could not be started: `error` says why */
    bool shown;           /* it is a terminal: nothing is written, and `error` is set */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t moved;
    Frame *queue[QUEUE];
    int waiting;
    bool closing;
    int error; /* errno of what failed: everything after it is dropped */
};

/* Takes the next frame out of the queue; NULL when there will be none. */
static Frame *next(Out *out, bool *drop)
{
    Frame *f = NULL;
    pthread_mutex_lock(&out->lock);
    while (!out->waiting && !out->closing)
        pthread_cond_wait(&out->moved, &out->lock);
    if (out->waiting) {
        f = out->queue[0];
        memmove(out->queue, out->queue + 1, (QUEUE - 1) * sizeof *out->queue);
        out->waiting--;
        pthread_cond_broadcast(&out->moved);
    }
    *drop = out->error != 0;
    pthread_mutex_unlock(&out->lock);
    return f;
}

static void *writer(void *arg)
{
    Out *out = arg;
    bool drop;
    for (Frame *f; (f = next(out, &drop)) != NULL; frame_free(f))
        if (!drop && wire_write(out->fd, f) < 0) {
            int error = errno;
            pthread_mutex_lock(&out->lock);
            out->error = error;
            pthread_mutex_unlock(&out->lock);
        }
    return NULL;
}

static Out *start(int fd, OutFile *file, const char *place)
{
    Out *out = mem_zero(1, sizeof *out);
    bool shown = !file && isatty(fd);
    *out = (Out){.fd = fd,
                 .file = file,
                 .place = mem_str(place),
                 .shown = shown,
                 .error = shown ? ENOTSUP : 0,
                 .lock = PTHREAD_MUTEX_INITIALIZER,
                 .moved = PTHREAD_COND_INITIALIZER};
    wire_widen(fd);
    int error = pthread_create(&out->thread, NULL, writer, out);
    if (error) {
        out->alone = true;
        out->error = error; /* for out_write and out_close to tell */
    }
    return out;
}

Out *out_open(void)
{
    return start(STDOUT_FILENO, NULL, "standard output");
}

Out *out_file(const char *path, Err *e)
{
    OutFile *file = outfile_open(path, e);
    return file ? start(outfile_fd(file), file, path) : NULL;
}

static int told(const Out *out, int error, Err *e)
{
    if (!error)
        return 0;
    if (out->shown && error == ENOTSUP)
        return err_set(e,
                       "%s: a terminal, and a stream is bytes for programs: pipe it on (`show` "
                       "tells what is in it), or send it to a file",
                       out->place);
    errno = error;
    return err_sys(e, "%s: cannot %s", out->place, out->alone ? "start a thread" : "write");
}

static int push(Out *out, Frame *f, Err *e)
{
    pthread_mutex_lock(&out->lock);
    while (out->waiting == QUEUE && !out->error)
        pthread_cond_wait(&out->moved, &out->lock);
    int error = out->error;
    if (!error) {
        out->queue[out->waiting++] = f;
        pthread_cond_broadcast(&out->moved);
    }
    pthread_mutex_unlock(&out->lock);
    if (error)
        frame_free(f);
    return told(out, error, e);
}

/* Counts the frame's rows and says so where it is an end. */
static int give(Out *out, Frame *f, Err *e)
{
    out->since += f->rows;
    f->end_rows = f->end == END_OK ? out->since : -1;
    if (f->end != END_NONE)
        out->since = 0;
    return push(out, f, e);
}

/* f in so many pieces. Windows of a long text share it, and each piece would have it whole: where
 * the first one is twice what it should be, cuts make more of it than there is, and none is made.
 */
static int write_pieces(Out *out, Frame *f, int64_t pieces, Err *e)
{
    int status = 0;
    int64_t step = (f->rows + pieces - 1) / pieces;
    for (int64_t i = 0; status == 0 && i < f->rows; i += step) {
        bool last = i + step >= f->rows;
        Frame *g = frame_slice(f, i, last ? f->rows - i : step);
        if (i == 0 && frame_bytes(g) / 3 * 2 > frame_bytes(f) / (size_t)pieces) {
            frame_free(g);
            return give(out, f, e);
        }
        g->end = last ? f->end : END_NONE;
        status = out_write(out, g, e);
    }
    frame_free(f);
    return status;
}

int out_write(Out *out, Frame *f, Err *e)
{
    int64_t pieces = (int64_t)(frame_bytes(f) / FRAME_BYTES) + 1;
    progress_rows(f->rows);
    return pieces == 1 || f->rows < 2 ? give(out, f, e) : write_pieces(out, f, pieces, e);
}

void out_fail(Out *out)
{
    out->failed = true;
    Frame *f = frame_new(0, 0);
    f->end = END_FAILED;
    give(out, f, NULL);
}

/* Some file systems tell of a full disk at close(2) only; the descriptor itself stays. */
static int flush(int fd)
{
    int again = dup(fd);
    return again < 0 || close(again) < 0 ? errno : 0;
}

/* The file that is to be put in its place; NULL: none, or *status is -1. Frees out. */
static OutFile *stop(Out *out, int *status, Err *e)
{
    pthread_mutex_lock(&out->lock);
    out->closing = true;
    pthread_cond_broadcast(&out->moved);
    pthread_mutex_unlock(&out->lock);
    if (!out->alone)
        pthread_join(out->thread, NULL);
    int error = out->error ? out->error : out->file ? 0 : flush(out->fd);
    OutFile *file = out->file;
    if (error || out->failed) {
        outfile_abort(file);
        file = NULL;
    }
    if (error)
        *status = told(out, error, *status < 0 ? NULL : e);
    pthread_mutex_destroy(&out->lock);
    pthread_cond_destroy(&out->moved);
    free(out->place);
    free(out);
    return file;
}

int out_close_all(Out **out, int n, Err *e)
{
    progress_end();
    OutFile **file = mem_array((size_t)n, sizeof *file);
    int status = 0, files = 0;
    for (int i = 0; i < n; i++)
        if (out[i] && (file[files] = stop(out[i], &status, e)))
            files++;
    if (status == 0)
        status = outfile_commit_all(file, files, e);
    else
        while (files)
            outfile_abort(file[--files]);
    free(file);
    return status;
}

int out_close(Out *out, Err *e)
{
    return out_close_all(&out, 1, e);
}
