#include "model/head/head_learn.h"

#include "base/mem.h"
#include "model/transformer/transformer_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SITE_HEAD = 64 }; /* dropout before the first layer; one more a layer */

/* y = norm(act(dropout(x) W' + b)) */
typedef struct HeadStep {
    float drop;
    Dense dense;
    Act act;
    NormPlan norm; /* gamma -1: none */
} HeadStep;

enum {
    SPACE_TOKEN,
    SPACE_SEGMENTS,
    SPACE_NUMBER,
    SPACE_SPREAD,
    SPACE_WEIGHT,
    SPACE_BACK_WEIGHT,
    SPACE_GIVEN,
    HEAD_SPACES
};
enum { OF_STEP = 6 }; /* in, pre, sum, stats; gradients of in and of pre */

struct HeadLearn {
    Transformer *t;
    HeadSpec spec;
    HeadFrom from;
    bool mean;
    HeadStep step[HEAD_LAYERS + 1];
    int steps;
    Space space[HEAD_SPACES], of[HEAD_LAYERS + 1][OF_STEP], out;
    /* Of the batch: */
    int64_t n;
    const int64_t *token, *segments, *numbers, *spread;
    const float *given;
    const float *weight, *back_weight;
    uint64_t seed;
    bool drops;
    View in[HEAD_LAYERS + 2], pre[HEAD_LAYERS + 1], sum[HEAD_LAYERS + 1], stats[HEAD_LAYERS + 1];
    View din[HEAD_LAYERS + 1], dpre[HEAD_LAYERS + 1];
};

/* ---- making ---- */

/* Is the tensor in the checkpoint? */
static bool there(const HeadSpec *s, const char *name)
{
    char full[160];
    snprintf(full, sizeof full, "%s.weight", name);
    return s->w && weights_has(s->w, full);
}

static HeadStep *add_step(HeadLearn *h, const char *name, int64_t out, int64_t in, bool bias,
                          Act act, Part part, bool fresh)
{
    HeadStep *y = &h->step[h->steps++];
    *y = (HeadStep){.act = act, .norm = {-1, -1}};
    y->dense = plan_dense(transformer_plan(h->t), name, out, in, bias, part, fresh);
    return y;
}

static int add_pooler(HeadLearn *h, Err *e)
{
    const Config *c = transformer_settings(h->t);
    const char *name = c->family->pooler;
    if (!name)
        return err_set(e, "a %s model has no pooler: --pool cls or mean", c->family->type);
    add_step(h, name, c->hidden, c->hidden, true, ACT_TANH, PART_POOLER, !there(&h->spec, name));
    return 0;
}

static float rate_of(const HeadLearn *h)
{
    const Dropouts *d = &transformer_settings(h->t)->drop;
    return h->spec.task == HEAD_CLASS ? d->head : h->spec.task == HEAD_TOKEN ? d->token : d->span;
}

static int make_family(HeadLearn *h, Err *e)
{
    const HeadSpec *s = &h->spec;
    const Config *c = transformer_settings(h->t);
    const HeadKind *k = headkind_of(c, s->task);
    if (!k)
        return err_set(e, "no head for %s is known of %s models", head_task_names[s->task],
                       c->family->type);
    float rate = k->drops == HEAD_DROPS_NONE ? 0 : rate_of(h);
    h->from = k->from;
    h->mean = k->pooled && c->class_mean;
    if (k->from == FROM_POOLER && add_pooler(h, e) < 0)
        return -1;
    if (k->dense) {
        Act act = head_act(k, c);
        HeadStep *y = add_step(h, k->dense, c->hidden, c->hidden, !c->family->bare, act, PART_HEADS,
                               !there(s, k->dense));
        y->drop = k->drops == HEAD_DROPS_ALL ? rate : 0;
        if (k->norm)
            y->norm = plan_norm(transformer_plan(h->t), k->norm, c->hidden, !c->family->bare,
                                PART_HEADS, !there(s, k->norm));
    }
    HeadStep *y = add_step(h, k->output, s->outputs, c->hidden, !k->bare, ACT_NONE, PART_HEADS,
                           s->fresh || !there(s, k->output));
    y->drop = rate;
    return 0;
}

