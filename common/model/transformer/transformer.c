#include "model/transformer/transformer_back.h"
#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

Transformer *transformer_load(const char *folder, Device *dev, KType type, int64_t layers, Err *e)
{
    Transformer *t = mem_zero(1, sizeof *t);
    t->dev = t->tape.dev = dev;
    t->type = type;
    t->compute = type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
    if (config_load(folder, &t->config, e) < 0)
        goto fail;
    if (layers > t->config.layers) {
        err_set(e, "%s: layer %lld asked for, but the model has %lld", folder, (long long)layers,
                (long long)t->config.layers);
        goto fail;
    }
    if (!(t->weights = weights_open(folder, t->config.family->prefix, e)))
        goto fail;
    plan_new(&t->plan, &t->config, t->weights, layers < 0 ? config_reads(&t->config) : layers);
    if (transformer_weights(t, e) == 0)
        return t;
fail:
    transformer_free(t);
    return NULL;
}

void transformer_free(Transformer *t)
{
    if (!t)
        return;
    for (int i = 0; t->weight && i < t->plan.denses; i++)
        t->dev->unpack(t->dev, t->weight[i]);
    for (int i = 0; t->value && !t->arena && i < t->plan.params.count; i++)
        if (t->value[i])
            t->dev->release(t->dev, t->value[i]);
    if (t->distance && !t->arena)
        t->dev->release(t->dev, t->distance);
    if (t->arena)
        t->dev->free(t->dev, t->arena);
    if (t->near)
        t->dev->release(t->dev, t->near);
    turns_free(&t->turns, t->dev);
    far_free(t);
    back_free(t);
    free(t->pass);
    tape_free(&t->tape);
    plan_clear(&t->plan);
    free(t->dense);
    free(t->weight);
    free(t->value);
    free(t->distance_host);
    free(t->near_host);
    free(t->waves);
    free(t->starts);
    free(t->ids);
    free(t->positions);
    free(t->kinds);
    weights_close(t->weights);
    config_clear(&t->config);
    free(t);
}

const Config *transformer_config(const Transformer *t)
{
    return &t->config;
}

int64_t transformer_layers(const Transformer *t)
{
    return t->plan.layers;
}

static void add_weight(Hash *h, const Weights *w, const char *format, int layer, const char *part)
{
    char name[256];
    if (!format)
        return;
    int n = snprintf(name, sizeof name, format, layer);
    snprintf(name + n, sizeof name - (size_t)n, "%s", part);
    weights_hash(w, name, h);
}

/* All weights or all biases of a half. */
static void add_half(Hash *h, const Weights *w, const Names *n, int64_t layers, const char *part)
{
    const char *once[] = {n->position, n->kind,      n->embed_norm, n->project,
                          n->distance, n->last_norm, n->relative,   n->relative_norm};
    const char *each[] = {n->qkv,         n->query,       n->key,         n->value,
                          n->attend_out,  n->attend_norm, n->query_norm,  n->key_norm,
                          n->cross_query, n->cross_key,   n->cross_value, n->cross_out,
                          n->cross_norm,  n->up,          n->gate,        n->gated,
                          n->down,        n->feed_norm,   n->far_key,     n->far_query};
    for (size_t i = 0; i < sizeof once / sizeof *once; i++)
        add_weight(h, w, once[i], 0, part);
    for (int layer = 0; layer < layers; layer++)
        for (size_t i = 0; i < sizeof each / sizeof *each; i++)
            add_weight(h, w, each[i], layer, part);
}

void transformer_fingerprint(const Weights *w, const Config *c, char out[HASH_TEXT])
{
    const Family *f = c->family;
    char text[256];
    Hash *h = hash_new();
    int n = snprintf(text, sizeof text, "%s %lld %lld %lld %s %.9g", f->type, (long long)c->hidden,
                     (long long)c->layers, (long long)c->heads, c->act_name, (double)c->eps);
    hash_add(h, text, (size_t)n);
    if (c->turned) {
        n = snprintf(text, sizeof text, "%lld %lld %.17g %.17g %d %.17g %.17g %.17g %lld %lld %lld",
                     (long long)c->kv_heads, (long long)c->turned, c->rope.base, c->rope.near_base,
                     (int)c->rope.kind, c->rope.factor, c->rope.low, c->rope.high,
                     (long long)c->rope.length, (long long)c->window, (long long)c->every);
        hash_add(h, text, (size_t)n);
    }
    if (c->far.entries) {
        const Distances *d = &c->far;
        n = snprintf(text, sizeof text, "%lld %lld %lld %d%d%d%d", (long long)d->entries,
                     (long long)d->buckets, (long long)d->most, d->by_query, d->by_key, d->shared,
                     d->normed);
        hash_add(h, text, (size_t)n);
    }
    for (int part = 0; part < 2; part++) {
        const char *suffix = part ? ".bias" : ".weight";
        add_weight(h, w, f->word, 0, suffix);
        add_half(h, w, &f->encoder, c->layers - c->decoders, suffix);
        if (!f->keys->speakers.name) /* hidden states do not depend on what only writes */
            add_half(h, w, &f->decoder, c->decoders, suffix);
    }
    hash_end(h, out);
}

void transformer_rest(const Transformer *t)
{
    const Config *c = &t->config;
    weights_done(t->weights, t->value[t->plan.word],
                 c->vocab * c->embedding); /* where they lie mapped */
}

void transformer_identity(const Transformer *t, char out[HASH_TEXT])
{
    transformer_fingerprint(t->weights, &t->config, out);
}

int transformer_check(const Transformer *t, const TransformerIn *in, Err *e)
{
    const Config *c = &t->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1];
        e->row = r + 1;
        if (c->positions && to - from > c->positions)
            return err_set(e, "%lld tokens, but the model has %lld positions: tok -n %lld",
                           (long long)(to - from), (long long)c->positions,
                           (long long)c->positions);
        for (int64_t i = from; i < to; i++) {
            if (in->id[i] < 0 || in->id[i] >= c->vocab)
                return err_set(e,
                               "token id %d is outside the model's vocabulary of %lld: were "
                               "the ids made for another model?",
                               in->id[i], (long long)c->vocab);
            if (in->kind && c->types && in->kind[i] >= c->types)
                return err_set(e, "token type %d, but the model has %lld types", in->kind[i],
                               (long long)c->types);
        }
    }
    e->row = 0;
    return 0;
}
