/* transformer_layers.c - the layers as a list of stages. Each names the slots that it reads and
 * writes, of the layer at hand (and the next one's queries, keys and values); everything between
 * one attention and the next looks at one token at a time and is one stage, so that a tile of
 * tokens stays in the cache. To learn, the same stages leave more behind: whatever the tape has a
 * slot for. */
#include "model/transformer/transformer_layers.h"
#include "model/transformer/transformer_in.h"

#include <assert.h>

View slot_at(const Run *u, Slot s, int64_t at)
{
    assert((u->stage->reads | u->stage->writes) & IN_SLOT(s));
    return tape_place(&u->t->tape, (int)(u->half - u->t->plan.half), s, at);
}

static View tile(const Piece *p, View v)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

View slot_tile(const Piece *p, const Run *u, Slot s, int64_t at)
{
    return tile(p, slot_at(u, s, at));
}

/* The tile of a point as products read it. */
static View input(const Piece *p, const Run *u, int64_t point)
{
    return slot_tile(p, u, u->t->in, point);
}

static View table(const Run *u, int param)
{
    const Param *t = &u->t->plan.params.param[param];
    return view_of((void *)(uintptr_t)u->t->value[param], K_F32, t->rows, t->cols);
}

static void multiply(Piece *p, const Run *u, View x, const Dense *d, View y)
{
    p->dev->linear(p, &(Linear){.x = x, .w = u->t->weight[d->id], .y = y});
}

/* x = dropout(x) */
static void drop(Piece *p, const Run *u, View x, float rate, uint32_t site)
{
    if (u->drops && rate > 0)
        p->dev->mix(p, &(Mix){.x = x,
                              .y = x,
                              .a = 1,
                              .drop = rate,
                              .seed = u->drops->seed,
                              .site = site,
                              .rows = u->drops->numbers + p->lo});
}

/* ---- residuals and norms ---- */

/* The norm that comes before this layer's attention, or behind the last layer; NULL: hidden
 * states are wanted as they are. */
const NormPlan *norm_before(const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        return &plan_layer(u->half, layer)->attend;
    return u->half->whole ? &u->half->last : NULL;
}

static float *stats_of(const Piece *p, const Run *u, Slot s, int64_t at)
{
    View v = slot_tile(p, u, s, at);
    return v.p;
}

/* What products are to read at a point: x by this norm. */
static void set_norm(const Piece *p, const Run *u, Norm *a, const NormPlan *n, int64_t point)
{
    const Config *c = &u->t->config;
    View x = slot_tile(p, u, SLOT_X, point), normed = slot_tile(p, u, SLOT_NORMED, point);
    View narrow = slot_tile(p, u, SLOT_NARROW, point);
    a->y = c->family->norms == NORMS_AFTER ? x : normed.p ? normed : narrow;
    if (a->y.p != narrow.p)
        a->y2 = narrow;
    a->gamma = run_value(u, n->gamma);
    a->beta = run_value(u, n->beta);
    a->eps = c->eps;
    a->rms = c->family->rms;
    a->stats = stats_of(p, u, SLOT_STATS, point);
}

/* From a point to the next: t, the result of attention or feed-forward, is added to x. `own` is
 * the norm behind it and `next` the one before what follows: families have one of them. */
static void add(Piece *p, const Run *u, int64_t point, View t, const NormPlan *own,
                const NormPlan *next)
{
    bool first = u->t->config.family->norms == NORMS_BEFORE;
    bool picked = picks_here(u) && point == point_of(u, u->layer);
    View x = picked ? slot_tile(p, u, SLOT_PICKED, 0) : slot_tile(p, u, SLOT_X, point);
    View y = slot_tile(p, u, SLOT_X, point + 1);
    Norm a = {.x = t, .r = x};
    if (first && !next) {
        if (u->t->type == K_BF16)
            y = slot_tile(p, u, SLOT_NARROW, point + 1);
        p->dev->mix(p, &(Mix){.x = t, .r = x, .y = y, .a = 1, .b = 1});
        return;
    }
    a.sum = first ? y : slot_tile(p, u, SLOT_SUM, point + 1);
    set_norm(p, u, &a, first ? next : own, point + 1);
    p->dev->norm(p, &a);
}

