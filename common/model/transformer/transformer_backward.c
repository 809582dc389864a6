/* transformer_backward.c - the layers' way back: the stages of transformer_layers.c from last to
 * first. Each writes the gradients that the stage before it in the layer asks for; those of the
 * parameters follow a layer at a time (transformer_params.c), when all that makes them is there.
 *
 * With norms behind the residual the state of a point is what everybody reads: of its gradient the
 * norm makes that of the sum. With norms before, products alone read the state, and the sum has the
 * gradient of the next sum beside. */
#include "model/transformer/transformer_back.h"
#include "model/transformer/transformer_in.h"

static bool norms_before(const Run *u)
{
    return u->t->config.family->norms == NORMS_BEFORE;
}

static View tile(const Piece *p, View v)
{
    return view_rows(v, p->lo, p->hi);
}

static void drop(Piece *p, const Run *u, View x, View y, float rate, uint32_t site)
{
    Mix m = {.x = x, .y = y, .a = 1};
    if (u->drops && rate > 0) {
        m.drop = rate;
        m.seed = u->drops->seed;
        m.site = site;
        m.rows = u->drops->numbers + p->lo;
    }
    if (m.drop > 0 || x.p != y.p)
        p->dev->mix(p, &m);
}

static void divide(Piece *p, const Run *u, View dy, const Dense *d, View r, View dx)
{
    p->dev->linear_dx(p, &(LinearDx){.dy = dy, .w = u->t->weight[d->id], .r = r, .dx = dx});
}

/* Of the sum that follows a point. Behind the last layer's attention there are those that are read,
 * and before it all. */
static View next_sum(const Piece *p, const Run *u, int64_t point)
{
    bool before = picks_here(u) && point == point_of(u, u->layer);
    return back_tile(p, u, before ? BACK_ALL_SUM : BACK_SUM, point + 1);
}

/* From the gradient of a point's state to that of its sum. */
static void through_norm(Piece *p, const Run *u, const NormPlan *n, int64_t point)
{
    bool before = norms_before(u);
    View s = slot_tile(p, u, before ? SLOT_X : SLOT_SUM, point);
    View stats = slot_tile(p, u, SLOT_STATS, point);
    bool summed = before && point < point_of(u, u->half->end);
    if (before && n->gamma < 0) { /* the state is the sum */
        p->dev->mix(p, &(Mix){.x = back_tile(p, u, BACK_STATE, point),
                              .r = next_sum(p, u, point),
                              .y = back_tile(p, u, BACK_SUM, point),
                              .a = 1,
                              .b = 1});
        return;
    }
    p->dev->norm_bwd(p, &(NormBwd){.dy = back_tile(p, u, BACK_STATE, point),
                                   .s = s,
                                   .r = summed ? next_sum(p, u, point) : (View){0},
                                   .dx = back_tile(p, u, BACK_SUM, point),
                                   .stats = stats.p,
                                   .gamma = run_value(u, n->gamma),
                                   .rms = u->t->config.family->rms});
}

/* The gradient of a point's state is what the products that read it say, and with norms behind
 * that of the next sum. */
static View beside(const Piece *p, const Run *u, int64_t point)
{
    View none = {0};
    return norms_before(u) ? none : next_sum(p, u, point);
}

/* A matrix' part in the sum of a point: from that sum to what the matrix read. */
static void through_out(Piece *p, const Run *u, int64_t point, const Dense *d, float rate, int site,
                        View dx)
{
    View out = back_tile(p, u, BACK_OUT, point);
    drop(p, u, back_tile(p, u, BACK_SUM, point), out, rate, site_of(u->layer, site));
    divide(p, u, out, d, (View){0}, dx);
}