/* head.0, head.2, ...: as torch's Sequential(Linear, ReLU, Linear) has them. */
static int make_stack(HeadLearn *h, Err *e)
{
    const HeadSpec *s = &h->spec;
    int64_t in = transformer_settings(h->t)->hidden;
    char name[32];
    h->from = s->pool == POOL_POOLER ? FROM_POOLER : FROM_FIRST;
    h->mean = s->pool == POOL_MEAN;
    if (s->pool == POOL_POOLER && add_pooler(h, e) < 0)
        return -1;
    for (int i = 0; i <= s->hidden; i++) {
        bool last = i == s->hidden;
        int64_t out = last ? s->outputs : s->width[i];
        snprintf(name, sizeof name, "head.%d", 2 * i);
        HeadStep *y = add_step(h, name, out, in, true, last ? ACT_NONE : ACT_RELU, PART_HEADS,
                               s->fresh || !there(s, name));
        y->drop = s->drop;
        in = out;
    }
    return 0;
}

HeadLearn *head_learn_new(Transformer *t, const HeadSpec *s, Err *e)
{
    HeadLearn *h = mem_zero(1, sizeof *h);
    h->t = t;
    h->spec = *s;
    if ((s->make == HEAD_MAKE_STACK ? make_stack(h, e) : make_family(h, e)) == 0)
        return h;
    head_learn_free(h);
    return NULL;
}

void head_learn_free(HeadLearn *h)
{
    if (!h)
        return;
    Device *dev = h->t->dev;
    for (int i = 0; i < HEAD_SPACES; i++)
        dev->free(dev, h->space[i].p);
    for (int i = 0; i <= HEAD_LAYERS; i++)
        for (int k = 0; k < OF_STEP; k++)
            dev->free(dev, h->of[i][k].p);
    dev->free(dev, h->out.p);
    free(h);
}

HeadFrom head_learn_from(const HeadLearn *h)
{
    return h->from;
}

bool head_learn_means(const HeadLearn *h)
{
    return h->mean;
}

int64_t head_learn_token(const HeadLearn *h, const int32_t *id, int64_t n)
{
    return head_token_of(transformer_settings(h->t), h->from, id, n);
}

/* ---- a batch ---- */

static const void *put(HeadLearn *h, int which, const void *host, size_t bytes, Err *e)
{
    Device *dev = h->t->dev;
    void *p = space_grow(&h->space[which], dev, bytes, e);
    if (p)
        dev->put(dev, p, host, bytes);
    return p;
}

/* Where each token's gradient comes from, and by what it is multiplied, if rows are means. */
static int put_mean(HeadLearn *h, const HeadItems *it, Err *e)
{
    int64_t *spread = mem_zero((size_t)it->tokens + 1, sizeof *spread);
    float *weight = mem_zero((size_t)it->n + 1, sizeof *weight);
    float *back = mem_zero((size_t)it->tokens + 1, sizeof *back);
    for (int64_t i = 0; i < it->n; i++) {
        int64_t len = it->starts[i + 1] - it->starts[i];
        weight[i] = len ? 1 / (float)len : 0;
        for (int64_t t = it->starts[i]; t < it->starts[i + 1]; t++) {
            spread[t] = i;
            back[t] = weight[i];
        }
    }
    h->segments = put(h, SPACE_SEGMENTS, it->starts, (size_t)(it->n + 1) * sizeof *it->starts, e);
    h->spread = put(h, SPACE_SPREAD, spread, (size_t)it->tokens * sizeof *spread, e);
    h->weight = put(h, SPACE_WEIGHT, weight, (size_t)it->n * sizeof *weight, e);
    h->back_weight = put(h, SPACE_BACK_WEIGHT, back, (size_t)it->tokens * sizeof *back, e);
    free(spread);
    free(weight);
    free(back);
    return h->segments && h->spread && h->weight && h->back_weight ? 0 : -1;
}

static int room(HeadLearn *h, Space *s, int64_t cols, View *v, Err *e)
{
    void *p = space_grow(s, h->t->dev, (size_t)(h->n * cols) * sizeof(float), e);
    *v = view_of(p, K_F32, h->n, cols);
    return p ? 0 : -1;
}

