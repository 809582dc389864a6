#include "report/overview.h"

#include "base/write.h"

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

struct Overview {
    const Speller *speller;
    int64_t frames, rows, tokens, streams;
    Total *total;
    int totals;
    char **key, **value;
    int keys;
    Buf first; /* the first rows, written already */
};

Overview *overview_new(const Speller *s)
{
    Overview *o = mem_zero(1, sizeof *o);
    o->speller = s;
    return o;
}

static bool is_like(const Total *a, const Tensor *t)
{
    bool same = a->type == t->type && a->rank == t->rank && strcmp(a->name, t->name) == 0;
    for (int i = 1; same && i < t->rank; i++)
        same = a->shape[i] == t->shape[i];
    return same;
}

static void add_tensor(Overview *o, const Tensor *t)
{
    int i = 0;
    while (i < o->totals && !is_like(&o->total[i], t))
        i++;
    if (i == o->totals) {
        o->total = mem_resize(o->total, (size_t)++o->totals, sizeof *o->total);
        o->total[i] = (Total){.name = mem_str(t->name), .type = t->type, .rank = t->rank};
        memcpy(o->total[i].shape, t->shape, sizeof t->shape);
        o->total[i].shape[0] = tensor_axis(t->name) == AXIS_ROW1;
    }
    o->total[i].shape[0] += t->rank ? t->shape[0] - (tensor_axis(t->name) == AXIS_ROW1) : 0;
    o->total[i].bytes += t->bytes;
}

/* A key that changes from stream to stream is shown with each of its values. */
static void add_meta(Overview *o, const char *key, const char *value)
{
    for (int i = 0; i < o->keys; i++)
        if (strcmp(o->key[i], key) == 0 && strcmp(o->value[i], value) == 0)
            return;
    size_t n = (size_t)++o->keys;
    o->key = mem_resize(o->key, n, sizeof *o->key);
    o->value = mem_resize(o->value, n, sizeof *o->value);
    o->key[n - 1] = mem_str(key);
    o->value[n - 1] = mem_str(value);
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
    buf_fmt(b, "%-20s %-5s %-20.*s %llu\n", t->name, dtype_name(t->type), (int)shape.n, shape.p,
            (unsigned long long)t->bytes);
    free(shape.p);
}

void overview_end(Overview *o, Buf *out)
{
    buf_fmt(out, "frames   %lld\nrows     %lld\ntokens   %lld\n", (long long)o->frames,
            (long long)o->rows, (long long)o->tokens);
    if (o->streams > 1)
        buf_fmt(out, "streams  %lld\n", (long long)o->streams);
    for (int i = 0; i < o->keys; i++) {
        buf_fmt(out, "%-8s ", o->key[i]);
        put_tsv(out, str_of(o->value[i], strlen(o->value[i])));
        buf_str(out, "\n");
        free(o->key[i]);
        free(o->value[i]);
    }
    if (o->totals)
        buf_fmt(out, "\n%-20s %-5s %-20s %s\n", "tensor", "type", "shape", "bytes");
    for (int i = 0; i < o->totals; i++) {
        put_total(out, &o->total[i]);
        free(o->total[i].name);
    }
    buf_str(out, o->first.n ? "\n" : "");
    buf_add(out, o->first.p, o->first.n);
    free(o->first.p);
    free(o->total);
    free(o->key);
    free(o->value);
    free(o);
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
