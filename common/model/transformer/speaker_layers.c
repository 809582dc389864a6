/* speaker_layers.c - the layers where few tokens are new. What takes the time then is that every
 * weight is read, so products are cut by their outputs, and each is a stage of its own. */
#include "model/transformer/speaker_in.h"

enum { RUNS = 4 }; /* pieces a thread, so that none waits long for another */

/* ---- stages ---- */

typedef struct Product {
    const Weight *w;
    View x, r, y;
    Act act;
    int64_t run; /* columns of a piece */
} Product;

static void stage_product(Piece *p, void *ctx)
{
    const Product *a = ctx;
    int64_t lo = p->lo * a->run, hi = p->hi * a->run < a->y.cols ? p->hi * a->run : a->y.cols;
    View r = a->r.p ? view_cols(a->r, lo, hi) : a->r;
    p->dev->linear(p, &(Linear){.x = a->x,
                                .w = a->w,
                                .col0 = lo,
                                .cols = hi - lo,
                                .act = a->act,
                                .r = r,
                                .y = view_cols(a->y, lo, hi)});
}

/* y = act(x W' + b) + r */
static void product(Device *dev, const Weight *w, View x, Act act, View r, View y)
{
    int64_t panels = (y.cols + THIN_COLS - 1) / THIN_COLS;
    int64_t runs = dev->panels ? RUNS * dev->threads : 1;
    int64_t each = runs < panels ? (panels + runs - 1) / runs : 1;
    Product a = {w, x, r, y, act, each * THIN_COLS};
    if (!dev->panels)
        a.run = panels * THIN_COLS;
    dev->each(dev, EACH_COLS, &(Batch){.cols = (y.cols + a.run - 1) / a.run}, stage_product, &a);
}

static View rows_of(const Piece *p, View v)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

static void stage_norm(Piece *p, void *ctx)
{
    Norm a = *(const Norm *)ctx;
    a.x = rows_of(p, a.x);
    a.y = rows_of(p, a.y);
    p->dev->norm(p, &a);
}

static void norm(const Say *u, const NormPlan *n, View x, View y)
{
    const Speaker *s = u->s;
    const Config *c = &s->config;
    Norm a = {.x = x,
              .y = y,
              .gamma = s->value[n->gamma],
              .beta = n->beta < 0 ? NULL : s->value[n->beta],
              .eps = c->eps,
              .rms = c->family->rms};
    s->dev->each(s->dev, EACH_ROWS, &(Batch){.tokens = x.rows}, stage_norm, &a);
}

static void stage_gate(Piece *p, void *ctx)
{
    const Say *u = ctx;
    int64_t n = u->s->config.inner;
    View both = rows_of(p, u->both);
    p->dev->act(p, &(Activate){.x = view_cols(both, 0, n),
                               .gate = view_cols(both, n, 2 * n),
                               .y = rows_of(p, u->wide),
                               .act = u->s->config.act});
}

static void stage_recall(Piece *p, void *ctx)
{
    const Recall *a = ctx;
    p->dev->recall(p, a);
}

/* ---- embeddings ---- */

static View table(const Say *u, int param)
{
    const Param *t = &u->s->plan.params.param[param];
    return view_of((void *)(uintptr_t)u->s->value[param], K_F32, t->rows, t->cols);
}

static void stage_embed(Piece *p, void *ctx)
{
    const Say *u = ctx;
    const HalfPlan *h = u->half;
    float scale = u->s->config.embed_scale;
    View x = rows_of(p, u->x), words = scale == 1 ? x : temp_view(p, K_F32, x.rows, x.cols);
    Embed a = {.table = {table(u, u->s->plan.word)}, .index = {u->id + p->lo}, .y = words};
    if (scale != 1)
        p->dev->embed(p, &a);
    a = (Embed){.y = x};
    int n = 0;
    if (scale == 1) {
        a.table[n] = table(u, u->s->plan.word);
        a.index[n++] = u->id + p->lo;
    }
    if (h->position >= 0) {
        a.table[n] = table(u, h->position);
        a.index[n++] = u->position + p->lo;
    }
    if (n)
        p->dev->embed(p, &a);
    if (scale != 1)
        p->dev->mix(p, &(Mix){.x = words, .r = n ? x : (View){0}, .y = x, .a = scale, .b = 1});
}

