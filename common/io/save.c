#include "io/save.h"

#include "base/outfile.h"
#include "io/spool.h"
#include "io/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Document {
    const Spool *spool;
    Frame *all;     /* its tensors in their shapes, without memory */
    uint64_t *at;   /* where the next bytes of each belong */
    int64_t *begun; /* the first axis of each, in the frames before */
    int64_t tokens; /* in these */
    int fd;
} Document;

/* Frame i if it brings rows, or *f NULL; there is at least one. */
static int next_frame(const Spool *s, int i, bool any, Frame **f, Err *e)
{
    *f = NULL;
    if (spool_frame_rows(s, i) == 0 && (any || i < spool_frames(s) - 1))
        return 0;
    return (*f = spool_frame(s, i, e)) ? 0 : -1;
}

/* ---- its shapes ---- */

static Frame *shapes_of(const Frame *f)
{
    Frame *all = frame_new(0, 0);
    for (int i = 0; i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        Tensor *x = frame_adopt(all, t->name, t->type, t->rank, t->shape, NULL, NULL);
        if (tensor_grows(f, t))
            x->shape[0] = tensor_axis(t->name) == AXIS_ROW1;
    }
    for (int i = 0; i < f->keys; i++)
        frame_set_meta(all, f->key[i], f->value[i]);
    all->end = END_OK;
    return all;
}

static void add_shapes(Frame *all, const Frame *f)
{
    all->rows += f->rows;
    all->tokens += f->tokens;
    for (int i = 0; i < all->count; i++) {
        Tensor *x = &all->tensor[i];
        const Tensor *t = frame_get(f, x->name);
        if (tensor_grows(f, t))
            x->shape[0] += t->shape[0] - (tensor_axis(t->name) == AXIS_ROW1);
    }
}

static int measure(Document *d, Err *e)
{
    Frame *first = NULL, *f;
    int bad = 0;
    for (int i = 0; i < spool_frames(d->spool) && !bad; i++) {
        bad = next_frame(d->spool, i, first != NULL, &f, e);
        if (!f)
            continue;
        if (!first)
            d->all = shapes_of(first = f);
        if (frame_agree(first, f))
            add_shapes(d->all, f);
        else
            bad = err_set(e, "the stream's tensors or metadata change midway: one document cannot "
                             "hold it");
        if (f != first)
            frame_free(f);
    }
    frame_free(first);
    if (!bad)
        d->all->end_rows = d->all->rows;
    return bad;
}

/* ---- its bytes ---- */

static int write_at(int fd, const void *p, size_t n, uint64_t at)
{
    while (n) {
        ssize_t k = pwrite(fd, p, n, (off_t)at);
        if (k < 0 && errno != EINTR)
            return -1;
        if (k > 0) {
            p = (const char *)p + k;
            n -= (size_t)k;
            at += (uint64_t)k;
        }
    }
    return 0;
}

/* What t counts from its frame's beginning counts from the document's. */
static void shift(const Document *d, const Frame *f, Tensor *t)
{
    Counts counts = tensor_counts(f, t);
    int64_t *v = t->data, by = d->tokens;
    if (counts == COUNTS_BYTES)
        by = d->begun[frame_get(d->all, tensor_bytes(f, t)->name) - d->all->tensor];
    for (size_t k = 0; counts != COUNTS_NOTHING && by && k < t->bytes / sizeof *v; k++)
        v[k] += by;
}

/* The piece of each tensor that f brings. Of what does not grow the first frame's. */
static int put_frame(Document *d, Frame *f, bool first)
{
    for (int i = 0; i < d->all->count; i++) {
        Tensor *t = frame_get(f, d->all->tensor[i].name);
        size_t skip = tensor_axis(t->name) == AXIS_ROW1 && !first ? sizeof(int64_t) : 0;
        if (!first && !tensor_grows(f, t))
            continue;
        shift(d, f, t);
        if (write_at(d->fd, (char *)t->data + skip, t->bytes - skip, d->at[i]) < 0)
            return -1;
        d->at[i] += t->bytes - skip;
    }
    for (int i = 0; i < d->all->count; i++)
        d->begun[i] += frame_get(f, d->all->tensor[i].name)->shape[0];
    d->tokens += f->tokens;
    return 0;
}

static int put_frames(Document *d, const char *path, Err *e)
{
    Frame *f;
    bool any = false;
    for (int i = 0; i < spool_frames(d->spool); i++, any = any || f) {
        if (next_frame(d->spool, i, any, &f, e) < 0)
            return -1;
        int bad = f ? put_frame(d, f, !any) : 0;
        int saved = errno;
        frame_free(f);
        errno = saved;
        if (bad)
            return err_sys(e, "%s: cannot write", path);
    }
    return 0;
}

static int put_document(Document *d, const char *path, Err *e)
{
    Buf head = {0};
    size_t n = (size_t)d->all->count;
    d->at = mem_array(n, sizeof *d->at);
    d->begun = mem_zero(n, sizeof *d->begun);
    wire_header(d->all, &head, d->at);
    int bad = write_at(d->fd, head.p, head.n, 0) < 0 ? err_sys(e, "%s: cannot write", path) : 0;
    free(head.p);
    return bad ? -1 : put_frames(d, path, e);
}

/* ---- where it goes ---- */

/* From the beginning, to where nobody can write but at the end. */
static int copy(int from, int to)
{
    char block[1 << 16];
    ssize_t n;
    off_t at = 0;
    while ((n = pread(from, block, sizeof block, at)) > 0) {
        if (write_all(to, block, (size_t)n) < 0)
            return -1;
        at += n;
    }
    return n < 0 ? -1 : 0;
}

static int deliver(Document *d, OutFile *o, const char *path, Err *e)
{
    struct stat st;
    bool file = fstat(outfile_fd(o), &st) == 0 && S_ISREG(st.st_mode);
    d->fd = file ? outfile_fd(o) : spool_file(e);
    if (d->fd < 0)
        return -1;
    int bad = put_document(d, path, e);
    if (!file) {
        if (!bad && copy(d->fd, outfile_fd(o)) < 0)
            bad = err_sys(e, "%s: cannot write", path);
        close(d->fd);
    }
    return bad;
}

int save_stream(const char *path, In *in, Err *e)
{
    Document d = {.spool = spool_in(in, e)};
    OutFile *o = NULL;
    int bad = d.spool ? measure(&d, e) : -1;
    if (!bad && !(o = outfile_open(path, e)))
        bad = -1;
    if (!bad)
        bad = deliver(&d, o, path, e);
    if (bad)
        outfile_abort(o);
    else
        bad = outfile_commit(o, e);
    free(d.at);
    free(d.begun);
    frame_free(d.all);
    spool_free((Spool *)d.spool);
    return bad;
}
