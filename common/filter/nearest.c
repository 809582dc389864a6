#include "filter/nearest.h"

#include "filter/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 4096, QUERIES = 256 };

struct Corpus {
    Device *dev;
    int64_t rows, width; /* width 0: nothing was added yet */
    char *model, *pool;  /* what the first frame said; NULL: nothing */
    Weight **panel;
    int64_t panels;
    float *open;  /* the panel that is being filled, [PANEL, width] */
    Buf text;     /* all texts */
    int64_t *end; /* where row i's text ends */
    int64_t room;
    void *x, *value, *index; /* device memory of a search */
    size_t x_size, found_size;
};

Corpus *corpus_new(Device *dev)
{
    Corpus *c = mem_zero(1, sizeof *c);
    c->dev = dev;
    return c;
}

void corpus_free(Corpus *c)
{
    if (!c)
        return;
    for (int64_t i = 0; i < c->panels; i++)
        c->dev->unpack(c->dev, c->panel[i]);
    c->dev->free(c->dev, c->x);
    c->dev->free(c->dev, c->value);
    c->dev->free(c->dev, c->index);
    free(c->panel);
    free(c->open);
    free(c->text.p);
    free(c->end);
    free(c->model);
    free(c->pool);
    free(c);
}

int64_t corpus_rows(const Corpus *c)
{
    return c->rows;
}

Str corpus_text(const Corpus *c, int64_t row)
{
    int64_t from = row ? c->end[row - 1] : 0;
    return str_of(c->text.p + from, (size_t)(c->end[row] - from));
}

/* To length 1; the sum of squares in double. */
static void put_unit(float *to, const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++)
        sum += (double)x[j] * (double)x[j];
    double by = sum > 0 ? 1 / sqrt(sum) : 0;
    for (int64_t j = 0; j < n; j++)
        to[j] = (float)((double)x[j] * by);
}

/* The open panel joins the packed ones. */
static int close_panel(Corpus *c, Err *e)
{
    View v = view_of(c->open, K_F32, c->rows - c->panels * PANEL, c->width);
    c->panel = mem_resize(c->panel, (size_t)c->panels + 1, sizeof *c->panel);
    if (!(c->panel[c->panels] = c->dev->pack(c->dev, &v, NULL, 1, false, K_F32)))
        return err_set(e, "out of memory on %s after %" PRId64 " rows", c->dev->name, c->rows);
    c->panels++;
    return 0;
}

static int add_row(Corpus *c, const float *x, Str text, Err *e)
{
    if (c->rows == INT32_MAX)
        return err_set(e, "more than %d rows: split the corpus", INT32_MAX);
    if (c->rows == c->room) {
        c->room = c->room * 2 + 1024;
        c->end = mem_resize(c->end, (size_t)c->room, sizeof *c->end);
    }
    put_unit(c->open + c->rows % PANEL * c->width, x, c->width);
    buf_add(&c->text, text.p, text.n);
    c->end[c->rows++] = (int64_t)c->text.n;
    return c->rows % PANEL == 0 ? close_panel(c, e) : 0;
}

/* Vectors of another model, or pooled in another way, have cosines that mean nothing. */
static int same_origin(const char *what, const char *ours, const char *theirs, Err *e)
{
    if (!ours || !theirs || strcmp(ours, theirs) == 0)
        return 0;
    return err_set(e, "the corpus has vectors of %s '%s', this stream of '%s': make both alike",
                   what, ours, theirs);
}

int corpus_fits(const Corpus *c, const Frame *f, Err *e)
{
    if (!frame_get(f, "row.vector"))
        return err_set(e, "no row.vector in the stream: run it through `encode` and `pool` first");
    if (!check_vectors(f, c->width, "the corpus", e))
        return -1;
    if (same_origin("model", c->model, frame_meta(f, "model"), e) < 0)
        return -1;
    return same_origin("pooling", c->pool, frame_meta(f, "pool"), e);
}

int corpus_add(Corpus *c, const Frame *f, Err *e)
{
    if (f->rows == 0 && !frame_get(f, "row.vector"))
        return 0; /* a stream's end that stands alone */
    if (corpus_fits(c, f, e) < 0)
        return -1;
    const Tensor *v = frame_get(f, "row.vector");
    if (!c->width) {
        c->width = v->shape[1];
        c->model = mem_str(frame_meta(f, "model"));
        c->pool = mem_str(frame_meta(f, "pool"));
        c->open = mem_array((size_t)(PANEL * c->width), sizeof *c->open);
    }
    const float *x = v->data;
    for (int64_t i = 0; i < f->rows; i++)
        if (add_row(c, x + i * c->width, frame_text(f, "row.text", i), e) < 0)
            return -1;
    return 0;
}

