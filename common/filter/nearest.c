#include "filter/nearest.h"

#include "base/outfile.h"
#include "filter/check.h"
#include "filter/texts_alone.h"
#include "io/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PANEL = 4096, QUERIES = 256, HELD_BYTES = 32 << 20, HELD_TEXT = 1 << 20 };

struct Corpus {
    Device *dev;
    int64_t rows, width; /* width 0: nothing was added yet */
    char *model, *pool;  /* what the first frame said; NULL: nothing */
    Weight **panel;      /* NULL: it lies in the file, and is packed when it is searched */
    int64_t panels;
    size_t held; /* bytes of the panels that are packed for good */
    int laid;    /* the file of the others, in their order by number; -1: none yet */
    float *open; /* the panel that is being filled, [PANEL, width] */
    Buf text;    /* texts, from byte text_at of all on: those before lie in a file */
    int64_t text_at;
    int text_laid; /* -1: there is no such file */
    Buf shown;     /* the text that was asked for last */
    int64_t *end;  /* where row i's text ends */
    bool untold;   /* some rows have no texts */
    int64_t room;
    void *x, *value, *index; /* device memory of a search */
    size_t x_size, found_size;
};

Corpus *corpus_new(Device *dev)
{
    Corpus *c = mem_zero(1, sizeof *c);
    c->dev = dev;
    c->laid = c->text_laid = -1;
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
    free(c->shown.p);
    if (c->laid >= 0)
        close(c->laid);
    if (c->text_laid >= 0)
        close(c->text_laid);
    free(c->end);
    free(c->model);
    free(c->pool);
    free(c);
}

/* Bytes to the end of a file that is made when it is needed, and back from it. */
static int lay(int *fd, const void *p, size_t n, Err *e)
{
    if (*fd < 0 && (*fd = spool_file(e)) < 0)
        return -1;
    return write_all(*fd, p, n) < 0 ? err_sys(e, "cannot lay the corpus aside") : 0;
}

static int read_laid(int fd, void *p, size_t n, size_t at, Err *e)
{
    while (n) {
        ssize_t k = pread(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return err_sys(e, "cannot read back the corpus");
        p = (char *)p + k;
        n -= (size_t)k;
        at += (size_t)k;
    }
    return 0;
}

int64_t corpus_rows(const Corpus *c)
{
    return c->rows;
}

int corpus_texts(const Corpus *c, Err *e)
{
    return c->untold ? err_set(e, "rows without texts: make them with `tok` from text, not from "
                                  "ids or vectors alone")
                     : 0;
}

int corpus_text(Corpus *c, int64_t row, Str *text, Err *e)
{
    int64_t from = row ? c->end[row - 1] : 0;
    size_t n = (size_t)(c->end[row] - from);
    if (from >= c->text_at) {
        *text = str_of(c->text.p + (from - c->text_at), n);
        return 0;
    }
    c->shown.n = 0;
    *text = str_of(buf_room(&c->shown, n), n);
    return read_laid(c->text_laid, c->shown.p, n, (size_t)from, e);
}

/* Texts are few bytes a row, but rows are many: beyond some they are laid aside. */
static int lay_texts(Corpus *c, Err *e)
{
    if (c->text.n < HELD_TEXT)
        return 0;
    if (lay(&c->text_laid, c->text.p, c->text.n, e) < 0)
        return -1;
    c->text_at += (int64_t)c->text.n;
    c->text.n = 0;
    return 0;
}

static double sum_of_squares(const float *x, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j++)
        sum += (double)x[j] * (double)x[j];
    return sum;
}

/* To length 1. */
static void put_unit(float *to, const float *x, int64_t n)
{
    double sum = sum_of_squares(x, n), by = sum > 0 ? 1 / sqrt(sum) : 0;
    for (int64_t j = 0; j < n; j++)
        to[j] = (float)((double)x[j] * by);
}

static size_t panel_bytes(const Corpus *c)
{
    return (size_t)(PANEL * c->width) * sizeof(float);
}

/* Rows of panel i. */
static int64_t panel_rows(const Corpus *c, int64_t i)
{
    int64_t left = c->rows - i * PANEL;
    return left < PANEL ? left : PANEL;
}

/* The open panel joins the packed ones, or those that are laid aside: a GPU's memory is for it to
 * say whether it is enough. */
