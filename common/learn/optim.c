#include "learn/optim.h"

#include "base/mem.h"
#include "learn/device_room.h"

#include <math.h>
#include <stdlib.h>

const char *const optim_names[] = {"adamw", "adam", "sgd", NULL};
const char *const schedule_names[] = {"linear", "constant", "cosine", "polynomial", NULL};

enum { CHUNK = 1 << 16 }; /* numbers of an item where the device likes panels */

/* Parameters beside each other that are stepped alike. */
typedef struct Segment {
    int64_t at, n, state; /* of all; of those that are trained, which have moments */
    double decay, scale;  /* of the learning rate */
} Segment;

struct Optim {
    OptimSpec spec;
    Learner *l;
    int64_t t, trained; /* steps; numbers */
    double lr;
    float *m, *v, *factor; /* device memory */
    double *square, *norm;
    Segment *segment; /* without the learner's table */
    int segments;
    Segment *item; /* of this step: segments cut into chunks, and the table's rows */
    int64_t items, room;
};

/* ---- making ---- */

static void *zeroed(Device *dev, int64_t n, size_t size, Err *e)
{
    void *p = device_room(dev, n, size, e);
    if (p)
        dev->fill(dev, p, 0, (size_t)n * size);
    return p;
}

/* The head's rate is the whole one; each layer's is a decay less than that of the one above, and
 * the embeddings' a decay less than the lowest's. */
static double scale_of(const Params *all, const Param *a, double decay)
{
    int layers = 0;
    for (int i = 0; i < all->count; i++)
        layers = all->param[i].layer >= layers ? all->param[i].layer + 1 : layers;
    if (a->part == PART_HEADS || a->part == PART_POOLER || decay == 1)
        return 1;
    return pow(decay, a->layer >= 0 ? layers - a->layer : a->part == PART_LAYERS ? 1 : layers + 1);
}

static void add_segment(Optim *o, Segment s)
{
    Segment *last = o->segments ? &o->segment[o->segments - 1] : NULL;
    if (last && last->at + last->n == s.at && last->decay == s.decay && last->scale == s.scale) {
        last->n += s.n;
        return;
    }
    o->segment = mem_resize(o->segment, (size_t)o->segments + 1, sizeof *o->segment);
    o->segment[o->segments++] = s;
}

/* How many trained numbers lie before a place. */
static int64_t state_at(const Optim *o, int64_t at)
{
    const Params *all = o->l->params;
    int64_t n = 0;
    for (int i = 0; i < all->count; i++)
        if (o->l->trains[i] && all->param[i].at < at)
            n += param_numbers(&all->param[i]);
    return n;
}

static Segment segment_of(const Optim *o, int param)
{
    const Params *all = o->l->params;
    const Param *a = &all->param[param];
    bool decays = a->decays || o->spec.decay_all;
    return (Segment){a->at, param_numbers(a), state_at(o, a->at), decays ? o->spec.decay : 0,
                     scale_of(all, a, o->spec.lr_decay)};
}

