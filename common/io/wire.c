#include "io/wire.h"

#include "base/num.h"
#include "base/outfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char version[] = "1";

void wire_widen(int fd)
{
    fcntl(fd, F_SETPIPE_SZ, 1 << 20);
}

/* ---- out ---- */

/* The metadata of a frame as it is written; strings are borrowed. */
static void put_meta(StHeader *h, const Frame *f, char *rows)
{
    h->key = mem_array((size_t)f->keys + 3, sizeof *h->key);
    h->value = mem_array((size_t)f->keys + 3, sizeof *h->value);
    h->key[0] = "weft";
    h->value[0] = (char *)version;
    h->keys = 1;
    for (int i = 0; i < f->keys; i++, h->keys++) {
        h->key[h->keys] = f->key[i];
        h->value[h->keys] = f->value[i];
    }
    if (f->end == END_NONE)
        return;
    h->key[h->keys] = "end";
    h->value[h->keys++] = f->end == END_OK ? "ok" : "failed";
    if (f->end_rows >= 0) {
        h->key[h->keys] = "rows";
        h->value[h->keys++] = rows;
    }
}

static void put_tensors(StHeader *h, const Frame *f)
{
    h->tensor = mem_zero((size_t)f->count, sizeof *h->tensor);
    h->count = f->count;
    for (int i = 0; i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        h->tensor[i] = (StTensor){.name = t->name, .type = t->type, .rank = t->rank};
        memcpy(h->tensor[i].shape, t->shape, sizeof t->shape);
    }
}

/* The same with from[i], the tensor of f whose data come as the i-th. Release with free(). */
static int *put_header(const Frame *f, Buf *head, uint64_t *at)
{
    char rows[32];
    StHeader h = {0};
    snprintf(rows, sizeof rows, "%" PRId64, f->end_rows);
    put_meta(&h, f, rows);
    put_tensors(&h, f);
    int *from = st_layout(&h);
    st_format(&h, head);
    for (int i = 0; at && i < f->count; i++)
        at[from[i]] = head->n + h.tensor[i].begin;
    free(h.tensor);
    free(h.key);
    free(h.value);
    return from;
}

void wire_header(const Frame *f, Buf *head, uint64_t *at)
{
    free(put_header(f, head, at));
}

int wire_write(int fd, const Frame *f)
{
    Buf head = {0};
    int *from = put_header(f, &head, NULL);
    struct iovec *part = mem_array((size_t)f->count + 1, sizeof *part);
    part[0] = (struct iovec){head.p, head.n};
    for (int i = 0; i < f->count; i++)
        part[i + 1] = (struct iovec){f->tensor[from[i]].data, f->tensor[from[i]].bytes};
    int status = writev_all(fd, part, f->count + 1);
    free(part);
    free(head.p);
    free(from);
    return status;
}

/* ---- in ---- */

static const char *meta_of(const StHeader *h, const char *key)
{
    for (int i = 0; i < h->keys; i++)
        if (strcmp(h->key[i], key) == 0)
            return h->value[i];
    return NULL;
}

static int read_end(Frame *f, const StHeader *h, Err *e)
{
    const char *end = meta_of(h, "end"), *rows = meta_of(h, "rows");
    if (!end)
        return 0;
    if (strcmp(end, "ok") != 0 && strcmp(end, "failed") != 0)
        return err_set(e, "its end is '%.20s', neither ok nor failed", end);
    f->end = *end == 'o' ? END_OK : END_FAILED;
    if (rows && num_int(rows, 0, INT64_MAX, &f->end_rows, e) < 0)
        return err_at(e, "rows of its end");
    return 0;
}

static int read_meta(Frame *f, const StHeader *h, bool *foreign, Err *e)
{
    const char *weft = meta_of(h, "weft");
    *foreign = !weft;
    if (weft && strcmp(weft, version) != 0)
        return err_set(e,
                       "a stream of version '%.20s', but this program reads version %s: use "
                       "programs of one release",
                       weft, version);
    for (int i = 0; i < h->keys; i++) { /* the three are ours to write, whoever used them */
        const char *k = h->key[i];
        if (strcmp(k, "weft") != 0 && strcmp(k, "end") != 0 && strcmp(k, "rows") != 0)
            frame_set_meta(f, k, h->value[i]);
    }
    if (!*foreign)
        return read_end(f, h, e);
    f->end = END_OK;
    return 0;
}

/* Data that foreign hands laid on an address its type cannot have moves to one it can. */
static void adopt(Frame *f, const StTensor *t, Block *block, char *p)
{
    Block *b = block_share(block);
    if ((uintptr_t)p % dtype_size(t->type) != 0) {
        block_drop(b);
        b = block_new((size_t)(t->end - t->begin));
        p = memcpy(b->p, p, b->size);
    }
    frame_adopt(f, t->name, t->type, t->rank, t->shape, b, p);
}

Frame *wire_frame(const StHeader *h, Block *block, void *data, bool *foreign, Err *e)
{
    Frame *f = frame_new(0, 0);
    int status = 0;
    if (h->count > WIRE_TENSORS || h->keys > WIRE_TENSORS)
        status = err_set(e, "%d tensors and %d keys: a frame has at most %d", h->count, h->keys,
                         WIRE_TENSORS);
    else
        status = read_meta(f, h, foreign, e);
    for (int i = 0; status == 0 && i < h->count; i++)
        adopt(f, &h->tensor[i], block, (char *)data + h->tensor[i].begin);
    block_drop(block);
    if (status == 0)
        return f;
    frame_free(f);
    return NULL;
}
