/* layers.c - the layers as a list of stages. Each names the slots that it reads and writes, of the
 * layer at hand (and the next one's queries, keys and values); everything between one attention and
 * the next looks at one token at a time and is one stage, so that a tile of tokens stays in the
 * cache. */
#include "model/transformer/transformer_in.h"

#include <assert.h>

/* ---- slots ---- */

static View slot(const Run *u, Slot s)
{
    assert((u->stage->reads | u->stage->writes) & IN_SLOT(s));
    return u->t->tape.slot[u->half - u->t->plan.half][s];
}

static View tile(const Piece *p, View v)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

static View tile_of(const Piece *p, const Run *u, Slot s)
{
    return tile(p, slot(u, s));
}

/* The tile as products read it. */
static View input(const Piece *p, const Run *u)
{
    return tile_of(p, u, u->t->in);
}

static const float *value(const Run *u, int param)
{
    return param < 0 ? NULL : u->t->value[param];
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

/* ---- residuals and norms ---- */

/* The norm that comes before this layer's attention, or behind the last layer; NULL: hidden
 * states are wanted as they are. */
static const NormPlan *norm_before(const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        return &plan_layer(u->half, layer)->attend;
    return u->half->whole ? &u->half->last : NULL;
}

/* What products are to read next: x by this norm. */
static void set_norm(const Piece *p, const Run *u, Norm *a, const NormPlan *n)
{
    const Config *c = &u->t->config;
    View x = tile_of(p, u, SLOT_X), normed = tile_of(p, u, SLOT_NORMED);
    View narrow = tile_of(p, u, SLOT_NARROW);
    a->y = c->family->norms == NORMS_AFTER ? x : normed.p ? normed : narrow;
    if (a->y.p != narrow.p)
        a->y2 = narrow;
    a->gamma = value(u, n->gamma);
    a->beta = value(u, n->beta);
    a->eps = c->eps;
    a->rms = c->family->rms;
}

/* Adds t, the result of attention or feed-forward, to x; `own` is the norm behind it and `next`
 * the one before what follows: families have one of them. */
static void add(Piece *p, const Run *u, View t, const NormPlan *own, const NormPlan *next)
{
    bool first = u->t->config.family->norms == NORMS_BEFORE;
    View x = tile_of(p, u, SLOT_X);
    Norm a = {.x = t, .r = x};
    if (first && !next) {
        View y = u->t->type == K_BF16 ? tile_of(p, u, SLOT_NARROW) : x;
        p->dev->mix(p, &(Mix){.x = t, .r = x, .y = y, .a = 1, .b = 1});
        return;
    }
    if (first)
        a.sum = x;
    set_norm(p, u, &a, first ? next : own);
    p->dev->norm(p, &a);
}

static void queries(Piece *p, const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        multiply(p, u, input(p, u), &plan_layer(u->half, layer)->qkv, tile_of(p, u, SLOT_QKV));
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

static Norm embed_norm(const Run *u, View x, View y)
{
    return (Norm){.x = x,
                  .y = y,
                  .gamma = value(u, u->half->embed.gamma),
                  .beta = value(u, u->half->embed.beta),
                  .eps = u->t->config.eps};
}

/* x = t P' + b, of the embeddings' width to that of the layers. */
static void project(Piece *p, const Run *u, View t)
{
    View in = temp_view(p, u->t->compute, t.rows, t.cols), narrow = tile_of(p, u, SLOT_NARROW);
    Norm a = embed_norm(u, t, in);
    p->dev->norm(p, &a);
    multiply(p, u, in, &u->half->project, tile_of(p, u, SLOT_X));
    if (narrow.p)
        p->dev->mix(p, &(Mix){.x = tile_of(p, u, SLOT_X), .y = narrow, .a = 1});
}

/* Embeddings and what is done to them, and the first layer's queries, keys and values. */
static void stage_embed(Piece *p, void *ctx)
{
    Run *u = ctx;
    const HalfPlan *h = u->half;
    bool first = u->t->config.family->norms == NORMS_BEFORE, projects = h->project.id >= 0;
    View x = tile_of(p, u, SLOT_X), narrow = tile_of(p, u, SLOT_NARROW);
    View t = projects ? temp_view(p, K_F32, x.rows, u->t->config.embedding) : x;
    const NormPlan *next = norm_before(u, h->first);
    sum_tables(p, u, t);
    if (projects) {
        project(p, u, t);
    } else if (h->embed.gamma >= 0) {
        Norm a = embed_norm(u, x, x);
        if (!first)
            a.y2 = narrow;
        p->dev->norm(p, &a);
    }
    if (first && next) {
        Norm a = {.x = x};
        set_norm(p, u, &a, next);
        p->dev->norm(p, &a);
    } else if (first && narrow.p) {
        p->dev->mix(p, &(Mix){.x = x, .y = narrow, .a = 1});
    }
    queries(p, u, h->first);
}

/* ---- a layer ---- */

static void stage_attend(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->t->config;
    View qkv = slot(u, SLOT_QKV);
    int64_t wide = c->heads * c->size, narrow = c->kv_heads * c->size;
    p->dev->attend(p, &(Attend){.q = view_cols(qkv, 0, wide),
                                .k = view_cols(qkv, wide, wide + narrow),
                                .v = view_cols(qkv, wide + narrow, wide + 2 * narrow),
                                .y = slot(u, SLOT_SEEN),
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = config_attend_scale(c, u->layer),
                                .causal = u->half->causal,
                                .bias = u->t->distance,
                                .reach = c->distance,
                                .probs = u->probs,
                                .probs_at = u->probs_at});
}

/* The decoder's queries and the encoder's keys and values. A row has as many tokens here as
 * there. */
static void stage_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    View memory = u->t->tape.slot[0][u->t->in];
    View t = temp_view(p, K_F32, p->hi - p->lo, u->t->config.hidden);
    multiply(p, u, tile_of(p, u, SLOT_SEEN), &y->out, t);
    add(p, u, t, &y->attend, &y->cross);
    multiply(p, u, input(p, u), &y->cross_query, tile_of(p, u, SLOT_CROSS_QUERY));
    multiply(p, u, tile(p, memory), &y->cross_pair, tile_of(p, u, SLOT_CROSS_PAIR));
}

static void stage_attend_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->t->config;
    View pair = slot(u, SLOT_CROSS_PAIR);
    p->dev->attend(p, &(Attend){.q = slot(u, SLOT_CROSS_QUERY),
                                .k = view_cols(pair, 0, pair.cols / 2),
                                .v = view_cols(pair, pair.cols / 2, pair.cols),
                                .y = slot(u, SLOT_CROSS_SEEN),
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = c->scale});
}

