#include "report/digest.h"

#include "base/hash.h"

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
    Line *line;
    int lines;
    int64_t rows, tokens;
};

Digest *digest_new(void)
{
    return mem_zero(1, sizeof(Digest));
}

static Line *line_of(Digest *d, const Tensor *t)
{
    for (int i = 0; i < d->lines; i++)
        if (d->line[i].type == t->type && strcmp(d->line[i].name, t->name) == 0)
            return &d->line[i];
    d->line = mem_resize(d->line, (size_t)d->lines + 1, sizeof *d->line);
    Line *l = &d->line[d->lines++];
    *l = (Line){.name = mem_str(t->name), .type = t->type, .hash = hash_new(), .rank = -1};
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
    const char *bytes = tensor_bytes_name(f, t);
    const int64_t *v = t->data;
    if (bytes)
        hash_ranges(h, t, frame_get(f, bytes));
    else if (tensor_axis(t->name) == AXIS_ROW1)
        for (int64_t i = 0; i < f->rows; i++)
            hash_int(h, v[i + 1] - v[i]);
    else if (strcmp(t->name, "pick.token") == 0)
        for (int64_t i = 0; i < t->shape[0]; i++)
            hash_int(h, d->tokens + v[i]);
    else
        hash_add(h, t->data, t->bytes);
}

static bool is_pointed_into(const Frame *f, const Tensor *t)
{
    for (int i = 0; i < f->count; i++) {
        const char *bytes = tensor_bytes_name(f, &f->tensor[i]);
        if (bytes && strcmp(bytes, t->name) == 0)
            return true;
    }
    return false;
}

void digest_add(Digest *d, const Frame *f)
{
    for (int i = 0; f->rows && i < f->count; i++) {
        const Tensor *t = &f->tensor[i];
        if (is_pointed_into(f, t))
            continue;
        Line *l = line_of(d, t);
        hash_breaks(l, t, d->rows);
        hash_tensor(d, l->hash, f, t);
        l->next = d->rows + f->rows;
    }
    d->rows += f->rows;
    d->tokens += f->tokens;
}

static int by_name(const void *a, const void *b)
{
    const Line *x = a, *y = b;
    int d = strcmp(x->name, y->name);
    return d ? d : (x->type > y->type) - (x->type < y->type);
}

void digest_end(Digest *d, Buf *out)
{
    buf_fmt(out, "rows %lld\n", (long long)d->rows);
    if (d->lines)
        qsort(d->line, (size_t)d->lines, sizeof *d->line, by_name);
    for (int i = 0; i < d->lines; i++) {
        char text[HASH_TEXT];
        hash_end(d->line[i].hash, text);
        buf_fmt(out, "%s\t%s\t%s\n", d->line[i].name, dtype_name(d->line[i].type), text);
        free(d->line[i].name);
    }
    free(d->line);
    free(d);
}
