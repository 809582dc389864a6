/* transformer_params.c - the gradients of a transformer's parameters. */
#include "model/transformer/transformer_back.h"
#include "model/transformer/transformer_in.h"
#include "model/transformer/transformer_items.h"

static View place(const Run *u, Slot s, int64_t at)
{
    return tape_place(&u->t->tape, (int)(u->half - u->t->plan.half), s, at);
}

/* A point's rows, or what belongs to one: behind the last attention those that are read. */
static View rows_of(const Run *u, View v, int64_t point)
{
    bool picked = u->picked && point > point_of(u, u->half->end - 1);
    return picked ? view_rows(v, 0, u->picks) : v;
}

/* The norm that made a point's state. */
static void add_point(Items *l, const Run *u, const NormPlan *n, int64_t point)
{
    bool before = u->t->config.family->norms == NORMS_BEFORE;
    items_norm(l, n, rows_of(u, back_at(u, BACK_STATE, point), point),
               rows_of(u, place(u, before ? SLOT_X : SLOT_SUM, point), point),
               place(u, SLOT_STATS, point));
}

static void add_dense(Items *l, const Run *u, const Dense *d, View dy, View x, int64_t point)
{
    items_dense(l, d, rows_of(u, dy, point), rows_of(u, x, point));
}

/* dbias summed over the batch's rows: the gradient by distance of all layers adds up. */
static void add_distance(Items *l, const Run *u)
{
    const Back *b = u->t->back;
    const Config *c = &u->t->config;
    int64_t one = c->heads * (2 * c->distance + 1);
    if (b->dbias)
        items_colsum(l, view_of(b->dbias, K_F32, u->batch.rows, one), b->ddistance);
}

static Items items_of(const Run *u)
{
    return (Items){.t = u->t, .learn = u->learn, .add = u->learn->add};
}

void back_layer_params(Run *u)
{
    const HalfPlan *h = u->half;
    const LayerPlan *y = plan_layer(h, u->layer);
    bool before = u->t->config.family->norms == NORMS_BEFORE, cross = y->cross_out.id >= 0;
    int64_t at = u->layer - h->first, p0 = point_of(u, u->layer), end = point_of(u, u->layer + 1);
    Slot in = u->t->in;
    Items l = items_of(u);
    l.add |= h->owned == 1 && u->layer != h->end - 1; /* one layer for all */

    add_dense(&l, u, &y->down, back_at(u, BACK_OUT, end), back_at(u, BACK_WIDE, 0), end);
    add_dense(&l, u, &y->up, back_at(u, BACK_PRE, 0), place(u, in, end - 1), end - 1);
    if (cross) {
        items_dense(&l, &y->cross_out, back_at(u, BACK_OUT, end - 1),
                    place(u, SLOT_CROSS_SEEN, at));
        items_dense(&l, &y->cross_query, place(u, SLOT_CROSS_QUERY, at), place(u, in, p0 + 1));
        items_dense(&l, &y->cross_pair, place(u, SLOT_CROSS_PAIR, at), run_memory(u));
    }
    add_dense(&l, u, &y->out, back_at(u, BACK_OUT, p0 + 1),
              picks_here(u) ? place(u, SLOT_PICKED_SEEN, 0) : place(u, SLOT_SEEN, at), p0 + 1);
    items_dense(&l, &y->qkv, place(u, SLOT_QKV, at), place(u, in, p0));
    add_point(&l, u, &y->attend, before ? p0 : p0 + 1);
    if (cross)
        add_point(&l, u, &y->cross, before ? p0 + 1 : p0 + 2);
    add_point(&l, u, &y->feed, before ? end - 1 : end);
    add_distance(&l, u);
    items_run(&l);
}

void back_last_params(Run *u)
{
    Items l = items_of(u);
    if (u->half->last.gamma >= 0)
        add_point(&l, u, &u->half->last, point_of(u, u->half->end));
    items_run(&l);
}

/* The gradient by distance to that of the table it was spread from. */
void back_distance_params(Run *u)
{
    const Transformer *m = u->t;
    const Config *c = &m->config;
    Items l = items_of(u);
    if (m->back->ddistance)
        items_table(&l, &m->buckets,
                    view_of(m->back->ddistance, K_F32, c->heads * (2 * c->distance + 1), 1),
                    view_of(items_grad(&l, m->plan.distance), K_F32, c->buckets * c->heads, 1));
    items_run(&l);
}

void back_embed_params(Run *u)
{
    const HalfPlan *h = u->half;
    const Transformer *m = u->t;
    int half = (int)(h - m->plan.half);
    Items l = items_of(u);
    if (h->project.id >= 0)
        items_dense(&l, &h->project, back_at(u, BACK_OUT, 0), place(u, SLOT_EMBED_IN, 0));
    items_norm(&l, &h->embed, back_embeds(u), place(u, SLOT_EMBED_SUM, 0),
               place(u, SLOT_EMBED_STATS, 0));
    for (int i = 0; i < TABLES; i++) {
        const TableUse *t = &m->back->table[half][i];
        if (t->param < 0)
            continue;
        const Param *a = &m->plan.params.param[t->param];
        items_table(&l, t, back_at(u, BACK_EMBED, 0),
                    view_of(items_grad(&l, t->param), K_F32, a->rows, a->cols));
    }
    items_run(&l);
}
