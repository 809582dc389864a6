#include "model/transformer/plan.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 256, KNOWN = 64 };

/* Which names the checkpoint has in any of its layers: each is asked for in every layer. */
typedef struct Known {
    int n;
    struct {
        const char *format, *end; /* by pointer: they are families.c's own */
        bool found;
    } of[KNOWN];
} Known;

/* What is being planned: its layer, of how many, and to which part of the model it counts. */
typedef struct Planner {
    Plan *plan;
    const Config *config;
    const Weights *weights;
    int layer, layers;
    int first; /* layers of the halves before */
    Part part;
    Known *known; /* of this half */
} Planner;

static void full_name(char name[NAME], const char *format, int layer, const char *end)
{
    char inner[NAME];
    /* `format` is one of families.c's own. */
    snprintf(inner, sizeof inner, format, layer);
    snprintf(name, NAME, "%s%s", inner, end);
}

static int add(const Planner *u, const char *format, const char *end, int64_t rows, int64_t cols,
               bool decays)
{
    char name[NAME];
    full_name(name, format, u->layer, end);
    return params_add(&u->plan->params,
                      (Param){.name = name,
                              .rows = rows,
                              .cols = cols,
                              .decays = decays,
                              .part = u->part,
                              .layer = strchr(format, '%') ? u->first + u->layer : -1});
}

/* Of any layer: where one of them lacks what the others have, that is a fault to be told. */
static bool has(const Planner *u, const char *format, const char *end, bool usually)
{
    Known *k = u->known;
    char name[NAME];
    bool found = false;
    if (!u->weights)
        return usually;
    for (int i = 0; i < k->n; i++)
        if (k->of[i].format == format && k->of[i].end == end)
            return k->of[i].found;
    for (int i = 0; !found && i < (strchr(format, '%') ? u->layers : 1); i++) {
        full_name(name, format, i, end);
        found = weights_has(u->weights, name);
    }
    if (k->n < KNOWN) {
        k->of[k->n].format = format;
        k->of[k->n].end = end;
        k->of[k->n++].found = found;
    }
    return found;
}

static int table(const Planner *u, const char *name, int64_t entries, int64_t wide)
{
    return name ? add(u, name, ".weight", entries, wide, true) : -1;
}

static NormPlan norm(const Planner *u, const char *format, int64_t wide)
{
    NormPlan n = {-1, -1};
    if (!format)
        return n;
    n.gamma = add(u, format, ".weight", wide, 0, false);
    if (has(u, format, ".bias", !u->config->family->rms && !u->config->family->bare))
        n.beta = add(u, format, ".bias", wide, 0, false);
    return n;
}

/* Matrices of out[i] outputs, and biases if any of them has one. */
static Dense dense(const Planner *u, const char *const *format, int parts, const int64_t *out,
                   int64_t in)
{
    const Family *f = u->config->family;
    Dense d = {.id = u->plan->denses++, .bias = -1, .parts = parts, .in = in};
    bool biased = false;
    for (int i = 0; i < parts; i++) {
        int64_t rows = f->by_input ? in : out[i], cols = f->by_input ? out[i] : in;
        int at = add(u, format[i], ".weight", rows, cols, true);
        d.weight = i ? d.weight : at;
        d.out[i] = out[i];
        biased = biased || has(u, format[i], ".bias", !f->bare);
    }
    for (int i = 0; biased && i < parts; i++) {
        int at = add(u, format[i], ".bias", out[i], 0, false);
        d.bias = i ? d.bias : at;
    }
    return d;
}

static Dense one_dense(const Planner *u, const char *format, int64_t out, int64_t in)
{
    return dense(u, &format, 1, &out, in);
}

static const Dense no_dense = {.id = -1};

/* Which rows or columns are a head's, for those that are not there (Config.pruned). */
static void mark_heads(const Planner *u, const Dense *d, bool outputs, int times)
{
    Param *all = u->plan->params.param;
    for (int i = 0; i < d->parts; i++) {
        all[d->weight + i].heads = times;
        all[d->weight + i].by_col = outputs == u->config->family->by_input;
        if (outputs && d->bias >= 0)
            all[d->bias + i].heads = times;
    }
}

