/* head_nll.c - the likelihood of given words under a head over the vocabulary.
 *
 * A block of rows stays with one thread, which goes through the vocabulary's panels in their
 * order: a panel is read from memory once a block, and a row's sums are added in one order
 * whatever stands beside it. */
#include "model/head/head_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 1024, TILE = 256, WHOLE = 64, BLOCK = 1024 }; /* columns; rows */

int head_use_nll(Head *h, HeadTask task, KType type, Err *e)
{
    h->by_panels = true;
    h->type = type;
    if (head_has(h, task) && (h->trained || !h->kind[task]->words))
        return err_set(e, "a %s head has no words to be likely", head_task_names[task]);
    return head_use(h, task, true, e);
}

typedef struct Pack {
    Head *h;
    const float *w, *b;
    int64_t n, cols;
} Pack;

static void stage_pack(Piece *p, void *ctx)
{
    const Pack *k = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        int64_t from = i * PANEL, rows = k->n - from < PANEL ? k->n - from : PANEL;
        const float *w = k->w + from * k->cols, *b = k->b ? k->b + from : NULL;
        View part = view_of((void *)(uintptr_t)w, K_F32, rows, k->cols);
        k->h->panel[i] = p->dev->pack(p->dev, &part, b ? &b : NULL, 1, false, k->h->type);
        weights_done(k->h->weights, w, rows * k->cols);
    }
}

int head_pack_panels(Head *h, const float *w, const float *b, int64_t n, int64_t cols, Err *e)
{
    Pack k = {h, w, b, n, cols};
    h->panels = (int)((n + PANEL - 1) / PANEL);
    h->panel = mem_zero((size_t)h->panels, sizeof *h->panel);
    h->dev->each(h->dev, EACH_COLS, &(Batch){.cols = h->panels}, stage_pack, &k);
    h->size[h->layers] = cols;
    for (int i = 0; i < h->panels; i++)
        if (!h->panel[i])
            return err_set(e, "out of memory on %s", h->dev->name);
    return 0;
}

/* Device memory of one call. */
typedef struct Run {
    Head *h;
    View x;        /* [rows, width], rows a multiple of WHOLE */
    int64_t block; /* rows of a piece */
    int32_t *target;
    float *top, *seen;
    double *sum;
} Run;

/* What the vocabulary's matrix takes: x through the layers before it, in the matrix' type. */
static View words_in(Piece *p, const Run *u, View x)
{
    const Head *h = u->h;
    for (int i = 0; i < h->layers; i++) {
        const HeadLayer *l = &h->layer[i];
        View y = temp_view(p, K_F32, x.rows, h->size[i + 1]);
        p->dev->linear(p, &(Linear){.x = x, .w = l->w, .y = y, .act = l->act});
        if (l->gamma)
            p->dev->norm(
                p,
                &(Norm){.x = y, .y = y, .gamma = l->gamma, .beta = l->beta, .eps = h->config.eps});
        x = y;
    }
    KType type = h->type == K_BF16 ? p->dev->bf16 : h->type;
    if (x.type == type)
        return x;
    View y = temp_view(p, type, x.rows, x.cols);
    p->dev->mix(p, &(Mix){.x = x, .y = y, .a = 1});
    return y;
}

static void stage_block(Piece *p, void *ctx)
{
    const Run *u = ctx;
    const Head *h = u->h;
    int64_t from = p->lo * u->block, to = p->hi * u->block;
    to = to < u->x.rows ? to : u->x.rows;
    View x = words_in(p, u, view_rows(u->x, from, to));
    View y = temp_view(p, K_F32, TILE, PANEL);
    for (int j = 0; j < h->panels; j++)
        for (int64_t at = 0; at < x.rows; at += TILE) {
            int64_t left = x.rows - at, cols = h->config.vocab - (int64_t)j * PANEL;
            y.rows = left < TILE ? left : TILE;
            y.cols = y.stride = cols < PANEL ? cols : PANEL;
            p->dev->linear(p,
                           &(Linear){.x = view_rows(x, at, at + y.rows), .w = h->panel[j], .y = y});
            p->dev->lse(p, &(Lse){.x = y,
                                  .col0 = (int64_t)j * PANEL,
                                  .begin = j == 0,
                                  .target = u->target + from + at,
                                  .top = u->top + from + at,
                                  .seen = u->seen + from + at,
                                  .sum = u->sum + from + at});
        }
}

/* Rows a piece has: enough that a panel is worth its way from memory, few enough for all threads
 * to have some. */
static int64_t block_rows(const Device *d, int64_t rows)
{
    int64_t n = (rows + d->threads - 1) / d->threads;
    n = (n + TILE - 1) / TILE * TILE;
    return n < BLOCK ? n : BLOCK;
}

static void *carve(char **at, size_t bytes)
{
    void *p = *at;
    *at += (bytes + 63) / 64 * 64;
    return p;
}

/* The numbers on the device, rounded up to whole tiles so that no product has a tail. */
static int put(Run *u, View x, const int32_t *target, void **memory, Err *e)
{
    Device *d = u->h->dev;
    int64_t rows = (x.rows + WHOLE - 1) / WHOLE * WHOLE;
    size_t line = (size_t)x.cols * ktype_size(x.type), n = (size_t)rows;
    size_t bytes = n * (line + 4 * sizeof(float) + sizeof(double)) + 5 * 64;
    char *at = *memory = d->alloc(d, bytes);
    if (!at)
        return err_set(e, "out of memory on %s (%zu bytes asked for)", d->name, bytes);
    u->x = view_of(carve(&at, n * line), x.type, rows, x.cols);
    u->target = carve(&at, n * sizeof *u->target);
    u->top = carve(&at, n * sizeof *u->top);
    u->seen = carve(&at, n * sizeof *u->seen);
    u->sum = carve(&at, n * sizeof *u->sum);
    d->put(d, u->x.p, x.p, (size_t)x.rows * line);
    if (rows > x.rows)
        d->fill(d, (char *)u->x.p + (size_t)x.rows * line, 0, (size_t)(rows - x.rows) * line);
    d->fill(d, u->target, 0xff, n * sizeof *u->target);
    d->put(d, u->target, target, (size_t)x.rows * sizeof *target);
    u->block = block_rows(d, rows);
    return 0;
}

static int get(const Run *u, int64_t rows, double *nll, Err *e)
{
    Device *d = u->h->dev;
    size_t n = (size_t)rows;
    char why[256];
    float *top = mem_array(n, sizeof *top), *seen = mem_array(n, sizeof *seen);
    double *sum = mem_array(n, sizeof *sum);
    d->get(d, top, u->top, n * sizeof *top);
    d->get(d, seen, u->seen, n * sizeof *seen);
    d->get(d, sum, u->sum, n * sizeof *sum);
    int status = d->wait(d, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
    for (size_t i = 0; i < n && status == 0; i++)
        nll[i] = (double)top[i] + log(sum[i]) - (double)seen[i];
    free(top);
    free(seen);
    free(sum);
    return status;
}

int head_nll(Head *h, View x, const int32_t *target, double *nll, Err *e)
{
    Run u = {.h = h};
    void *memory = NULL;
    if (x.rows == 0)
        return 0;
    int status = put(&u, x, target, &memory, e);
    if (status == 0) {
        int64_t pieces = (u.x.rows + u.block - 1) / u.block;
        h->dev->each(h->dev, EACH_COLS, &(Batch){.cols = pieces}, stage_block, &u);
        status = get(&u, x.rows, nll, e);
    }
    h->dev->free(h->dev, memory);
    return status;
}