/* Queries and keys by their tokens' places; and each query has keys and values of its own. */
static void turn(Piece *p, const Run *u, int64_t layer)
{
    const Config *c = &u->t->config;
    const LayerPlan *y = plan_layer(u->half, layer);
    int64_t at = layer - u->half->first;
    p->dev->rotate(p, &(Rotate){.x = slot_tile(p, u, SLOT_QKV, at),
                                .y = slot_tile(p, u, SLOT_TURNED, at),
                                .heads = (int)c->heads,
                                .kv = (int)c->kv_heads,
                                .size = (int)c->size,
                                .turned = (int)c->turned,
                                .turns = turns_of(&u->t->turns, c, layer),
                                .place = u->position + p->lo,
                                .query_gamma = run_value(u, y->query.gamma),
                                .key_gamma = run_value(u, y->key.gamma),
                                .eps = c->eps});
}

static void queries(Piece *p, const Run *u, int64_t layer)
{
    if (layer == u->half->end)
        return;
    multiply(p, u, input(p, u, point_of(u, layer)), &plan_layer(u->half, layer)->qkv,
             slot_tile(p, u, SLOT_QKV, layer - u->half->first));
    if (u->t->config.turned)
        turn(p, u, layer);
}

/* ---- embeddings ---- */

/* y = the sum of the tables' rows. */
static void sum_tables(Piece *p, const Run *u, View y)
{
    const Config *c = &u->t->config;
    View words = y;
    Embed a = {.y = y};
    int n = 0;
    a.table[n] = table(u, u->t->plan.word);
    a.index[n++] = u->id + p->lo;
    if (c->embed_scale != 1) { /* of words alone: they go first, by themselves */
        words = temp_view(p, K_F32, y.rows, y.cols);
        a.y = words;
        p->dev->embed(p, &a);
        a.y = y;
        n = 0;
    }
    if (u->half->position >= 0) {
        a.table[n] = table(u, u->half->position);
        a.index[n++] = u->position + p->lo;
    }
    if (u->half->kind >= 0) {
        a.table[n] = table(u, u->half->kind);
        a.index[n++] = u->kind + p->lo;
    }
    p->dev->embed(p, &a);
    if (c->embed_scale != 1)
        p->dev->mix(p, &(Mix){.x = words, .r = y, .y = y, .a = c->embed_scale, .b = 1});
}

static void embed_norm(Piece *p, const Run *u, View x, View y)
{
    p->dev->norm(p, &(Norm){.x = x,
                            .sum = slot_tile(p, u, SLOT_EMBED_SUM, 0),
                            .y = y,
                            .gamma = run_value(u, u->half->embed.gamma),
                            .beta = run_value(u, u->half->embed.beta),
                            .eps = u->t->config.eps,
                            .stats = stats_of(p, u, SLOT_EMBED_STATS, 0)});
}

/* x = t P' + b, of the embeddings' width to that of the layers. */
static void project(Piece *p, const Run *u, View t)
{
    View in = slot_tile(p, u, SLOT_EMBED_IN, 0);
    if (!in.p)
        in = temp_view(p, u->t->compute, t.rows, t.cols);
    View x = slot_tile(p, u, SLOT_X, 0);
    if (u->t->config.family->raised) {
        p->dev->mix(p, &(Mix){.x = t, .y = in, .a = 1});
        multiply(p, u, in, &u->half->project, x);
        embed_norm(p, u, x, x);
        return;
    }
    if (u->drops && u->t->config.drop.embed > 0) {
        embed_norm(p, u, t, t);
        drop(p, u, t, u->t->config.drop.embed, site_end(u, SITE_EMBED));
        p->dev->mix(p, &(Mix){.x = t, .y = in, .a = 1});
    } else {
        embed_norm(p, u, t, in);
    }
    multiply(p, u, in, &u->half->project, x);
}