static LayerPlan plan_one(const Planner *u, const Names *n)
{
    const Config *c = u->config;
    int64_t h = c->hidden, wide = c->heads * c->size, narrow = c->kv_heads * c->size;
    LayerPlan y;
    y.qkv = n->qkv ? one_dense(u, n->qkv, wide + 2 * narrow, h)
                   : dense(u, (const char *const[]){n->query, n->key, n->value}, 3,
                           (int64_t[]){wide, narrow, narrow}, h);
    y.out = one_dense(u, n->attend_out, h, wide);
    if (c->pruned) {
        mark_heads(u, &y.qkv, true, n->qkv ? 3 : 1);
        mark_heads(u, &y.out, false, 1);
    }
    y.attend = u->config->family->unnormed && u->layer == 0 ? (NormPlan){-1, -1}
                                                            : norm(u, n->attend_norm, h);
    y.query = norm(u, n->query_norm, c->size);
    y.key = norm(u, n->key_norm, c->size);
    y.far_key = y.far_query = no_dense;
    if (c->far.by_query && !c->far.shared)
        y.far_key = one_dense(u, n->far_key, wide, h);
    if (c->far.by_key && !c->far.shared)
        y.far_query = one_dense(u, n->far_query, wide, h);
    y.cross_query = y.cross_pair = y.cross_out = no_dense;
    if (n->cross_query) {
        y.cross_query = one_dense(u, n->cross_query, wide, h);
        y.cross_pair = dense(u, (const char *const[]){n->cross_key, n->cross_value}, 2,
                             (int64_t[]){narrow, narrow}, h);
        y.cross_out = one_dense(u, n->cross_out, h, wide);
    }
    y.cross = norm(u, n->cross_norm, h);
    y.up = c->gated && !n->gated ? one_dense(u, n->gate, 2 * c->inner, h)
           : c->gated            ? dense(u, (const char *const[]){n->gate, n->gated}, 2,
                                         (int64_t[]){c->inner, c->inner}, h)
                                 : one_dense(u, n->up, c->inner, h);
    y.down = one_dense(u, n->down, h, c->inner);
    y.feed = norm(u, n->feed_norm, h);
    return y;
}

static void plan_half(Planner *u, HalfPlan *h, const Names *n)
{
    const Config *c = u->config;
    u->part = PART_EMBEDDINGS;
    u->layer = 0;
    u->first = (int)h->first;
    h->position = c->unplaced ? -1 : table(u, n->position, c->first + c->positions, c->embedding);
    if (c->family->positions == POSITIONS_WAVES)
        u->plan->params.param[h->position].waves = true;
    h->kind = c->types ? table(u, n->kind, c->types, c->embedding) : -1;
    h->embed = norm(u, n->embed_norm, c->family->raised ? c->hidden : c->embedding);
    h->project = no_dense;
    if (c->embedding != c->hidden || (n->project && has(u, n->project, ".weight", false))) {
        /* Whose module it is in: ALBERT's encoder has its own. */
        u->part = strncmp(n->project, "encoder.", 8) == 0 ? PART_LAYERS : PART_EMBEDDINGS;
        h->project = one_dense(u, n->project, c->hidden, c->embedding);
    }
    bool shared = !strchr(n->attend_out, '%');
    h->owned = shared && h->end > h->first ? 1 : h->end - h->first;
    h->layer = mem_zero((size_t)h->owned, sizeof *h->layer);
    u->part = PART_LAYERS;
    u->layers = (int)h->owned;
    u->known->n = 0;
    h->far = c->far.entries ? table(u, n->relative, c->far.entries, c->hidden) : -1;
    h->far_norm = c->far.normed ? norm(u, n->relative_norm, c->hidden) : (NormPlan){-1, -1};
    for (u->layer = 0; u->layer < h->owned; u->layer++)
        h->layer[u->layer] = plan_one(u, n);
    h->last = (NormPlan){-1, -1};
    if (h->whole)
        h->last = norm(u, n->last_norm, c->hidden);
}