static int by_place(const void *a, const void *b)
{
    const Segment *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* A table with rows that were never seen is stepped by rows, unless decay changes all. */
static bool by_rows(const Optim *o)
{
    int table = o->l->table;
    return table >= 0 && o->l->dev->panels && o->l->trains[table] &&
           segment_of(o, table).decay == 0;
}

static void make_segments(Optim *o)
{
    const Params *all = o->l->params;
    Segment *one = mem_array((size_t)all->count, sizeof *one);
    int n = 0;
    for (int i = 0; i < all->count; i++)
        if (o->l->trains[i] && !(i == o->l->table && by_rows(o)))
            one[n++] = segment_of(o, i);
    qsort(one, (size_t)n, sizeof *one, by_place);
    for (int i = 0; i < n; i++)
        add_segment(o, one[i]);
    free(one);
}

static int64_t chunk_of(const Optim *o, int64_t n)
{
    return o->l->dev->panels && n > CHUNK ? CHUNK : n;
}

static void add_item(Optim *o, Segment s)
{
    int64_t chunk = chunk_of(o, s.n);
    for (int64_t at = 0; at < s.n; at += chunk) {
        if (o->items == o->room) {
            o->room = o->room ? 2 * o->room : 256;
            o->item = mem_resize(o->item, (size_t)o->room, sizeof *o->item);
        }
        Segment part = s;
        part.at += at;
        part.state += at;
        part.n = s.n - at < chunk ? s.n - at : chunk;
        o->item[o->items++] = part;
    }
}

/* Runs of rows that have been seen, which have moments and gradients. */
static void add_table(Optim *o)
{
    Segment whole = segment_of(o, o->l->table);
    const Param *a = &o->l->params->param[o->l->table];
    for (int64_t row = 0, from; row < a->rows; row++) {
        if (!o->l->seen[row])
            continue;
        for (from = row; row < a->rows && o->l->seen[row]; row++)
            ;
        Segment run = whole;
        run.at += from * a->cols;
        run.state += from * a->cols;
        run.n = (row - from) * a->cols;
        add_item(o, run);
    }
}

static void make_items(Optim *o)
{
    o->items = 0;
    for (int i = 0; i < o->segments; i++)
        add_item(o, o->segment[i]);
    if (by_rows(o))
        add_table(o);
}

Optim *optim_new(Learner *l, const OptimSpec *spec, Err *e)
{
    Optim *o = mem_zero(1, sizeof *o);
    Device *dev = l->dev;
    bool v = spec->kind != STEP_SGD, m = v || spec->momentum != 0;
    int64_t n = l->params->numbers;
    *o = (Optim){.spec = *spec, .l = l};
    make_segments(o);
    /* As many items as there can be: each segment's chunks, and each other row of the table. */
    int64_t most = n / CHUNK + 2 * (int64_t)o->segments + 2;
    if (by_rows(o))
        most += l->params->param[l->table].rows / 2 + n / CHUNK + 1;
    o->factor = zeroed(dev, 1, sizeof *o->factor, e);
    o->norm = zeroed(dev, 1, sizeof *o->norm, e);
    o->square = zeroed(dev, most, sizeof *o->square, e);
    o->trained = state_at(o, n);
    o->m = m ? zeroed(dev, o->trained, sizeof *o->m, e) : NULL;
    o->v = v ? zeroed(dev, o->trained, sizeof *o->v, e) : NULL;
    if (o->factor && o->norm && o->square && (o->m || !m) && (o->v || !v))
        return o;
    optim_free(o);
    return NULL;
}

void optim_free(Optim *o)
{
    if (!o)
        return;
    Device *dev = o->l->dev;
    void *all[] = {o->m, o->v, o->factor, o->square, o->norm};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        dev->free(dev, all[i]);
    free(o->segment);
    free(o->item);
    free(o);
}

/* ---- a step ---- */

static void stage_norm(Piece *p, void *ctx)
{
    const Optim *o = ctx;
    for (int64_t i = p->lo; i < p->hi; i++)
        p->dev->sqnorm(
            p, &(Sqnorm){.x = o->l->grad + o->item[i].at, .n = o->item[i].n, .out = o->square + i});
}

static void stage_clip(Piece *p, void *ctx)
{
    const Optim *o = ctx;
    p->dev->clip(p, &(Clip){.square = o->square,
                            .n = o->items,
                            .most = o->spec.clip,
                            .factor = o->factor,
                            .norm = o->norm});
}

static void stage_step(Piece *p, void *ctx)
{
    const Optim *o = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        const Segment *s = &o->item[i];
        p->dev->step(p, &(Step){.kind = o->spec.kind,
                                .p = o->l->param + s->at,
                                .m = o->m ? o->m + s->state : NULL,
                                .v = o->v ? o->v + s->state : NULL,
                                .g = o->l->grad + s->at,
                                .n = s->n,
                                .lr = o->lr * s->scale,
                                .decay = s->decay,
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .eps = 1e-8,
                                .momentum = o->spec.momentum,
                                .t = o->t,
                                .clip = o->factor});
    }
}

void optim_step(Optim *o, double lr, double *norm)
{
    Device *dev = o->l->dev;
    make_items(o);
    Batch all = {.cols = o->items}, one = {.cols = 1};
    dev->each(dev, EACH_COLS, &all, stage_norm, o);
    dev->each(dev, EACH_COLS, &one, stage_clip, o);
    dev->get(dev, norm, o->norm, sizeof *norm);
    o->t++;
    o->lr = lr;
    dev->each(dev, EACH_COLS, &all, stage_step, o);
}

int64_t optim_taken(const Optim *o)
{
    return o->t;
}

void optim_set_taken(Optim *o, int64_t t)
{
    o->t = t;
}

int optim_state(const Optim *o, float *piece[2], int64_t *numbers)
{
    int n = 0;
    *numbers = o->trained;
    if (o->m)
        piece[n++] = o->m;
    if (o->v)
        piece[n++] = o->v;
    return n;
}

double lr_at(Schedule s, double lr, int64_t warmup, int64_t done, int64_t total)
{
    const double end = 1e-7;
    if (done < warmup)
        return lr * (double)done / (double)warmup;
    int64_t span = total - warmup > 1 ? total - warmup : 1;
    double t = fmin((double)(done - warmup) / (double)span, 1);
    switch (s) {
    case LR_LINEAR: return lr * (1 - t);
    case LR_CONSTANT: return lr;
    case LR_COSINE: return lr * (1 + cos(M_PI * t)) / 2;
    case LR_POLYNOMIAL: return lr > end ? end + (lr - end) * (1 - t) : lr;
    }
    return lr;
}