/* Embeddings and what is done to them, and the first layer's queries, keys and values. */
static void stage_embed(Piece *p, void *ctx)
{
    Run *u = ctx;
    const HalfPlan *h = u->half;
    bool first = u->t->config.family->norms == NORMS_BEFORE, projects = h->project.id >= 0;
    View x = slot_tile(p, u, SLOT_X, 0), narrow = slot_tile(p, u, SLOT_NARROW, 0);
    View t = projects ? temp_view(p, K_F32, x.rows, u->t->config.embedding) : x;
    const NormPlan *next = norm_before(u, h->first);
    sum_tables(p, u, t);
    if (projects) {
        project(p, u, t);
    } else {
        if (h->embed.gamma >= 0)
            embed_norm(p, u, x, x);
        drop(p, u, x, u->t->config.drop.embed, site_end(u, SITE_EMBED));
    }
    if (first && next && next->gamma < 0) {
        View normed = slot_tile(p, u, SLOT_NORMED, 0);
        if (normed.p)
            p->dev->mix(p, &(Mix){.x = x, .y = normed, .a = 1});
        if (narrow.p)
            p->dev->mix(p, &(Mix){.x = x, .y = narrow, .a = 1});
    } else if (first && next) {
        Norm a = {.x = x};
        set_norm(p, u, &a, next, 0);
        p->dev->norm(p, &a);
    } else if (narrow.p) {
        p->dev->mix(p, &(Mix){.x = x, .y = narrow, .a = 1});
    }
    queries(p, u, h->first);
}

/* ---- a layer ---- */

static void attend_drops(const Run *u, Attend *a, int site)
{
    if (!u->drops)
        return;
    a->drop = u->t->config.drop.attend;
    a->seed = u->drops->seed;
    a->site = site_of(u->layer, site);
    a->numbers = u->drops->numbers;
}

Attend self_attention(const Run *u)
{
    const Config *c = &u->t->config;
    int64_t at = u->layer - u->half->first;
    View qkv = slot_at(u, c->turned ? SLOT_TURNED : SLOT_QKV, at), lse = slot_at(u, SLOT_LSE, at);
    int64_t wide = c->heads * c->size, narrow = c->turned ? wide : c->kv_heads * c->size;
    bool near = u->far && config_near(c, u->layer);
    Attend a = {.q = view_cols(qkv, 0, wide),
                .k = view_cols(qkv, wide, wide + narrow),
                .v = view_cols(qkv, wide + narrow, wide + 2 * narrow),
                .y = slot_at(u, SLOT_SEEN, at),
                .batch = &u->batch,
                .size = (int)c->size,
                .scale = config_attend_scale(c, u->layer),
                .causal = u->half->causal,
                .bias = near ? u->t->near : u->t->distance,
                .reach = near ? c->window + 1 : c->distance,
                .far = u->t->far ? &u->t->far[u->layer] : NULL,
                .lse = lse.p};
    attend_drops(u, &a, SITE_ATTEND);
    return a;
}

Attend cross_attention(const Run *u)
{
    const Config *c = &u->t->config;
    int64_t at = u->layer - u->half->first;
    View pair = slot_at(u, SLOT_CROSS_PAIR, at), lse = slot_at(u, SLOT_CROSS_LSE, at);
    Attend a = {.q = slot_at(u, SLOT_CROSS_QUERY, at),
                .k = view_cols(pair, 0, pair.cols / 2),
                .v = view_cols(pair, pair.cols / 2, pair.cols),
                .y = slot_at(u, SLOT_CROSS_SEEN, at),
                .batch = &u->batch,
                .size = (int)c->size,
                .scale = c->scale,
                .lse = lse.p};
    attend_drops(u, &a, SITE_CROSS);
    return a;
}

static void stage_attend(Piece *p, void *ctx)
{
    const Run *u = ctx;
    Attend a = self_attention(u);
    a.probs = u->probs;
    a.probs_at = u->probs_at;
    p->dev->attend(p, &a);
}

static void stage_attend_cross(Piece *p, void *ctx)
{
    Attend a = cross_attention(ctx);
    p->dev->attend(p, &a);
}

/* The decoder's queries and the encoder's keys and values. A row has as many tokens here as
 * there. */