static void through_attend_out(Piece *p, const Run *u, int64_t point, const Dense *d, int site)
{
    View seen = back_tile(p, u, BACK_SEEN, 0);
    if (seen.type == K_F32) {
        through_out(p, u, point, d, u->t->config.drop.out, site, seen);
        return;
    }
    View t = temp_view(p, K_F32, seen.rows, seen.cols);
    through_out(p, u, point, d, u->t->config.drop.out, site, t);
    p->dev->mix(p, &(Mix){.x = t, .y = seen, .a = 1});
}

/* From what follows the activation to what goes into it; what it gave is made again. */
static void through_act(Piece *p, const Run *u, View dwide)
{
    const Config *c = &u->t->config;
    View pre = slot_tile(p, u, SLOT_PRE, u->layer - u->half->first);
    View dpre = back_tile(p, u, BACK_PRE, 0), wide = back_tile(p, u, BACK_WIDE, 0);
    View x = view_cols(pre, 0, c->inner), gate = {0};
    uint32_t site = site_of(u->layer, SITE_INNER);
    if (c->gated)
        gate = view_cols(pre, c->inner, 2 * c->inner);
    drop(p, u, dwide, dwide, c->drop.inner, site);
    p->dev->act_bwd(
        p,
        &(ActivateBwd){
            .x = x, .dy = dwide, .gate = gate, .dx = view_cols(dpre, 0, c->inner), .act = c->act});
    if (c->gated)
        p->dev->act(p, &(Activate){.x = x,
                                   .gate = dwide,
                                   .y = view_cols(dpre, c->inner, 2 * c->inner),
                                   .act = c->act});
    p->dev->act(p, &(Activate){.x = x, .gate = gate, .y = wide, .act = c->act});
    drop(p, u, wide, wide, c->drop.inner, site);
}

/* From the layer's last point to the gradient of what its last attention gave. */
static void stage_feed_back(Piece *p, void *ctx)
{
    Run *u = ctx;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    const Config *c = &u->t->config;
    bool crosses = y->cross_out.id >= 0;
    int64_t end = point_of(u, u->layer + 1), mid = end - 1;
    View dwide = temp_view(p, K_F32, p->hi - p->lo, c->inner);
    if (!norms_before(u))
        through_norm(p, u, &y->feed, end);
    through_out(p, u, end, &y->down, c->drop.feed, SITE_FEED, dwide);
    through_act(p, u, dwide);
    divide(p, u, back_tile(p, u, BACK_PRE, 0), &y->up, beside(p, u, mid),
           back_tile(p, u, BACK_STATE, mid));
    through_norm(p, u, norms_before(u) ? &y->feed : crosses ? &y->cross : &y->attend, mid);
    through_attend_out(p, u, mid, crosses ? &y->cross_out : &y->out,
                       crosses ? SITE_CROSS_OUT : SITE_OUT);
}

/* Tokens that nobody reads have no gradient behind the last attention. */
static void stage_all_back(Piece *p, void *ctx)
{
    const Run *u = ctx;
    Gather g = {.out = u->picked + p->lo, .rows = p->hi - p->lo};
    g.x = back_tile(p, u, BACK_SEEN, 0);
    g.y = back_at(u, BACK_ALL_SEEN, 0);
    p->dev->gather(p, &g);
    g.x = back_tile(p, u, BACK_SUM, point_of(u, u->layer) + 1);
    g.y = back_at(u, BACK_ALL_SUM, 0);
    p->dev->gather(p, &g);
}

/* Gradients of queries, keys and values take their places. */
static void stage_attend_back(Piece *p, void *ctx)
{
    const Run *u = ctx;
    Attend a = self_attention(u);
    p->dev->attend_bwd(p,
                       &(AttendBwd){.of = a,
                                    .dy = back_at(u, picks_here(u) ? BACK_ALL_SEEN : BACK_SEEN, 0),
                                    .dq = a.q,
                                    .dk = a.k,
                                    .dv = a.v,
                                    .dbias = u->t->back->dbias});
}

static void stage_attend_cross_back(Piece *p, void *ctx)
{
    const Run *u = ctx;
    Attend a = cross_attention(u);
    p->dev->attend_bwd(
        p, &(AttendBwd){.of = a, .dy = back_at(u, BACK_SEEN, 0), .dq = a.q, .dk = a.k, .dv = a.v});
}