/* ---- a layer ---- */

static bool before(const Say *u)
{
    return u->s->config.family->norms == NORMS_BEFORE;
}

/* What products read of the hidden states. */
static View input(const Say *u)
{
    return before(u) ? u->normed : u->x;
}

/* x W' is added to the hidden states. `own` is the norm behind that, `next` the one before what
 * follows: families have one of them. */
static void add(const Say *u, const Dense *d, View x, const NormPlan *own, const NormPlan *next)
{
    const Weight *w = u->s->weight[d->id];
    View to = before(u) ? u->x : u->sum;
    product(u->s->dev, w, x, ACT_NONE, u->x, to);
    if (!before(u))
        norm(u, own, to, u->x);
    else if (next)
        norm(u, next, to, u->normed);
}

static void stage_turn(Piece *p, void *ctx)
{
    const Say *u = ctx;
    const Speaker *s = u->s;
    const Config *c = &s->config;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    View qkv = rows_of(p, u->qkv);
    p->dev->rotate(p, &(Rotate){.x = qkv,
                                .y = qkv,
                                .heads = (int)c->heads,
                                .kv = (int)c->kv_heads,
                                .size = (int)c->size,
                                .turned = (int)c->turned,
                                .turns = turns_of(&s->turns, c, u->layer),
                                .place = u->position + p->lo,
                                .query_gamma = y->query.gamma < 0 ? NULL : s->value[y->query.gamma],
                                .key_gamma = y->key.gamma < 0 ? NULL : s->value[y->key.gamma],
                                .eps = c->eps});
}

typedef struct Scatter {
    View x, y;
    const int64_t *out;
} Scatter;

static void stage_scatter(Piece *p, void *ctx)
{
    const Scatter *a = ctx;
    p->dev->gather(p, &(Gather){.x = view_rows(a->x, p->lo, p->hi),
                                .y = a->y,
                                .out = a->out + p->lo,
                                .rows = p->hi - p->lo});
}

static void attend(Say *u)
{
    const Config *c = &u->s->config;
    Device *dev = u->s->dev;
    int64_t wide = c->heads * c->size, narrow = c->kv_heads * c->size;
    View store = kept_layer(u->s->kept, u->layer - u->half->first);
    View none = {0};
    bool near = u->far && config_near(c, u->layer), grouped = c->kv_heads != c->heads;
    if (c->turned)
        dev->each(dev, EACH_ROWS, &(Batch){.tokens = u->qkv.rows}, stage_turn, u);
    if (grouped) { /* several heads look at one, so none of them is the one to keep it */
        Scatter a = {view_cols(u->qkv, wide, wide + 2 * narrow), store, u->fresh};
        dev->each(dev, EACH_ROWS, &(Batch){.tokens = u->qkv.rows}, stage_scatter, &a);
    }
    Recall a = {.q = view_cols(u->qkv, 0, wide),
                .y = u->seen,
                .k = grouped ? none : view_cols(u->qkv, wide, wide + narrow),
                .v = grouped ? none : view_cols(u->qkv, wide + narrow, wide + 2 * narrow),
                .keys = view_cols(store, 0, narrow),
                .values = view_cols(store, narrow, 2 * narrow),
                .batch = &u->batch,
                .slot = u->slot,
                .at = u->at,
                .host_at = u->host_at,
                .size = (int)c->size,
                .scale = config_attend_scale(c, u->layer),
                .causal = true,
                .bias = near ? u->s->near : u->s->distance,
                .reach = near ? c->window + 1 : c->distance};
    dev->each(dev, EACH_SEQS, &u->batch, stage_recall, &a);
}