static void stage_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    int64_t at = u->layer - u->half->first, point = point_of(u, u->layer);
    View t = temp_view(p, K_F32, p->hi - p->lo, u->t->config.hidden);
    multiply(p, u, slot_tile(p, u, SLOT_SEEN, at), &y->out, t);
    drop(p, u, t, u->t->config.drop.out, site_of(u->layer, SITE_OUT));
    add(p, u, point, t, &y->attend, &y->cross);
    multiply(p, u, input(p, u, point + 1), &y->cross_query, slot_tile(p, u, SLOT_CROSS_QUERY, at));
    multiply(p, u, tile(p, run_memory(u)), &y->cross_pair, slot_tile(p, u, SLOT_CROSS_PAIR, at));
}

/* wide = act(in up'), with its gate where the family has one. */
static void raise(Piece *p, const Run *u, int64_t point, const LayerPlan *y, View wide)
{
    const Config *c = &u->t->config;
    View pre = slot_tile(p, u, SLOT_PRE, u->layer - u->half->first);
    Linear a = {
        .x = input(p, u, point), .w = u->t->weight[y->up.id], .y = wide, .act = c->act, .pre = pre};
    if (!c->gated) {
        p->dev->linear(p, &a);
        return;
    }
    View both = pre.p ? pre : temp_view(p, K_F32, wide.rows, 2 * wide.cols);
    a.y = both;
    a.pre = (View){0};
    a.act = ACT_NONE;
    p->dev->linear(p, &a);
    p->dev->act(p, &(Activate){.x = view_cols(both, 0, wide.cols),
                               .gate = view_cols(both, wide.cols, 2 * wide.cols),
                               .y = wide,
                               .act = c->act});
}

/* What the layer's last attention gave. */
static View seen(const Piece *p, const Run *u)
{
    int64_t at = u->layer - u->half->first;
    bool cross = plan_layer(u->half, u->layer)->cross_out.id >= 0;
    return picks_here(u) ? slot_tile(p, u, SLOT_PICKED_SEEN, 0)
                         : slot_tile(p, u, cross ? SLOT_CROSS_SEEN : SLOT_SEEN, at);
}

/* From the last attention of this layer to the first of the next. */
static void stage_feed(Piece *p, void *ctx)
{
    Run *u = ctx;
    Transformer *m = u->t;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    const Dropouts *rate = &m->config.drop;
    bool cross = y->cross_out.id >= 0;
    int64_t point = point_of(u, u->layer) + cross;
    View t = temp_view(p, K_F32, p->hi - p->lo, m->config.hidden);
    View wide = temp_view(p, m->compute, t.rows, m->config.inner);

    multiply(p, u, seen(p, u), cross ? &y->cross_out : &y->out, t);
    drop(p, u, t, rate->out, site_of(u->layer, cross ? SITE_CROSS_OUT : SITE_OUT));
    add(p, u, point, t, cross ? &y->cross : &y->attend, &y->feed);
    raise(p, u, point + 1, y, wide);
    drop(p, u, wide, rate->inner, site_of(u->layer, SITE_INNER));
    multiply(p, u, wide, &y->down, t);
    drop(p, u, t, rate->feed, site_of(u->layer, SITE_FEED));
    add(p, u, point + 1, t, &y->feed, norm_before(u, u->layer + 1));
    if (u->layer + 1 == u->half->end)
        drop(p, u, input(p, u, point + 2), rate->last, site_end(u, SITE_LAST));
    if (!u->again) /* or this layer's would be gone */
        queries(p, u, u->layer + 1);
}

/* Of the tokens that are read. */
static void stage_pick(Piece *p, void *ctx)
{
    const Run *u = ctx;
    int64_t at = u->layer - u->half->first;
    p->dev->gather(p, &(Gather){.x = slot_at(u, SLOT_X, point_of(u, u->layer)),
                                .y = slot_tile(p, u, SLOT_PICKED, 0),
                                .index = u->picked + p->lo});
    p->dev->gather(p, &(Gather){.x = slot_at(u, SLOT_SEEN, at),
                                .y = slot_tile(p, u, SLOT_PICKED_SEEN, 0),
                                .index = u->picked + p->lo});
}