/* From the gradients of cross attention's queries, keys and values to that of what the layer's own
 * attention gave. */
static void stage_cross_back(Piece *p, void *ctx)
{
    Run *u = ctx;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    int64_t at = u->layer - u->half->first, first = point_of(u, u->layer) + 1;
    View memory = back_tile(p, u, BACK_MEMORY, 0);
    divide(p, u, slot_tile(p, u, SLOT_CROSS_QUERY, at), &y->cross_query, beside(p, u, first),
           back_tile(p, u, BACK_STATE, first));
    divide(p, u, slot_tile(p, u, SLOT_CROSS_PAIR, at), &y->cross_pair, memory, memory);
    through_norm(p, u, norms_before(u) ? &y->cross : &y->attend, first);
    through_attend_out(p, u, first, &y->out, SITE_OUT);
}

static void turn_back(Piece *p, const Run *u)
{
    const Config *c = &u->t->config;
    int64_t at = u->layer - u->half->first;
    p->dev->rotate_bwd(p, &(RotateBwd){.dy = slot_tile(p, u, SLOT_TURNED, at),
                                       .dx = slot_tile(p, u, SLOT_QKV, at),
                                       .heads = (int)c->heads,
                                       .kv = (int)c->kv_heads,
                                       .size = (int)c->size,
                                       .turned = (int)c->turned,
                                       .turns = turns_of(&u->t->turns, c, u->layer),
                                       .place = u->position + p->lo});
}

/* To the layer's first point. */
static void stage_queries_back(Piece *p, void *ctx)
{
    Run *u = ctx;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    int64_t point = point_of(u, u->layer);
    if (u->t->config.turned)
        turn_back(p, u);
    divide(p, u, slot_tile(p, u, SLOT_QKV, u->layer - u->half->first), &y->qkv, beside(p, u, point),
           back_tile(p, u, BACK_STATE, point));
    if (norms_before(u))
        through_norm(p, u, &y->attend, point);
}

/* ---- the ends ---- */

static void stage_last_back(Piece *p, void *ctx)
{
    Run *u = ctx;
    int64_t point = point_of(u, u->half->end);
    View state = back_tile(p, u, BACK_STATE, point);
    drop(p, u, state, state, u->t->config.drop.last, site_end(u, SITE_LAST));
    if (norms_before(u))
        through_norm(p, u, &u->half->last, point);
}

/* To the sum of the tables' rows. */
static void stage_embed_back(Piece *p, void *ctx)
{
    Run *u = ctx;
    const HalfPlan *h = u->half;
    View x = tile(p, back_embeds(u)), sum = back_tile(p, u, BACK_EMBED, 0);
    if (h->project.id >= 0) {
        View out = back_tile(p, u, BACK_OUT, 0); /* as the product and its gradient read it */
        View from = back_tile(p, u, norms_before(u) ? BACK_SUM : BACK_STATE, 0);
        p->dev->mix(p, &(Mix){.x = from, .y = out, .a = 1});
        divide(p, u, out, &h->project, (View){0}, x);
    }
    drop(p, u, x, x, u->t->config.drop.embed, site_end(u, SITE_EMBED));
    if (h->embed.gamma >= 0) {
        View stats = slot_tile(p, u, SLOT_EMBED_STATS, 0);
        p->dev->norm_bwd(p, &(NormBwd){.dy = x,
                                       .s = slot_tile(p, u, SLOT_EMBED_SUM, 0),
                                       .dx = sum,
                                       .stats = stats.p,
                                       .gamma = run_value(u, h->embed.gamma)});
    } else {
        p->dev->mix(p, &(Mix){.x = x, .y = sum, .a = 1});
    }
}

/* ---- the lists ---- */