static int close_panel(Corpus *c, Err *e)
{
    View v = view_of(c->open, K_F32, panel_rows(c, c->panels), c->width);
    bool keep = strcmp(c->dev->name, "cpu") != 0 || c->held + panel_bytes(c) <= HELD_BYTES;
    Weight *w = keep ? c->dev->pack(c->dev, &v, NULL, 1, false, K_F32) : NULL;
    if (keep && !w)
        return err_set(e, "out of memory on %s after %" PRId64 " rows", c->dev->name, c->rows);
    if (!keep && lay(&c->laid, v.p, (size_t)(v.rows * v.cols) * sizeof(float), e) < 0)
        return -1;
    c->held += keep ? panel_bytes(c) : 0;
    c->panel = mem_resize(c->panel, (size_t)c->panels + 1, sizeof *c->panel);
    c->panel[c->panels++] = w;
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
    if (!isfinite(sum_of_squares(x, c->width)))
        return err_set(e, "row %" PRId64 ": its vector is not finite", c->rows + 1);
    put_unit(c->open + c->rows % PANEL * c->width, x, c->width);
    buf_add(&c->text, text.p, text.n);
    c->end[c->rows++] = c->text_at + (int64_t)c->text.n;
    if (lay_texts(c, e) < 0)
        return -1;
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
    c->untold |= f->rows && !frame_get(f, "row.text");
    for (int64_t i = 0; i < f->rows; i++)
        if (add_row(c, x + i * c->width, text_plain(f, i), e) < 0)
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
    Err *why;    /* by thread */
} Search;

/* Panel i packed: for good, or from the file by way of `raw`, to be released; NULL and s->why. */
static Weight *get_panel(Search *s, Piece *p, int64_t i, void *raw)
{
    Corpus *c = s->corpus;
    Err *e = &s->why[p->thread];
    if (c->panel[i])
        return c->panel[i];
    size_t held = c->held / panel_bytes(c);
    View v = view_of(raw, K_F32, panel_rows(c, i), c->width);
    if (read_laid(c->laid, v.p, (size_t)(v.rows * v.cols) * sizeof(float),
                  ((size_t)i - held) * panel_bytes(c), e) < 0)
        return NULL;
    Weight *w = p->dev->pack(p->dev, &v, NULL, 1, false, K_F32);
    if (!w)
        err_set(e, "out of memory on %s", p->dev->name);
    return w;
}

/* Each thread keeps its own best, over whatever panels fall to it. */
static void stage_search(Piece *p, void *ctx)
{
    Search *s = ctx;
    Corpus *c = s->corpus;
    int64_t at = (int64_t)p->thread * s->x.rows * s->k;
    View y = temp_view(p, K_F32, s->x.rows, PANEL), raw = {0};
    if (c->laid >= 0)
        raw = temp_view(p, K_F32, PANEL, c->width);
    for (int64_t i = p->lo; i < p->hi; i++) {
        Weight *w = get_panel(s, p, i, raw.p);
        if (!w)
            return;
        y.cols = y.stride = panel_rows(c, i);
        p->dev->linear(p, &(Linear){.x = s->x, .w = w, .y = y});
        if (!c->panel[i])
            p->dev->unpack(p->dev, w);
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
                .begun = mem_zero((size_t)d->threads, sizeof *s.begun),
                .why = mem_zero((size_t)d->threads, sizeof *s.why)};
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
    for (int t = 0; t < d->threads && status == 0; t++)
        if (s.why[t].text[0])
            status = err_set(e, "%s", s.why[t].text);
    for (int64_t i = 0; i < rows && status == 0; i++)
        merge(&s, value, index, i, all, near + i * k);
    free(all);
    free(index);
    free(value);
    free(unit);
    free(s.begun);
    free(s.why);
    return status;
}

int corpus_nearest(Corpus *c, const float *x, int64_t rows, int k, Near *near, Err *e)
{
    int64_t good = 0;
    while (good < rows && isfinite(sum_of_squares(x + good * c->width, c->width)))
        good++;
    for (int64_t at = 0; at < good; at += QUERIES) {
        int64_t n = good - at < QUERIES ? good - at : QUERIES;
        if (search(c, x + at * c->width, n, k, near + at * k, e) < 0)
            return -1;
    }
    if (good == rows)
        return 0;
    e->row = good + 1;
    return err_set(e, "its vector is not finite");
}
