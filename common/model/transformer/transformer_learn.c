#include "model/transformer/transformer_back.h"
#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

Transformer *transformer_planned(Config *c, Weights *w, Device *dev, KType type)
{
    Transformer *t = mem_zero(1, sizeof *t);
    t->dev = t->tape.dev = dev;
    t->type = type;
    t->compute = type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
    t->config = *c;
    *c = (Config){0};
    t->weights = w;
    plan_new(&t->plan, &t->config, w, config_reads(&t->config));
    return t;
}

Device *transformer_device(const Transformer *t)
{
    return t->dev;
}

bool transformer_has_weights(const Transformer *t)
{
    return t->weights != NULL;
}

Plan *transformer_plan(Transformer *t)
{
    return &t->plan;
}

Config *transformer_settings(Transformer *t)
{
    return &t->config;
}

void transformer_make_again(Transformer *t)
{
    t->again = true;
}

float *transformer_numbers(Transformer *t)
{
    return t->arena;
}

const Weight *transformer_weight(const Transformer *t, int id)
{
    return t->weight[id];
}

const float *transformer_value(const Transformer *t, int param)
{
    return param < 0 ? NULL : t->value[param];
}

/* ---- parameters ---- */

static int read_param(Transformer *t, int i, Err *e)
{
    const Param *a = &t->plan.params.param[i];
    int64_t n = param_numbers(a);
    if ((!t->weights && !a->waves) || a->fresh) /* to be drawn */
        return 0;
    const float *p = transformer_param(t, i, e);
    if (!p)
        return -1;
    t->dev->put(t->dev, t->arena + a->at, p, (size_t)n * sizeof *p);
    if (p != t->waves)
        weights_done(t->weights, p, n);
    return 0;
}