/* What the stage before the layer's first one leaves for it. */
static void stage_queries(Piece *p, void *ctx)
{
    const Run *u = ctx;
    queries(p, u, u->layer);
}

/* ---- the lists ---- */

enum {
    STATES = IN_SLOT(SLOT_X) | IN_SLOT(SLOT_NORMED) | IN_SLOT(SLOT_NARROW) | IN_SLOT(SLOT_SUM) |
             IN_SLOT(SLOT_STATS),
    EMBEDS = IN_SLOT(SLOT_EMBED_SUM) | IN_SLOT(SLOT_EMBED_STATS) | IN_SLOT(SLOT_EMBED_IN),
    QKV = IN_SLOT(SLOT_QKV) | IN_SLOT(SLOT_TURNED),
    SEEN = IN_SLOT(SLOT_SEEN) | IN_SLOT(SLOT_LSE),
    CROSS = IN_SLOT(SLOT_CROSS_QUERY) | IN_SLOT(SLOT_CROSS_PAIR),
    CROSS_SEEN = IN_SLOT(SLOT_CROSS_SEEN) | IN_SLOT(SLOT_CROSS_LSE),
    PRE = IN_SLOT(SLOT_PRE),
    PICKED = IN_SLOT(SLOT_PICKED) | IN_SLOT(SLOT_PICKED_SEEN)
};

static const Stage embed = {EACH_ROWS, stage_embed, 0, EMBEDS | STATES | QKV};
static const Stage begin = {EACH_ROWS, stage_queries, STATES, QKV};
static const Stage pick = {EACH_ROWS, stage_pick, SEEN | STATES, PICKED};
static const Stage feed_picked = {EACH_ROWS, stage_feed, PICKED | STATES, STATES | PRE};

/* A layer that looks at its own row alone, and a decoder's that looks at the encoder's too. */
static const Stage alone[] = {
    {EACH_SEQS, stage_attend, QKV, SEEN},
    {EACH_ROWS, stage_feed, SEEN | STATES, STATES | PRE | QKV},
    {0},
};
static const Stage crossed[] = {
    {EACH_SEQS, stage_attend, QKV, SEEN},
    {EACH_ROWS, stage_cross, SEEN | STATES, STATES | CROSS},
    {EACH_SEQS, stage_attend_cross, CROSS, CROSS_SEEN},
    {EACH_ROWS, stage_feed, CROSS_SEEN | STATES, STATES | PRE | QKV},
    {0},
};

void run_stage(Run *u, const Stage *s)
{
    u->stage = s;
    u->t->dev->each(u->t->dev, s->cut, &u->batch, s->fn, u);
}

void run_picked(Run *u, const Stage *s)
{
    const Drops *drops = u->drops;
    u->drops = drops ? &u->t->picked_drops : NULL;
    u->stage = s;
    u->t->dev->each(u->t->dev, s->cut, &(Batch){.tokens = u->picks}, s->fn, u);
    u->drops = drops;
}

/* What does not learn drops nothing. */
static const Drops *drops_where(const Run *u, bool learns)
{
    return learns && u->t->drops.numbers ? &u->t->drops : NULL;
}

static void run_layer(Run *u)
{
    u->drops = drops_where(u, u->layer >= u->t->drops.still);
    bool cross = plan_layer(u->half, u->layer)->cross_out.id >= 0;
    for (const Stage *s = cross ? crossed : alone; s->fn; s++) {
        if (picks_here(u) && s->fn == stage_feed) {
            run_picked(u, &pick);
            run_picked(u, &feed_picked);
        } else {
            run_stage(u, s);
        }
    }
}

void transformer_again(Run *u)
{
    const Drops *drops = u->drops;
    u->again = true;
    run_stage(u, &begin);
    run_layer(u);
    u->again = false;
    u->drops = drops;
}

void transformer_half(Run *u)
{
    const HalfPlan *h = u->half;
    u->drops = drops_where(u, !u->t->drops.still_embeds);
    run_stage(u, &embed);
    for (u->layer = h->first; u->layer < h->end; u->layer++) {
        run_layer(u);
        if (u->look)
            transformer_look(u);
    }
}