enum {
    POINTS = IN_SLOT(SLOT_X) | IN_SLOT(SLOT_SUM) | IN_SLOT(SLOT_STATS),
    QKV = IN_SLOT(SLOT_QKV) | IN_SLOT(SLOT_TURNED),
    SEEN = IN_SLOT(SLOT_SEEN) | IN_SLOT(SLOT_LSE),
    CROSS = IN_SLOT(SLOT_CROSS_QUERY) | IN_SLOT(SLOT_CROSS_PAIR),
    CROSS_SEEN = IN_SLOT(SLOT_CROSS_SEEN) | IN_SLOT(SLOT_CROSS_LSE),
    PRE = IN_SLOT(SLOT_PRE)
};

static const Stage last = {EACH_ROWS, stage_last_back, POINTS, 0};
static const Stage embed = {EACH_ROWS, stage_embed_back,
                            IN_SLOT(SLOT_EMBED_SUM) | IN_SLOT(SLOT_EMBED_STATS), 0};
static const Stage feed = {EACH_ROWS, stage_feed_back, POINTS | PRE, 0};
static const Stage attend_cross = {EACH_SEQS, stage_attend_cross_back, CROSS | CROSS_SEEN, CROSS};
static const Stage cross = {EACH_ROWS, stage_cross_back, POINTS | CROSS, 0};
static const Stage attend = {EACH_SEQS, stage_attend_back, QKV | SEEN, QKV};
static const Stage queries = {EACH_ROWS, stage_queries_back, POINTS | QKV, 0};

static const Stage all_back = {EACH_ROWS, stage_all_back, 0, 0};

static void clear(const Run *u, BackSlot s)
{
    View v = back_at(u, s, 0);
    u->t->dev->fill(u->t->dev, v.p, 0, (size_t)(v.rows * v.cols) * ktype_size(v.type));
}

/* The last layer's, of the tokens that are read, and from there to all. */
static void feed_back_picked(Run *u)
{
    run_picked(u, &feed);
    clear(u, BACK_ALL_SEEN);
    clear(u, BACK_ALL_SUM);
    run_picked(u, &all_back);
}

static void stage_memory(Piece *p, void *ctx)
{
    const Run *u = ctx;
    p->dev->mix(p, &(Mix){.x = back_tile(p, u, BACK_MEMORY, 0),
                          .y = back_tile(p, u, BACK_STATE, point_of(u, u->half->end)),
                          .a = 1});
}

void back_from_memory(Run *u)
{
    run_stage(u, &(Stage){EACH_ROWS, stage_memory, 0, 0});
}

/* Does anything below this layer learn? */
static bool learns_below(const Run *u, int64_t layer)
{
    return layer > u->learn->first || u->learn->embeds;
}

void transformer_half_back(Run *u)
{
    const HalfPlan *h = u->half;
    int64_t end = u->learn->first > h->first && !u->learn->embeds ? u->learn->first : h->first;
    u->drops =
        u->t->drops.numbers ? &u->t->drops : NULL; /* it is what learns that is gone through */
    u->layer = h->end;
    if (u->picked)
        run_picked(u, &last);
    else
        run_stage(u, &last);
    back_last_params(u);
    for (u->layer = h->end - 1; u->layer >= end; u->layer--) {
        if (u->t->again && u->layer < h->end - 1) /* the last one's is there still */
            transformer_again(u);
        if (picks_here(u))
            feed_back_picked(u);
        else
            run_stage(u, &feed);
        if (plan_layer(h, u->layer)->cross_out.id >= 0) {
            run_stage(u, &attend_cross);
            run_stage(u, &cross);
        }
        run_stage(u, &attend);
        if (learns_below(u, u->layer) || norms_before(u) || u->t->config.turned)
            run_stage(u, &queries);
        back_layer_params(u);
    }
    if (h == u->t->plan.half)
        back_distance_params(u);
    if (u->learn->embeds) {
        u->layer = h->first;
        run_stage(u, &embed);
        back_embed_params(u);
    }
}
