/* back_params.c - gradients of parameters: each is cut into panels that are independent of each
 * other, and the panels of a whole layer are dealt out together. Tokens are added in fixed blocks,
 * in order, so that no number depends on who computes it. */
#include "model/transformer/back.h"

enum { ITEMS = 1024, MATRIX_ROWS = 128, NORM_COLS = 64, TABLE_ROWS = 64 };

typedef struct Item {
    enum { ITEM_DENSE, ITEM_BIAS, ITEM_NORM, ITEM_TABLE, ITEM_COLSUM } kind;
    int64_t lo, hi;
    View dy, x; /* of ITEM_NORM: x is the sum */
    View dw;    /* of ITEM_TABLE: the table's gradient */
    float *db;  /* ITEM_NORM: dbeta */
    float *dgamma;
    const float *stats;
    const TableUse *use;
    float scale;
} Item;

typedef struct Items {
    Item item[ITEMS];
    int n;
    bool add;
    Run *u;
} Items;

static void stage_items(Piece *p, void *ctx)
{
    const Items *l = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        const Item *t = &l->item[i];
        switch (t->kind) {
        case ITEM_DENSE:
            p->dev->linear_dw(p, &(LinearDw){.dy = t->dy,
                                             .x = t->x,
                                             .dw = t->dw,
                                             .db = t->db,
                                             .lo = t->lo,
                                             .hi = t->hi,
                                             .add = l->add});
            break;
        case ITEM_COLSUM:
        case ITEM_BIAS:
            p->dev->colsum(p, &(Colsum){.x = t->dy,
                                        .y = t->db,
                                        .lo = t->lo,
                                        .hi = t->hi,
                                        .add = t->kind == ITEM_COLSUM || l->add});
            break;
        case ITEM_NORM:
            p->dev->norm_dw(p, &(NormDw){.dy = t->dy,
                                         .s = t->x,
                                         .stats = t->stats,
                                         .dgamma = t->dgamma,
                                         .dbeta = t->db,
                                         .lo = t->lo,
                                         .hi = t->hi,
                                         .add = l->add});
            break;
        case ITEM_TABLE:
            p->dev->gather(p, &(Gather){.x = t->dy,
                                        .y = t->dw,
                                        .starts = t->use->starts + t->lo,
                                        .index = t->use->token,
                                        .out = t->use->out + t->lo,
                                        .weight = t->use->weight ? t->use->weight + t->lo : NULL,
                                        .rows = t->hi - t->lo,
                                        .add = true});
            break;
        }
    }
}

static void run_items(Items *l)
{
    Device *dev = l->u->t->dev;
    if (l->n)
        dev->each(dev, EACH_COLS, &(Batch){.cols = l->n}, stage_items, l);
    l->n = 0;
}

/* An item in panels of so many of its [0, n); whole on a device that has no use for panels. */
static void add_panels(Items *l, Item t, int64_t n, int64_t panel)
{
    if (!l->u->t->dev->panels)
        panel = n;
    for (int64_t lo = 0; lo < n; lo += panel) {
        if (l->n == ITEMS)
            run_items(l);
        t.lo = lo;
        t.hi = lo + panel < n ? lo + panel : n;
        l->item[l->n++] = t;
    }
}

static void add_dense(Items *l, const Dense *d, View dy, View x)
{
    const Run *u = l->u;
    bool by_input = u->t->config.family->by_input;
    int64_t out = dense_out(d);
    if (!back_trains(u, d->weight))
        return;
    Item t = {.kind = ITEM_DENSE, .dy = dy, .x = x};
    if (d->bias >= 0)
        t.db = back_grad(u, d->bias);
    if (!by_input) {
        t.dw = view_of(back_grad(u, d->weight), K_F32, out, d->in);
        add_panels(l, t, out, MATRIX_ROWS);
        return;
    }
    Item b = {.kind = ITEM_BIAS, .dy = dy, .db = t.db};
    t = (Item){.kind = ITEM_DENSE, .dy = x, .x = dy};
    t.dw = view_of(back_grad(u, d->weight), K_F32, d->in, out);
    add_panels(l, t, d->in, MATRIX_ROWS);
    if (b.db)
        add_panels(l, b, out, MATRIX_ROWS);
}

static void add_norm(Items *l, const NormPlan *n, View dy, View s, View stats)
{
    const Run *u = l->u;
    if (n && back_trains(u, n->gamma))
        add_panels(l,
                   (Item){.kind = ITEM_NORM,
                          .dy = dy,
                          .x = s,
                          .stats = stats.p,
                          .dgamma = back_grad(u, n->gamma),
                          .db = n->beta >= 0 ? back_grad(u, n->beta) : NULL},
                   dy.cols, NORM_COLS);
}

