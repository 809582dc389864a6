#include "model/transformer/transformer_items.h"
#include "model/transformer/transformer_in.h"

enum { MATRIX_ROWS = 128, NORM_COLS = 64, TABLE_ROWS = 64 };

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

void items_run(Items *l)
{
    Device *dev = l->t->dev;
    if (l->n)
        dev->each(dev, EACH_COLS, &(Batch){.cols = l->n}, stage_items, l);
    l->n = 0;
}

/* An item in panels of so many of its [0, n); whole on a device that has no use for panels. */
static void add_panels(Items *l, Item t, int64_t n, int64_t panel)
{
    if (!l->t->dev->panels)
        panel = n;
    for (int64_t lo = 0; lo < n; lo += panel) {
        if (l->n == ITEMS)
            items_run(l);
        t.lo = lo;
        t.hi = lo + panel < n ? lo + panel : n;
        l->item[l->n++] = t;
    }
}

static bool trains(const Items *l, int param)
{
    return param >= 0 && l->learn->trains[param];
}

/* Of parts of a matrix not all need be wanted. */
static bool any_trains(const Items *l, const Dense *d)
{
    bool any = false;
    for (int i = 0; i < d->parts; i++)
        any = any || trains(l, d->weight + i);
    return any;
}

void items_dense(Items *l, const Dense *d, View dy, View x)
{
    bool by_input = l->t->config.family->by_input && !d->plain;
    int64_t out = dense_out(d);
    if (!any_trains(l, d))
        return;
    Item t = {.kind = ITEM_DENSE, .dy = dy, .x = x};
    if (d->bias >= 0)
        t.db = items_grad(l, d->bias);
    if (!by_input) {
        t.dw = view_of(items_grad(l, d->weight), K_F32, out, d->in);
        add_panels(l, t, out, MATRIX_ROWS);
        return;
    }
    Item b = {.kind = ITEM_BIAS, .dy = dy, .db = t.db};
    t = (Item){.kind = ITEM_DENSE, .dy = x, .x = dy};
    t.dw = view_of(items_grad(l, d->weight), K_F32, d->in, out);
    add_panels(l, t, d->in, MATRIX_ROWS);
    if (b.db)
        add_panels(l, b, out, MATRIX_ROWS);
}

void items_norm(Items *l, const NormPlan *n, View dy, View s, View stats)
{
    if (!trains(l, n->gamma))
        return;
    Item t = {.kind = ITEM_NORM, .dy = dy, .x = s, .stats = stats.p};
    t.dgamma = items_grad(l, n->gamma);
    t.db = n->beta >= 0 ? items_grad(l, n->beta) : NULL;
    add_panels(l, t, dy.cols, NORM_COLS);
}

void items_table(Items *l, const TableUse *use, View dy, View table)
{
    Item t = {.kind = ITEM_TABLE, .dy = dy, .dw = table, .use = use};
    add_panels(l, t, use->rows, TABLE_ROWS);
}

void items_colsum(Items *l, View dy, float *y)
{
    Item t = {.kind = ITEM_COLSUM, .dy = dy, .db = y};
    add_panels(l, t, dy.cols, MATRIX_ROWS);
}