static void attend_cross(const Say *u)
{
    const Config *c = &u->s->config;
    int64_t wide = c->heads * c->size, narrow = c->kv_heads * c->size;
    View store = kept_layer(u->s->memory, u->layer - u->half->first);
    Recall a = {.q = view_cols(u->qkv, 0, wide),
                .y = u->seen,
                .keys = view_cols(store, 0, narrow),
                .values = view_cols(store, narrow, 2 * narrow),
                .batch = &u->cross,
                .slot = u->cross_slot,
                .at = u->cross_at,
                .host_at = u->host_cross_at,
                .size = (int)c->size,
                .scale = c->scale};
    u->s->dev->each(u->s->dev, EACH_SEQS, &u->cross, stage_recall, &a);
}

/* u->wide = act(in up'), with its gate where the family has one. */
static void raise(Say *u, const Dense *up)
{
    Device *dev = u->s->dev;
    const Config *c = &u->s->config;
    const Weight *w = u->s->weight[up->id];
    if (!c->gated) {
        product(dev, w, input(u), c->act, (View){0}, u->wide);
        return;
    }
    product(dev, w, input(u), ACT_NONE, (View){0}, u->both);
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = u->both.rows}, stage_gate, u);
}

static const NormPlan *norm_behind(const Say *u)
{
    if (u->layer + 1 < u->half->end)
        return &plan_layer(u->half, u->layer + 1)->attend;
    return u->half->last.gamma >= 0 ? &u->half->last : NULL;
}

static void say_layer(Say *u)
{
    Speaker *s = u->s;
    const LayerPlan *y = plan_layer(u->half, u->layer);
    bool cross = y->cross_out.id >= 0;
    product(s->dev, s->weight[y->qkv.id], input(u), ACT_NONE, (View){0}, u->qkv);
    attend(u);
    add(u, &y->out, u->seen, &y->attend, cross ? &y->cross : &y->feed);
    if (cross) {
        int64_t wide = s->config.heads * s->config.size;
        product(s->dev, s->weight[y->cross_query.id], input(u), ACT_NONE, (View){0},
                view_cols(u->qkv, 0, wide));
        attend_cross(u);
        add(u, &y->cross_out, u->seen, &y->cross, &y->feed);
    }
    raise(u, &y->up);
    add(u, &y->down, u->wide, &y->feed, norm_behind(u));
}

/* ---- words ---- */

/* What the last layer leaves. */
static View last_states(const Say *u)
{
    return before(u) && u->half->last.gamma >= 0 ? u->normed : u->x;
}

/* Of each row the last token's states, as the words' matrix takes them. */
static void stage_last(Piece *p, void *ctx)
{
    const Say *u = ctx;
    View y = rows_of(p, u->last_x);
    p->dev->embed(p, &(Embed){.table = {last_states(u)}, .index = {u->last + p->lo}, .y = y});
    if (u->s->words_scale != 1)
        p->dev->mix(p, &(Mix){.x = y, .y = y, .a = u->s->words_scale});
}

void say_layers(Say *u)
{
    Device *dev = u->s->dev;
    const HalfPlan *h = u->half;
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = u->x.rows}, stage_embed, u);
    if (h->embed.gamma >= 0)
        norm(u, &h->embed, u->x, u->x);
    if (before(u) && h->end > h->first)
        norm(u, &plan_layer(h, h->first)->attend, u->x, u->normed);
    for (u->layer = h->first; u->layer < h->end; u->layer++)
        say_layer(u);
    View last = last_states(u);
    if (last.rows != u->last_x.rows || u->s->words_scale != 1) {
        dev->each(dev, EACH_ROWS, &(Batch){.tokens = u->last_x.rows}, stage_last, u);
        last = u->last_x;
    } /* else they are all rows' last */
    product(dev, u->s->words, last, ACT_NONE, (View){0}, u->logits);
}

/* ---- what is read ---- */

void say_read(Speaker *s, View x, View pair, const int64_t *out)
{
    const HalfPlan *h = speaker_half(s);
    for (int64_t i = h->first; i < h->end; i++) {
        const LayerPlan *y = plan_layer(h, i);
        product(s->dev, s->weight[y->cross_pair.id], x, ACT_NONE, (View){0}, pair);
        Scatter a = {pair, kept_layer(s->memory, i - h->first), out};
        s->dev->each(s->dev, EACH_ROWS, &(Batch){.tokens = x.rows}, stage_scatter, &a);
    }
}