int corpus_ready(Corpus *c, Err *e)
{
    int status = c->rows > c->panels * PANEL ? close_panel(c, e) : 0;
    free(c->open);
    c->open = NULL;
    return status;
}

/* ---- searching ---- */

typedef struct Search {
    Corpus *corpus;
    View x;
    int k;
    float *value; /* device memory [threads, rows, k] */
    int32_t *index;
    bool *begun; /* by thread */
} Search;

/* Each thread keeps its own best, over whatever panels fall to it. */
static void stage_search(Piece *p, void *ctx)
{
    Search *s = ctx;
    Corpus *c = s->corpus;
    int64_t at = (int64_t)p->thread * s->x.rows * s->k;
    View y = temp_view(p, K_F32, s->x.rows, PANEL);
    for (int64_t i = p->lo; i < p->hi; i++) {
        int64_t left = c->rows - i * PANEL;
        y.cols = y.stride = left < PANEL ? left : PANEL;
        p->dev->linear(p, &(Linear){.x = s->x, .w = c->panel[i], .y = y});
        p->dev->topk(p, &(Topk){.x = y,
                                .col0 = i * PANEL,
                                .k = s->k,
                                .begin = !s->begun[p->thread],
                                .value = s->value + at,
                                .index = s->index + at});
        s->begun[p->thread] = true;
    }
}

static int by_cosine(const void *a, const void *b)
{
    const Near *x = a, *y = b;
    if (x->row < 0 || y->row < 0)
        return (x->row < 0) - (y->row < 0);
    if (x->cosine != y->cosine)
        return x->cosine > y->cosine ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Of what the threads found the best k of a row. */
static void merge(const Search *s, const float *value, const int32_t *index, int64_t row, Near *all,
                  Near *to)
{
    int64_t n = 0, step = s->x.rows * s->k;
    for (int t = 0; t < s->corpus->dev->threads; t++)
        for (int i = 0; s->begun[t] && i < s->k; i++) {
            int64_t at = t * step + row * s->k + i;
            float v = value[at] > 1 ? 1 : value[at] < -1 ? -1 : value[at];
            all[n++] = (Near){index[at], v};
        }
    qsort(all, (size_t)n, sizeof *all, by_cosine);
    for (int i = 0; i < s->k; i++)
        to[i] = i < n ? all[i] : (Near){-1, 0};
}

static int room(Corpus *c, int64_t rows, int k, Err *e)
{
    Device *d = c->dev;
    size_t x = (size_t)(rows * c->width) * 4, found = (size_t)(d->threads * rows * k) * 4;
    if (c->x_size < x) {
        d->free(d, c->x);
        c->x = d->alloc(d, c->x_size = x);
    }
    if (c->found_size < found) {
        d->free(d, c->value);
        d->free(d, c->index);
        c->value = d->alloc(d, c->found_size = found);
        c->index = d->alloc(d, found);
    }
    if (c->x && c->value && c->index)
        return 0;
    c->x_size = c->found_size = 0;
    return err_set(e, "out of memory on %s: lower -k", d->name);
}

static int search(Corpus *c, const float *x, int64_t rows, int k, Near *near, Err *e)
{
    Device *d = c->dev;
    char why[256];
    if (room(c, rows, k, e) < 0)
        return -1;
    size_t n = (size_t)(d->threads * rows * k);
    Search s = {.corpus = c,
                .x = view_of(c->x, K_F32, rows, c->width),
                .k = k,
                .value = c->value,
                .index = c->index,
                .begun = mem_zero((size_t)d->threads, sizeof *s.begun)};
    float *unit = mem_array((size_t)(rows * c->width), sizeof *unit);
    float *value = mem_array(n, sizeof *value);
    int32_t *index = mem_array(n, sizeof *index);
    Near *all = mem_array((size_t)(d->threads * k), sizeof *all);
    for (int64_t i = 0; i < rows; i++)
        put_unit(unit + i * c->width, x + i * c->width, c->width);
    d->put(d, c->x, unit, (size_t)(rows * c->width) * sizeof *unit);
    d->each(d, EACH_COLS, &(Batch){.cols = c->panels}, stage_search, &s);
    d->get(d, value, c->value, n * sizeof *value);
    d->get(d, index, c->index, n * sizeof *index);
    int status = d->wait(d, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
    for (int64_t i = 0; i < rows && status == 0; i++)
        merge(&s, value, index, i, all, near + i * k);
    free(all);
    free(index);
    free(value);
    free(unit);
    free(s.begun);
    return status;
}

int corpus_nearest(Corpus *c, const float *x, int64_t rows, int k, Near *near, Err *e)
{
    for (int64_t at = 0; at < rows; at += QUERIES) {
        int64_t n = rows - at < QUERIES ? rows - at : QUERIES;
        if (search(c, x + at * c->width, n, k, near + at * k, e) < 0)
            return -1;
    }
    return 0;
}
