#include "report/overview.h"

#include "base/write.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

/* A tensor over all frames: type and shape as in the first, the first axis summed up. */
typedef struct Total {
    char *name;
    DType type;
    int rank;
    int64_t shape[FRAME_RANKS];
    uint64_t bytes;
} Total;

/* A key of the metadata and its value; with each of its values where it changes. */
typedef struct Meta {
    char *key, *value;
} Meta;

struct Overview {
    const Speller *speller;
    int64_t frames, rows, tokens, streams;
    void *totals_tree, *meta_tree; /* tsearch(3), of what follows */
    Total **total;
    Meta **meta;
    int totals, metas;
    Buf first; /* the first rows, written already */
};

Overview *overview_new(const Speller *s)
{
    Overview *o = mem_zero(1, sizeof *o);
    o->speller = s;
    return o;
}

static int by_kind(const void *a, const void *b)
{
    const Total *x = a, *y = b;
    int d = strcmp(x->name, y->name);
    if (d == 0)
        d = (x->type > y->type) - (x->type < y->type);
    if (d == 0)
        d = (x->rank > y->rank) - (x->rank < y->rank);
    for (int i = 1; d == 0 && i < x->rank; i++)
        d = (x->shape[i] > y->shape[i]) - (x->shape[i] < y->shape[i]);
    return d;
}

static Total *total_of(Overview *o, const Tensor *t)
{
    Total key = {.name = t->name, .type = t->type, .rank = t->rank};
    memcpy(key.shape, t->shape, sizeof t->shape);
    Total **found = tfind(&key, &o->totals_tree, by_kind);
    if (found)
        return *found;
    o->total = mem_resize(o->total, (size_t)o->totals + 1, sizeof *o->total);
    Total *x = o->total[o->totals++] = mem_alloc(sizeof *x);
    *x = key;
    x->name = mem_str(t->name);
    x->shape[0] = tensor_axis(t->name) == AXIS_ROW1;
    mem_got(tsearch(x, &o->totals_tree, by_kind), sizeof *x);
    return x;
}

/* What no axis cuts may be of any length, if it is empty: the sum stops before it overflows. */
static void add_tensor(Overview *o, const Tensor *t)
{
    Total *x = total_of(o, t);
    int64_t n = t->rank ? t->shape[0] - (tensor_axis(t->name) == AXIS_ROW1) : 0;
    x->shape[0] = x->shape[0] > INT64_MAX - n ? INT64_MAX : x->shape[0] + n;
    x->bytes += t->bytes;
}

static int by_meta(const void *a, const void *b)
{
    const Meta *x = a, *y = b;
    int d = strcmp(x->key, y->key);
    return d ? d : strcmp(x->value, y->value);
}

static void add_meta(Overview *o, char *key, char *value)
{
    Meta like = {key, value};
    if (tfind(&like, &o->meta_tree, by_meta))
        return;
    o->meta = mem_resize(o->meta, (size_t)o->metas + 1, sizeof *o->meta);
    Meta *m = o->meta[o->metas++] = mem_alloc(sizeof *m);
    *m = (Meta){mem_str(key), mem_str(value)};
    mem_got(tsearch(m, &o->meta_tree, by_meta), sizeof *m);
}

void overview_add(Overview *o, const Frame *f)
{
    o->frames++;
    o->streams += f->end == END_OK;
    for (int i = 0; i < f->keys; i++)
        add_meta(o, f->key[i], f->value[i]);
    for (int i = 0; i < f->count; i++)
        add_tensor(o, &f->tensor[i]);
    for (int64_t i = 0; i < f->rows && o->rows + i < OVERVIEW_ROWS; i++)
        rows_put_short(&o->first, f, i, o->rows + i + 1, o->speller);
    o->rows += f->rows;
    o->tokens += f->tokens;
}

static void put_total(Buf *b, const Total *t)
{
    Buf shape = {0};
    for (int i = 0; i < t->rank; i++)
        buf_fmt(&shape, "%s%lld", i ? ", " : "[", (long long)t->shape[i]);
    buf_str(&shape, t->rank ? "]" : "[]");
    put_column(b, str_of(t->name, strlen(t->name)), 20);
    buf_fmt(b, " %-5s %-20.*s %llu\n", dtype_name(t->type), (int)shape.n, shape.p,
            (unsigned long long)t->bytes);
    free(shape.p);
}