/* Which layers are whose. */
static void set_halves(Plan *p, const Config *c)
{
    int64_t encoder = c->layers - c->decoders, all[HALVES] = {encoder, c->layers};
    p->halves = p->layers > encoder ? 2 : 1;
    for (int i = 0; i < p->halves; i++) {
        HalfPlan *h = &p->half[i];
        h->first = i ? encoder : 0;
        h->end = p->layers < all[i] ? p->layers : all[i];
        h->whole = h->end == all[i];
        h->causal = i ? true : c->causal;
    }
}

void plan_new(Plan *p, const Config *c, const Weights *w, int64_t layers)
{
    const Family *f = c->family;
    Known known = {0};
    Planner u = {.plan = p, .config = c, .weights = w, .part = PART_EMBEDDINGS, .known = &known};
    *p = (Plan){.layers = layers, .distance = -1};
    set_halves(p, c);
    bool other = w && f->tied && !has(&u, f->word, ".weight", true);
    p->word = table(&u, other ? f->tied : f->word, c->vocab, c->embedding);
    const Names *names[HALVES] = {&f->encoder, &f->decoder};
    for (int i = 0; i < p->halves; i++)
        plan_half(&u, &p->half[i], names[i]);
    u.layer = u.first = 0;
    if (f->encoder.distance) {
        /* A bias, which no decay draws to 0; in the module of the first layer. */
        p->distance = add(&u, f->encoder.distance, ".weight", c->buckets, c->heads, false);
        p->params.param[p->distance].layer = 0;
    }
}

void plan_clear(Plan *p)
{
    for (int i = 0; i < p->halves; i++)
        free(p->half[i].layer);
    free(p->more);
    params_clear(&p->params);
}

static int one_param(Plan *p, const char *name, const char *end, int64_t rows, int64_t cols,
                     bool decays, Part part, bool fresh)
{
    char full[NAME];
    snprintf(full, sizeof full, "%s%s", name, end);
    return params_add(&p->params, (Param){.name = full,
                                          .rows = rows,
                                          .cols = cols,
                                          .decays = decays,
                                          .fresh = fresh,
                                          .part = part,
                                          .layer = -1});
}

Dense plan_dense(Plan *p, const char *name, int64_t out, int64_t in, bool bias, Part part,
                 bool fresh)
{
    Dense d = {.id = p->denses++, .bias = -1, .parts = 1, .out = {out}, .in = in, .plain = true};
    d.weight = one_param(p, name, ".weight", out, in, true, part, fresh);
    if (bias)
        d.bias = one_param(p, name, ".bias", out, 0, false, part, fresh);
    p->more = mem_resize(p->more, (size_t)p->mores + 1, sizeof *p->more);
    return p->more[p->mores++] = d;
}

NormPlan plan_norm(Plan *p, const char *name, int64_t wide, bool bias, Part part, bool fresh)
{
    NormPlan n = {-1, -1};
    n.gamma = one_param(p, name, ".weight", wide, 0, false, part, fresh);
    if (bias)
        n.beta = one_param(p, name, ".bias", wide, 0, false, part, fresh);
    return n;
}

int64_t plan_padding(const Plan *p, const Config *c, int param)
{
    const Family *f = c->family;
    bool position = param == p->half[0].position && f->positions == POSITIONS_BEHIND_PAD;
    return (param == p->word && !f->pad_learns) || position ? c->pad : -1;
}

const Dense **plan_denses(const Plan *p)
{
    const Dense **all = mem_zero((size_t)p->denses + 1, sizeof *all);
    for (int i = 0; i < p->mores; i++)
        all[p->more[i].id] = &p->more[i];
    for (int i = 0; i < p->halves; i++) {
        const HalfPlan *h = &p->half[i];
        if (h->project.id >= 0)
            all[h->project.id] = &h->project;
        for (int64_t k = 0; k < h->owned; k++) {
            const LayerPlan *y = &h->layer[k];
            const Dense *of[] = {&y->qkv, &y->out,  &y->cross_query, &y->cross_pair, &y->cross_out,
                                 &y->up,  &y->down, &y->far_key,     &y->far_query};
            for (size_t j = 0; j < sizeof of / sizeof *of; j++)
                if (of[j]->id >= 0)
                    all[of[j]->id] = of[j];
        }
    }
    return all;
}
