#include "model/transformer/transformer_in.h"

static View cut(View v, const Piece *p)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

/* The norm that comes before this layer's attention, or behind the last layer; NULL: hidden
 * states are wanted as they are. */
static const Norms *norm_before(const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        return &half_layer(u->half, layer)->attend;
    return u->half->whole ? &u->half->last : NULL;
}

/* What products are to read next: x by this norm; NULL: as it is. */
static void set_norm(const Piece *p, const Run *u, Norm *a, const Norms *n)
{
    const Config *c = &u->enc->config;
    View x = cut(u->x, p), normed = cut(u->normed, p), narrow = cut(u->narrow, p);
    a->y = !c->family->norm_first ? x : normed.p ? normed : narrow;
    a->y2 = a->y.p == narrow.p ? (View){0} : narrow;
    a->gamma = n->gamma;
    a->beta = n->beta;
    a->eps = c->eps;
    a->rms = c->family->rms;
}

/* Adds t, the result of attention or feed-forward, to x; `own` is the norm behind it and `next`
 * the one before what follows: families have one of them. */
static void add(Piece *p, const Run *u, View t, const Norms *own, const Norms *next)
{
    bool first = u->enc->config.family->norm_first;
    View x = cut(u->x, p);
    Norm a = {.x = t, .r = x};
    if (first && !next) {
        View y = u->enc->type == K_BF16 ? cut(u->narrow, p) : x;
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
        p->dev->linear(p, &(Linear){.x = cut(u->in, p),
                                    .w = half_layer(u->half, layer)->qkv,
                                    .y = cut(u->qkv, p)});
}

static View table(const float *p, int64_t entries, const Config *c)
{
    return view_of((void *)(uintptr_t)p, K_F32, entries, c->embedding);
}

/* y = the sum of the tables' rows. */
static void sum_tables(Piece *p, const Run *u, View y)
{
    const Config *c = &u->enc->config;
    View words = y;
    Embed a = {.y = y};
    int n = 0;
    a.table[n] = table(u->enc->word, c->vocab, c);
    a.index[n++] = u->id + p->lo;
    if (c->embed_scale != 1) { /* of words alone: they go first, by themselves */
        words = temp_view(p, K_F32, y.rows, y.cols);
        a.y = words;
        p->dev->embed(p, &a);
        a.y = y;
        n = 0;
    }
    if (u->half->position) {
        a.table[n] = table(u->half->position, c->first + c->positions, c);
        a.index[n++] = u->position + p->lo;
    }
    if (u->half->kind) {
        a.table[n] = table(u->half->kind, c->types, c);
        a.index[n++] = u->kind + p->lo;
    }
    p->dev->embed(p, &a);
    if (c->embed_scale != 1)
        p->dev->mix(p, &(Mix){.x = words, .r = y, .y = y, .a = c->embed_scale, .b = 1});
}

/* x = t P' + b, of the embeddings' width to that of the layers. */
static void project(Piece *p, const Run *u, View t)
{
    const Config *c = &u->enc->config;
    const Half *h = u->half;
    View in = temp_view(p, u->enc->compute, t.rows, t.cols);
    p->dev->norm(
        p, &(Norm){.x = t, .y = in, .gamma = h->embed.gamma, .beta = h->embed.beta, .eps = c->eps});
    p->dev->linear(p, &(Linear){.x = in, .w = h->project, .y = cut(u->x, p)});
    if (u->narrow.p)
        p->dev->mix(p, &(Mix){.x = cut(u->x, p), .y = cut(u->narrow, p), .a = 1});
}

/* Embeddings and what is done to them, and the first layer's queries, keys and values. */
static void stage_embed(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    const Half *h = u->half;
    bool first = c->family->norm_first;
    View x = cut(u->x, p), narrow = cut(u->narrow, p);
    View t = h->project ? temp_view(p, K_F32, x.rows, c->embedding) : x;
    const Norms *next = norm_before(u, h->first);
    sum_tables(p, u, t);
    if (h->project)
        project(p, u, t);
    else if (h->embed.gamma)
        p->dev->norm(p, &(Norm){.x = x,
                                .y = x,
                                .y2 = first ? (View){0} : narrow,
                                .gamma = h->embed.gamma,
                                .beta = h->embed.beta,
                                .eps = c->eps});
    if (first && next) {
        Norm a = {.x = x};
        set_norm(p, u, &a, next);
        p->dev->norm(p, &a);
    } else if (first && narrow.p) {
        p->dev->mix(p, &(Mix){.x = x, .y = narrow, .a = 1});
    }
    queries(p, u, h->first);
}

static void stage_attend(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    int64_t wide = c->heads * c->size;
    int64_t number = c->scale_by_layer ? u->layer + 1 : 1;
    p->dev->attend(p, &(Attend){.q = view_cols(u->qkv, 0, wide),
                                .k = view_cols(u->qkv, wide, 2 * wide),
                                .v = view_cols(u->qkv, 2 * wide, 3 * wide),
                                .y = u->seen,
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = c->scale / (float)number,
                                .causal = u->half->causal,
                                .bias = u->enc->distance,
                                .reach = c->distance,
                                .probs = u->probs,
                                .probs_at = u->probs_at});
}

/* The decoder's queries and the encoder's keys and values, where those of the attention before
 * have been. A row has as many tokens here as there. */
static View cross_query(const Run *u)
{
    const Config *c = &u->enc->config;
    return view_of(u->qkv.p, u->qkv.type, u->qkv.rows, c->heads * c->size);
}

static View cross_pair(const Run *u)
{
    View q = cross_query(u);
    char *behind = (char *)q.p + (size_t)(q.rows * q.cols) * ktype_size(q.type);
    return view_of(behind, q.type, q.rows, 2 * q.cols);
}

static void stage_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const TransformerLayer *y = half_layer(u->half, u->layer);
    View t = temp_view(p, K_F32, p->hi - p->lo, u->enc->config.hidden);
    p->dev->linear(p, &(Linear){.x = cut(u->seen, p), .w = y->out, .y = t});
    add(p, u, t, &y->attend, &y->cross);
    p->dev->linear(p,
                   &(Linear){.x = cut(u->in, p), .w = y->cross_query, .y = cut(cross_query(u), p)});
    p->dev->linear(
        p, &(Linear){.x = cut(u->memory, p), .w = y->cross_pair, .y = cut(cross_pair(u), p)});
}