/* Which states are read. */
static int put_reading(HeadLearn *h, const HeadItems *it, Err *e)
{
    size_t bytes = (size_t)it->n * sizeof(int64_t);
    if (it->starts && put_mean(h, it, e) < 0)
        return -1;
    return it->token && !(h->token = put(h, SPACE_TOKEN, it->token, bytes, e)) ? -1 : 0;
}

static int put_given(HeadLearn *h, const HeadItems *it, Err *e)
{
    size_t bytes = (size_t)(it->n * h->step[0].dense.in) * sizeof *it->given;
    return (h->given = put(h, SPACE_GIVEN, it->given, bytes, e)) ? 0 : -1;
}

static int begin(HeadLearn *h, const HeadItems *it, const Drops *drops, Err *e)
{
    size_t bytes = (size_t)it->n * sizeof(int64_t);
    h->n = it->n;
    h->drops = drops != NULL;
    h->seed = drops ? drops->seed : 0;
    h->token = NULL;
    h->given = NULL;
    if ((it->given ? put_given(h, it, e) : put_reading(h, it, e)) < 0 ||
        (drops && !(h->numbers = put(h, SPACE_NUMBER, it->numbers, bytes, e))))
        return -1;
    for (int i = 0; i < h->steps; i++) {
        const HeadStep *y = &h->step[i];
        int64_t out = dense_out(&y->dense);
        Space *s = h->of[i];
        if (room(h, &s[0], y->dense.in, &h->in[i], e) < 0 || room(h, &s[1], out, &h->pre[i], e) < 0)
            return -1;
        if (y->norm.gamma >= 0 &&
            (room(h, &s[2], out, &h->sum[i], e) < 0 || room(h, &s[3], 2, &h->stats[i], e) < 0))
            return -1;
    }
    return room(h, &h->out, dense_out(&h->step[h->steps - 1].dense), &h->in[h->steps], e);
}

static View tile(const Piece *p, View v)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

static void drop(Piece *p, const HeadLearn *h, View x, int step)
{
    float rate = h->step[step].drop;
    if (h->drops && rate > 0)
        p->dev->mix(p, &(Mix){.x = x,
                              .y = x,
                              .a = 1,
                              .drop = rate,
                              .seed = h->seed,
                              .site = (uint32_t)(SITE_HEAD + step),
                              .rows = h->numbers + p->lo});
}

/* What the head reads, of the last states. */
static void read_states(Piece *p, const HeadLearn *h, View y)
{
    View x = h->given ? view_of((void *)(uintptr_t)h->given, K_F32, h->n, y.cols)
                      : transformer_states(h->t);
    if (h->given)
        p->dev->mix(p, &(Mix){.x = tile(p, x), .y = y, .a = 1});
    else if (h->mean)
        p->dev->gather(
            p,
            &(Gather){.x = x, .y = y, .starts = h->segments + p->lo, .weight = h->weight + p->lo});
    else if (h->token)
        p->dev->gather(p, &(Gather){.x = x, .y = y, .index = h->token + p->lo});
    else
        p->dev->mix(p, &(Mix){.x = tile(p, x), .y = y, .a = 1});
}

static void stage_read(Piece *p, void *ctx)
{
    const HeadLearn *h = ctx;
    read_states(p, h, tile(p, h->in[0]));
}

View head_learn_read(HeadLearn *h, const HeadItems *items, Err *e)
{
    Device *dev = h->t->dev;
    if (begin(h, items, NULL, e) < 0)
        return (View){0};
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = h->n}, stage_read, h);
    return h->in[0];
}

static void stage_forward(Piece *p, void *ctx)
{
    const HeadLearn *h = ctx;
    read_states(p, h, tile(p, h->in[0]));
    for (int i = 0; i < h->steps; i++) {
        const HeadStep *y = &h->step[i];
        View x = tile(p, h->in[i]), out = tile(p, h->in[i + 1]);
        drop(p, h, x, i);
        p->dev->linear(p, &(Linear){.x = x,
                                    .w = transformer_weight(h->t, y->dense.id),
                                    .y = out,
                                    .act = y->act,
                                    .pre = tile(p, h->pre[i])});
        if (y->norm.gamma >= 0)
            p->dev->norm(p, &(Norm){.x = out,
                                    .sum = tile(p, h->sum[i]),
                                    .y = out,
                                    .gamma = transformer_value(h->t, y->norm.gamma),
                                    .beta = transformer_value(h->t, y->norm.beta),
                                    .eps = transformer_settings(h->t)->eps,
                                    .stats = tile(p, h->stats[i]).p});
    }
}