static View place(const Run *u, Slot s, int64_t at)
{
    return tape_place(&u->t->tape, (int)(u->half - u->t->plan.half), s, at);
}

/* The norm that made a point's state. */
static void add_point(Items *l, const NormPlan *n, int64_t point)
{
    const Run *u = l->u;
    bool before = u->t->config.family->norms == NORMS_BEFORE;
    add_norm(l, n, back_at(u, BACK_STATE, point), place(u, before ? SLOT_X : SLOT_SUM, point),
             place(u, SLOT_STATS, point));
}

/* dbias summed over the batch's rows: the gradient by distance of all layers adds up. */
static void add_distance(Items *l)
{
    const Back *b = l->u->t->back;
    const Config *c = &l->u->t->config;
    int64_t one = c->heads * (2 * c->distance + 1);
    if (b->dbias)
        add_panels(l,
                   (Item){.kind = ITEM_COLSUM,
                          .dy = view_of(b->dbias, K_F32, l->u->batch.rows, one),
                          .db = b->ddistance},
                   one, one);
}

void back_layer_params(Run *u)
{
    const HalfPlan *h = u->half;
    const LayerPlan *y = plan_layer(h, u->layer);
    bool before = u->t->config.family->norms == NORMS_BEFORE, cross = y->cross_out.id >= 0;
    int64_t at = u->layer - h->first, p0 = point_of(u, u->layer), end = point_of(u, u->layer + 1);
    Slot in = u->t->in;
    Items l = {.u = u, .add = u->learn->add || (h->owned == 1 && u->layer != h->end - 1)};

    add_dense(&l, &y->down, back_at(u, BACK_OUT, end), back_at(u, BACK_WIDE, 0));
    add_dense(&l, &y->up, back_at(u, BACK_PRE, 0), place(u, in, end - 1));
    if (cross) {
        add_dense(&l, &y->cross_out, back_at(u, BACK_OUT, end - 1), place(u, SLOT_CROSS_SEEN, at));
        add_dense(&l, &y->cross_query, place(u, SLOT_CROSS_QUERY, at), place(u, in, p0 + 1));
        add_dense(&l, &y->cross_pair, place(u, SLOT_CROSS_PAIR, at), run_memory(u));
    }
    add_dense(&l, &y->out, back_at(u, BACK_OUT, p0 + 1), place(u, SLOT_SEEN, at));
    add_dense(&l, &y->qkv, place(u, SLOT_QKV, at), place(u, in, p0));
    add_point(&l, &y->attend, before ? p0 : p0 + 1);
    if (cross)
        add_point(&l, &y->cross, before ? p0 + 1 : p0 + 2);
    add_point(&l, &y->feed, before ? end - 1 : end);
    add_distance(&l);
    run_items(&l);
}

void back_last_params(Run *u)
{
    Items l = {.u = u, .add = u->learn->add};
    if (u->half->last.gamma >= 0)
        add_point(&l, &u->half->last, point_of(u, u->half->end));
    run_items(&l);
}

/* The gradient by distance to that of the table it was spread from. */
void back_distance_params(Run *u)
{
    const Transformer *m = u->t;
    Items l = {.u = u};
    if (m->back->ddistance)
        add_panels(&l,
                   (Item){.kind = ITEM_TABLE,
                          .dy = view_of(m->back->ddistance, K_F32,
                                        m->config.heads * (2 * m->config.distance + 1), 1),
                          .dw = view_of(back_grad(u, m->plan.distance), K_F32,
                                        m->config.buckets * m->config.heads, 1),
                          .use = &m->buckets},
                   m->buckets.rows, m->buckets.rows);
    run_items(&l);
}

void back_embed_params(Run *u)
{
    const HalfPlan *h = u->half;
    const Transformer *m = u->t;
    int half = (int)(h - m->plan.half);
    Items l = {.u = u, .add = u->learn->add};
    if (h->project.id >= 0)
        add_dense(&l, &h->project, back_at(u, BACK_OUT, 0), place(u, SLOT_EMBED_IN, 0));
    add_norm(&l, &h->embed, back_embeds(u), place(u, SLOT_EMBED_SUM, 0),
             place(u, SLOT_EMBED_STATS, 0));
    for (int i = 0; i < TABLES; i++) {
        const TableUse *t = &m->back->table[half][i];
        if (t->param < 0)
            continue;
        const Param *a = &m->plan.params.param[t->param];
        add_panels(&l,
                   (Item){.kind = ITEM_TABLE,
                          .dy = back_at(u, BACK_EMBED, 0),
                          .dw = view_of(back_grad(u, t->param), K_F32, a->rows, a->cols),
                          .use = t},
                   t->rows, TABLE_ROWS);
    }
    run_items(&l);
}