static void stage_attend_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    View q = cross_query(u), pair = cross_pair(u);
    p->dev->attend(p, &(Attend){.q = q,
                                .k = view_cols(pair, 0, q.cols),
                                .v = view_cols(pair, q.cols, 2 * q.cols),
                                .y = u->seen,
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = c->scale});
}

/* wide = act(in up'), with its gate where the family has one. */
static void raise(Piece *p, const Run *u, const TransformerLayer *y, View wide)
{
    const Config *c = &u->enc->config;
    Linear a = {.x = cut(u->in, p), .w = y->up, .y = wide, .act = c->act};
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

/* From one attention to the next: everything in between looks at one token at a time, so a tile
 * of tokens stays in the cache. */
static void stage_feed(Piece *p, void *ctx)
{
    Run *u = ctx;
    Transformer *enc = u->enc;
    const TransformerLayer *y = half_layer(u->half, u->layer);
    int64_t m = p->hi - p->lo;
    View t = temp_view(p, K_F32, m, enc->config.hidden);
    View wide = temp_view(p, enc->compute, m, enc->config.inner);

    p->dev->linear(
        p, &(Linear){.x = cut(u->seen, p), .w = y->cross_out ? y->cross_out : y->out, .y = t});
    add(p, u, t, y->cross_out ? &y->cross : &y->attend, &y->feed);
    raise(p, u, y, wide);
    p->dev->linear(p, &(Linear){.x = wide, .w = y->down, .y = t});
    add(p, u, t, &y->feed, norm_before(u, u->layer + 1));
    queries(p, u, u->layer + 1);
}

void transformer_half(Run *u)
{
    Device *dev = u->enc->dev;
    const Half *h = u->half;
    dev->each(dev, EACH_ROWS, &u->batch, stage_embed, u);
    for (u->layer = h->first; u->layer < h->end; u->layer++) {
        dev->each(dev, EACH_SEQS, &u->batch, stage_attend, u);
        if (half_layer(h, u->layer)->cross_out) {
            dev->each(dev, EACH_ROWS, &u->batch, stage_cross, u);
            dev->each(dev, EACH_SEQS, &u->batch, stage_attend_cross, u);
        }
        dev->each(dev, EACH_ROWS, &u->batch, stage_feed, u);
        if (u->look)
            transformer_look(u);
    }
}