View head_learn_forward(HeadLearn *h, const HeadItems *items, const Drops *drops, Err *e)
{
    Device *dev = h->t->dev;
    if (begin(h, items, drops, e) < 0)
        return (View){0};
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = h->n}, stage_forward, h);
    return h->in[h->steps];
}

/* ---- back ---- */

/* From the logits' gradient to that of what the head read; of each step's product for its
 * matrix. */
static void stage_backward(Piece *p, void *ctx)
{
    const HeadLearn *h = ctx;
    View dy = tile(p, h->in[h->steps]);
    for (int i = h->steps - 1; i >= 0; i--) {
        const HeadStep *y = &h->step[i];
        View dpre = tile(p, h->dpre[i]), din = tile(p, h->din[i]);
        if (y->norm.gamma >= 0)
            p->dev->norm_bwd(p, &(NormBwd){.dy = dy,
                                           .s = tile(p, h->sum[i]),
                                           .dx = dpre,
                                           .stats = tile(p, h->stats[i]).p,
                                           .gamma = transformer_value(h->t, y->norm.gamma)});
        p->dev->act_bwd(p, &(ActivateBwd){.x = tile(p, h->pre[i]),
                                          .dy = y->norm.gamma >= 0 ? dpre : dy,
                                          .dx = dpre,
                                          .act = y->act});
        p->dev->linear_dx(
            p, &(LinearDx){.dy = dpre, .w = transformer_weight(h->t, y->dense.id), .dx = din});
        drop(p, h, din, i);
        dy = din;
    }
}

/* To the states; those that the head did not read have none. */
static void stage_spread(Piece *p, void *ctx)
{
    const HeadLearn *h = ctx;
    View to = transformer_states_grad(h->t);
    p->dev->gather(p, &(Gather){.x = h->din[0],
                                .y = view_rows(to, p->lo, p->hi),
                                .index = h->spread + p->lo,
                                .weight = h->back_weight + p->lo});
}

static void stage_put_back(Piece *p, void *ctx)
{
    const HeadLearn *h = ctx;
    View to = transformer_states_grad(h->t);
    if (h->token)
        p->dev->gather(p, &(Gather){.x = view_rows(h->din[0], p->lo, p->hi),
                                    .y = to,
                                    .out = h->token + p->lo,
                                    .rows = p->hi - p->lo});
    else
        p->dev->mix(p, &(Mix){.x = tile(p, h->din[0]), .y = tile(p, to), .a = 1});
}

static int back_room(HeadLearn *h, Err *e)
{
    for (int i = 0; i < h->steps; i++)
        if (room(h, &h->of[i][4], h->step[i].dense.in, &h->din[i], e) < 0 ||
            room(h, &h->of[i][5], dense_out(&h->step[i].dense), &h->dpre[i], e) < 0)
            return -1;
    return 0;
}

int head_learn_backward(HeadLearn *h, const HeadItems *items, const Learn *l, Err *e)
{
    Device *dev = h->t->dev;
    Items list = {.t = h->t, .learn = l, .add = l->add};
    if (back_room(h, e) < 0)
        return -1;
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = h->n}, stage_backward, h);
    for (int i = h->steps - 1; i >= 0; i--) {
        items_dense(&list, &h->step[i].dense, h->dpre[i], h->in[i]);
        if (h->step[i].norm.gamma >= 0)
            items_norm(&list, &h->step[i].norm, i + 1 < h->steps ? h->din[i + 1] : h->in[h->steps],
                       h->sum[i], h->stats[i]);
    }
    items_run(&list);
    if (h->given)
        return 0;
    View to = transformer_states_grad(h->t);
    if (h->mean) {
        dev->each(dev, EACH_ROWS, &(Batch){.tokens = items->tokens}, stage_spread, h);
        return 0;
    }
    if (h->token)
        dev->fill(dev, to.p, 0, (size_t)(to.rows * to.cols) * sizeof(float));
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = h->n}, stage_put_back, h);
    return 0;
}
