#include "report/digest.h"

#include "base/hash.h"
#include "base/write.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct Line {
    char *name;
    DType type;
    Hash *hash;
    int64_t next; /* the row after the last one hashed */
    int rank;
    int64_t shape[FRAME_RANKS]; /* as last hashed, without the first axis */
} Line;

struct Digest {
    void *tree; /* tsearch(3), of `line` */
    Line **line;
    int lines;
    int64_t rows, tokens;
};

Digest *digest_new(void)
{
    return mem_zero(1, sizeof(Digest));
}

static int by_name(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    int d = strcmp(x->name, y->name);
    return d ? d : (x->type > y->type) - (x->type < y->type);
}

static Line *line_of(Digest *d, const Tensor *t)
{
    Line key = {.name = t->name, .type = t->type}, **found = tfind(&key, &d->tree, by_name);
    if (found)
        return *found;
    d->line = mem_resize(d->line, (size_t)d->lines + 1, sizeof *d->line);
    Line *l = d->line[d->lines++] = mem_alloc(sizeof *l);
    *l = (Line){.name = mem_str(t->name), .type = t->type, .hash = hash_new(), .rank = -1};
    mem_got(tsearch(l, &d->tree, by_name), sizeof *l);
    return l;
}

static void hash_int(Hash *h, int64_t v)
{
    hash_add(h, &v, sizeof v);
}

/* A change of shape, or rows that lack the tensor, are part of what is hashed; that they begin
 * where a frame begins is not. */
static void hash_breaks(Line *l, const Tensor *t, int64_t row)
{
    bool same = l->rank == t->rank;
    for (int i = 1; same && i < t->rank; i++)
        same = l->shape[i] == t->shape[i];
    if (!same || l->next != row)
        hash_int(l->hash, row);
    for (int i = 1; !same && i < t->rank; i++)
        hash_int(l->hash, l->shape[i] = t->shape[i]);
    l->rank = t->rank;
}

static void hash_ranges(Hash *h, const Tensor *t, const Tensor *bytes)
{
    const int64_t *range = t->data;
    for (int64_t i = 0; i < t->shape[0]; i++, range += 2) {
        hash_int(h, range[1] - range[0]);
        hash_add(h, (const char *)bytes->data + range[0], (size_t)(range[1] - range[0]));
    }
}

static void hash_tensor(const Digest *d, Hash *h, const Frame *f, const Tensor *t)
{
    const Tensor *bytes = tensor_bytes(f, t);
    const int64_t *v = t->data;
    if (bytes)
        hash_ranges(h, t, bytes);
    else if (tensor_axis(t->name) == AXIS_ROW1)
        for (int64_t i = 0; i < f->rows; i++)
            hash_int(h, v[i + 1] - v[i]);
    else if (strcmp(t->name, "pick.token") == 0)
        for (int64_t i = 0; i < t->shape[0]; i++)
            hash_int(h, d->tokens + v[i]);
    else
        hash_add(h, t->data, t->bytes);
}

void digest_add(Digest *d, const Frame *f)
{
    Tensor *range[2];
    for (int i = 0; f->rows && i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        if (tensor_ranges(f, t, range))
            continue; /* hashed with these */
        Line *l = line_of(d, t);
        hash_breaks(l, t, d->rows);
        hash_tensor(d, l->hash, f, t);
        l->next = d->rows + f->rows;
    }
    d->rows += f->rows;
    d->tokens += f->tokens;
}

static int by_place(const void *a, const void *b)
{
    return by_name(*(Line *const *)a, *(Line *const *)b);
}

static void keep(void *line)
{
    (void)line; /* it is freed by digest_end */
}

void digest_end(Digest *d, Buf *out)
{
    buf_fmt(out, "rows %lld\n", (long long)d->rows);
    if (d->lines)
        qsort(d->line, (size_t)d->lines, sizeof *d->line, by_place);
    for (int i = 0; i < d->lines; i++) {
        char text[HASH_TEXT];
        Line *l = d->line[i];
        hash_end(l->hash, text);
        put_tsv(out, str_of(l->name, strlen(l->name)));
        buf_fmt(out, "\t%s\t%s\n", dtype_name(l->type), text);
        free(l->name);
        free(l);
    }
    tdestroy(d->tree, keep);
    free(d->line);
    free(d);
}