/* wide = act(in up'), with its gate where the family has one. */
static void raise(Piece *p, const Run *u, const LayerPlan *y, View wide)
{
    const Config *c = &u->t->config;
    Linear a = {.x = input(p, u), .w = u->t->weight[y->up.id], .y = wide, .act = c->act};
    if (!c->gated) {
        p->dev->linear(p, &a);
        return;
    }
    View both = temp_view(p, K_F32, wide.rows, 2 * wide.cols);
    a.y = both;
    a.act = ACT_NONE;
    p->dev->linear(p, &a);
    p->dev->act(p, &(Activate){.x = view_cols(both, 0, wide.cols),
                               .gate = view_cols(both, wide.cols, 2 * wide.cols),
                               .y = wide,
                               .act = c->act});
}

/* From the last attention of this layer to the first of the next. */
static void stage_feed(Piece *p, void *ctx)
{
    Run *u = ctx;
    Transformer *m = u->t;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    bool cross = y->cross_out.id >= 0;
    int64_t rows = p->hi - p->lo;
    View t = temp_view(p, K_F32, rows, m->config.hidden);
    View wide = temp_view(p, m->compute, rows, m->config.inner);

    multiply(p, u, tile_of(p, u, cross ? SLOT_CROSS_SEEN : SLOT_SEEN),
             cross ? &y->cross_out : &y->out, t);
    add(p, u, t, cross ? &y->cross : &y->attend, &y->feed);
    raise(p, u, y, wide);
    multiply(p, u, wide, &y->down, t);
    add(p, u, t, &y->feed, norm_before(u, u->layer + 1));
    queries(p, u, u->layer + 1);
}

/* ---- the lists ---- */

enum {
    STATES = IN_SLOT(SLOT_X) | IN_SLOT(SLOT_NORMED) | IN_SLOT(SLOT_NARROW),
    QKV = IN_SLOT(SLOT_QKV),
    SEEN = IN_SLOT(SLOT_SEEN),
    CROSS = IN_SLOT(SLOT_CROSS_QUERY) | IN_SLOT(SLOT_CROSS_PAIR),
    CROSS_SEEN = IN_SLOT(SLOT_CROSS_SEEN)
};

static const Stage embed = {EACH_ROWS, stage_embed, 0, STATES | QKV};

/* A layer that looks at its own row alone, and a decoder's that looks at the encoder's too. */
static const Stage alone[] = {
    {EACH_SEQS, stage_attend, QKV, SEEN},
    {EACH_ROWS, stage_feed, SEEN | STATES, STATES | QKV},
    {0},
};
static const Stage crossed[] = {
    {EACH_SEQS, stage_attend, QKV, SEEN},
    {EACH_ROWS, stage_cross, SEEN | STATES, STATES | CROSS},
    {EACH_SEQS, stage_attend_cross, CROSS, CROSS_SEEN},
    {EACH_ROWS, stage_feed, CROSS_SEEN | STATES, STATES | QKV},
    {0},
};

static void run(Run *u, const Stage *s)
{
    u->stage = s;
    u->t->dev->each(u->t->dev, s->cut, &u->batch, s->fn, u);
}

void transformer_half(Run *u)
{
    const HalfPlan *h = u->half;
    run(u, &embed);
    for (u->layer = h->first; u->layer < h->end; u->layer++) {
        bool cross = plan_layer(h, u->layer)->cross_out.id >= 0;
        for (const Stage *s = cross ? crossed : alone; s->fn; s++)
            run(u, s);
        if (u->look)
            transformer_look(u);
    }
}