static int make_arena(Transformer *t, Err *e)
{
    const Params *all = &t->plan.params;
    size_t bytes = (size_t)all->numbers * sizeof(float);
    t->arena = t->dev->alloc(t->dev, bytes);
    t->value = mem_zero((size_t)all->count, sizeof *t->value);
    if (!t->arena)
        return err_set(e, "out of memory on %s: %zu bytes for %lld parameters", t->dev->name, bytes,
                       (long long)all->numbers);
    t->dev->fill(t->dev, t->arena, 0, bytes);
    for (int i = 0; i < all->count; i++) {
        t->value[i] = t->arena + all->param[i].at;
        if (read_param(t, i, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- matrices ---- */

static int follow(Transformer *t, Err *e)
{
    t->dense = plan_denses(&t->plan);
    bool by_input = t->config.family->by_input;
    int r = 0;
    t->weight = mem_zero((size_t)t->plan.denses + 1, sizeof *t->weight);
    for (int i = 0; i < t->plan.denses && r == 0; i++) {
        const Dense *d = t->dense[i];
        bool turned = by_input && !d->plain;
        int64_t out = dense_out(d), rows = turned ? d->in : out, cols = turned ? out : d->in;
        View w = view_of((float *)(uintptr_t)t->value[d->weight], K_F32, rows, cols);
        t->weight[i] = t->dev->follow(t->dev, w, d->bias < 0 ? NULL : t->value[d->bias], turned,
                                      d->plain ? K_F32 : t->type);
        if (!t->weight[i])
            r = err_set(e, "out of memory on %s", t->dev->name);
    }
    return r;
}

/* What attention adds by distance, of the table: entry by entry, and back. */
static int use_distance(Transformer *t, Err *e)
{
    const Config *c = &t->config;
    int64_t span = 2 * c->distance + 1, n = c->heads * span;
    if (t->plan.distance < 0)
        return 0;
    int32_t *entry = mem_array((size_t)n, sizeof *entry);
    int64_t *from = mem_array((size_t)n, sizeof *from);
    for (int64_t h = 0; h < c->heads; h++)
        for (int64_t i = 0; i < span; i++) {
            int64_t at = distance_bucket(i - c->distance, c) * c->heads + h;
            entry[h * span + i] = (int32_t)at;
            from[h * span + i] = at;
        }
    int r = table_use(t, &t->buckets, t->plan.distance, entry, n, e);
    int64_t *index =
        r == 0 ? space_grow(&t->spread.space[0], t->dev, (size_t)n * sizeof *from, e) : NULL;
    float *all = index ? space_grow(&t->spread.space[1], t->dev, (size_t)n * sizeof *all, e) : NULL;
    if (all) {
        t->dev->put(t->dev, index, from, (size_t)n * sizeof *from);
        t->spread.token = index;
        t->spread.rows = n;
        t->distance = all;
    }
    free(entry);
    free(from);
    return all ? 0 : -1;
}

/* What changed, by parameter; NULL: all. */
typedef struct Renewal {
    Transformer *t;
    const bool *changed;
} Renewal;

static bool has_changed(const Renewal *r, int64_t dense)
{
    const Dense *d = r->t->dense[dense];
    bool changed = !r->changed;
    for (int i = 0; i < d->parts && !changed; i++)
        changed = r->changed[d->weight + i] || (d->bias >= 0 && r->changed[d->bias + i]);
    return changed;
}

static void stage_renew(Piece *p, void *ctx)
{
    const Renewal *r = ctx;
    const Transformer *t = r->t;
    for (int64_t i = p->lo; i < p->hi; i++)
        if (i < t->plan.denses && has_changed(r, i))
            p->dev->renew(p, t->weight[i]);
        else if (i == t->plan.denses)
            p->dev->gather(p, &(Gather){.x = view_of((float *)(uintptr_t)t->value[t->plan.distance],
                                                     K_F32, t->config.buckets * t->config.heads, 1),
                                        .y = view_of((float *)(uintptr_t)t->distance, K_F32,
                                                     t->spread.rows, 1),
                                        .index = t->spread.token});
}

void transformer_renew(Transformer *t, const bool *changed)
{
    int64_t n = t->plan.denses + (t->plan.distance >= 0);
    t->dev->each(t->dev, EACH_COLS, &(Batch){.cols = n}, stage_renew, &(Renewal){t, changed});
}

int transformer_learns(Transformer *t, Err *e)
{
    params_place(&t->plan.params);
    t->back = mem_zero(1, sizeof *t->back);
    t->pass = mem_zero(1, sizeof *t->pass);
    if (make_arena(t, e) < 0 || follow(t, e) < 0 || use_distance(t, e) < 0 ||
        transformer_near(t, e) < 0)
        return -1;
    transformer_renew(t, NULL);
    return 0;
}

/* ---- a batch ---- */

/* Rows of `in` are ours as long as the batch is under way. */
static int put_drops(Transformer *t, const TransformerIn *in, const Drops *drops, Err *e)
{
    t->drops = (Drops){0};
    if (!drops)
        return 0;
    t->drops = *drops;
    t->drops.numbers = tape_put(&t->tape, SPACE_NUMBERS, drops->numbers,
                                (size_t)in->tokens * sizeof *drops->numbers, e);
    return t->drops.numbers ? 0 : -1;
}

bool transformer_picks(const Transformer *t)
{
    const HalfPlan *h = &t->plan.half[0];
    return t->plan.halves == 1 && h->end > h->first;
}

/* The tokens that are read, and their numbers. */
static int put_picked(Run *u, const TransformerIn *in, const Drops *drops, Err *e)
{
    Transformer *t = u->t;
    size_t bytes = (size_t)in->reads * sizeof *in->read;
    t->picked_drops = t->drops;
    if (!in->read)
        return 0;
    u->picks = in->reads;
    u->picked = tape_put(&t->tape, SPACE_PICKED, in->read, bytes, e);
    if (!u->picked || !drops)
        return u->picked ? 0 : -1;
    int64_t *number = mem_array((size_t)in->reads, sizeof *number);
    for (int64_t i = 0; i < in->reads; i++)
        number[i] = drops->numbers[in->read[i]];
    t->picked_drops.numbers = tape_put(&t->tape, SPACE_PICKED_NUMBERS, number, bytes, e);
    free(number);
    return t->picked_drops.numbers ? 0 : -1;
}

int transformer_forward(Transformer *t, const TransformerIn *in, const Drops *drops, Err *e)
{
    Run *u = t->pass;
    *u = (Run){.t = t};
    t->starts = mem_resize(t->starts, (size_t)in->rows + 1, sizeof *t->starts);
    memcpy(t->starts, in->starts, (size_t)(in->rows + 1) * sizeof *t->starts);
    TransformerIn own = *in;
    own.starts = t->starts;
    if (batch_begin(u, &own, e) < 0 || put_drops(t, in, drops, e) < 0 ||
        put_picked(u, in, drops, e) < 0)
        return -1;
    for (int i = 0; i < t->plan.halves; i++) {
        if (batch_half(u, i, &own, e) < 0)
            return -1;
        transformer_half(u);
    }
    return 0;
}

static int64_t last_point(const Run *u)
{
    return point_of(u, u->half->end);
}

static View as_read(const Run *u, View v)
{
    return u->picked ? view_rows(v, 0, u->picks) : v;
}

View transformer_states(const Transformer *t)
{
    const Run *u = t->pass;
    return as_read(u, tape_place(&t->tape, t->plan.halves - 1, t->in, last_point(u)));
}

View transformer_states_grad(const Transformer *t)
{
    const Run *u = t->pass;
    return as_read(u, back_at(u, BACK_STATE, last_point(u)));
}

int transformer_back(Transformer *t, const Learn *l, const TransformerIn *in, Err *e)
{
    Run *u = t->pass;
    t->learn = *l;
    u->learn = &t->learn;
    return back_begin(u, in, e);
}

void transformer_backward(Transformer *t)
{
    Run *u = t->pass;
    Device *dev = t->dev;
    View memory = t->back->slot[BACK_MEMORY];
    size_t bytes = (size_t)(memory.rows * memory.cols) * sizeof(float);
    if (memory.p)
        dev->fill(dev, memory.p, 0, bytes);
    for (int i = t->plan.halves - 1; i >= 0; i--) {
        u->half = &t->plan.half[i];
        if (i == 0 && t->plan.halves > 1)
            back_from_memory(u);
        transformer_half_back(u);
    }
}