static void put_meta(Buf *b, const Meta *m)
{
    put_column(b, str_of(m->key, strlen(m->key)), 8);
    buf_str(b, " ");
    put_tsv(b, str_of(m->value, strlen(m->value)));
    buf_str(b, "\n");
}

static void keep(void *node)
{
    (void)node; /* it is freed with its list */
}

static void overview_free(Overview *o)
{
    tdestroy(o->totals_tree, keep);
    tdestroy(o->meta_tree, keep);
    for (int i = 0; i < o->totals; i++) {
        free(o->total[i]->name);
        free(o->total[i]);
    }
    for (int i = 0; i < o->metas; i++) {
        free(o->meta[i]->key);
        free(o->meta[i]->value);
        free(o->meta[i]);
    }
    free(o->total);
    free(o->meta);
    free(o->first.p);
    free(o);
}

void overview_end(Overview *o, bool whole, Buf *out)
{
    buf_fmt(out, "frames   %lld\nrows     %lld\ntokens   %lld\n", (long long)o->frames,
            (long long)o->rows, (long long)o->tokens);
    if (o->streams > 1)
        buf_fmt(out, "streams  %lld\n", (long long)o->streams);
    if (!whole)
        buf_str(out, "end      none: this is not all of it\n");
    for (int i = 0; i < o->metas; i++)
        put_meta(out, o->meta[i]);
    if (o->totals)
        buf_fmt(out, "\n%-20s %-5s %-20s %s\n", "tensor", "type", "shape", "bytes");
    for (int i = 0; i < o->totals; i++)
        put_total(out, o->total[i]);
    buf_str(out, o->first.n ? "\n" : "");
    buf_add(out, o->first.p, o->first.n);
    overview_free(o);
}

void lengths_add(Lengths *l, int64_t tokens)
{
    if (tokens >= l->size) {
        int64_t size = tokens < 512 ? 1024 : 2 * tokens;
        l->rows = mem_resize(l->rows, (size_t)size, sizeof *l->rows);
        memset(l->rows + l->size, 0, (size_t)(size - l->size) * sizeof *l->rows);
        l->size = size;
    }
    l->rows[tokens]++;
    l->count++;
    l->sum += tokens;
}

/* The shortest length that `percent` of the rows do not exceed. */
static int64_t percentile(const Lengths *l, int percent)
{
    int64_t rank = (l->count * percent + 99) / 100, n = 0, seen = 0;
    for (seen = l->rows[0]; seen < rank || !seen; seen += l->rows[n])
        n++;
    return n;
}

/* A round width that gives at most 20 bars. */
static int64_t bar_width(int64_t max)
{
    for (int64_t ten = 1;; ten *= 10)
        for (int i = 0; i < 3; i++) {
            int64_t width = ten * (int64_t[]){1, 2, 5}[i];
            if (max / width < 20)
                return width;
        }
}

static void put_bars(Buf *b, const Lengths *l, int64_t min, int64_t max)
{
    enum { LONGEST = 50 };
    int64_t width = bar_width(max), most = 0, bar[20] = {0};
    for (int64_t n = min; n <= max; n++)
        bar[n / width] += l->rows[n];
    for (int64_t i = 0; i <= max / width; i++)
        most = bar[i] > most ? bar[i] : most;
    buf_str(b, "\nfrom\tto\trows\n");
    for (int64_t i = min / width; i <= max / width; i++) {
        int64_t length = (bar[i] * LONGEST + most - 1) / most;
        buf_fmt(b, "%lld\t%lld\t%lld\t", (long long)(i * width), (long long)((i + 1) * width - 1),
                (long long)bar[i]);
        for (int64_t k = 0; k < length; k++)
            buf_str(b, "#");
        buf_str(b, "\n");
    }
}

void lengths_end(Lengths *l, Buf *out)
{
    buf_fmt(out, "rows\t%lld\n", (long long)l->count);
    if (l->count) {
        int64_t min = percentile(l, 0), max = percentile(l, 100);
        buf_fmt(out, "min\t%lld\nmedian\t%lld\nmean\t%.2f\n", (long long)min,
                (long long)percentile(l, 50), (double)l->sum / (double)l->count);
        buf_fmt(out, "p90\t%lld\np95\t%lld\np99\t%lld\nmax\t%lld\n", (long long)percentile(l, 90),
                (long long)percentile(l, 95), (long long)percentile(l, 99), (long long)max);
        put_bars(out, l, min, max);
    }
    free(l->rows);
}
