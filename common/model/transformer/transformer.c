#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

/* Which layers are whose: `layers` of them run, through encoder and decoder. */
static void set_halves(Transformer *enc)
{
    const Config *c = &enc->config;
    int64_t encoder = c->layers - c->decoders, all[HALVES] = {encoder, c->layers};
    const Names *names[HALVES] = {&c->family->encoder, &c->family->decoder};
    enc->halves = enc->layers > encoder ? 2 : 1;
    for (int i = 0; i < enc->halves; i++) {
        Half *h = &enc->half[i];
        h->names = names[i];
        h->first = i ? encoder : 0;
        h->end = enc->layers < all[i] ? enc->layers : all[i];
        h->whole = h->end == all[i];
        h->causal = i ? true : c->causal;
    }
}

Transformer *transformer_load(const char *folder, Device *dev, KType type, int64_t layers, Err *e)
{
    Transformer *enc = mem_zero(1, sizeof *enc);
    enc->dev = dev;
    enc->type = type;
    enc->compute = type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
    if (config_load(folder, &enc->config, e) < 0)
        goto fail;
    enc->layers = layers < 0 ? enc->config.layers : layers;
    if (enc->layers > enc->config.layers) {
        err_set(e, "%s: layer %lld asked for, but the model has %lld", folder, (long long)layers,
                (long long)enc->config.layers);
        goto fail;
    }
    set_halves(enc);
    if (!(enc->weights = weights_open(folder, enc->config.family->prefix, e)) ||
        transformer_weights(enc, e) < 0)
        goto fail;
    return enc;
fail:
    transformer_free(enc);
    return NULL;
}

static void free_half(Device *dev, Half *h)
{
    for (int64_t i = 0; h->layer && i < h->owned; i++) {
        TransformerLayer *y = &h->layer[i];
        Weight *all[] = {y->qkv,       y->out, y->cross_query, y->cross_pair,
                         y->cross_out, y->up,  y->down};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            dev->unpack(dev, all[k]);
    }
    dev->unpack(dev, h->project);
    free(h->layer);
}

void transformer_free(Transformer *enc)
{
    if (!enc)
        return;
    for (int i = 0; i < enc->halves; i++)
        free_half(enc->dev, &enc->half[i]);
    for (int i = 0; i < SPACES; i++)
        enc->dev->free(enc->dev, enc->space[i].p);
    free(enc->distance_host);
    free(enc->starts);
    free(enc->ids);
    free(enc->positions);
    free(enc->kinds);
    weights_close(enc->weights);
    config_clear(&enc->config);
    free(enc);
}

const Config *transformer_config(const Transformer *enc)
{
    return &enc->config;
}

int64_t transformer_layers(const Transformer *enc)
{
    return enc->layers;
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
    const char *once[] = {n->position, n->kind,     n->embed_norm,
                          n->project,  n->distance, n->last_norm};
    const char *each[] = {n->qkv,         n->query,       n->key,         n->value,
                          n->attend_out,  n->attend_norm, n->cross_query, n->cross_key,
                          n->cross_value, n->cross_out,   n->cross_norm,  n->up,
                          n->gate,        n->gated,       n->down,        n->feed_norm};
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
    for (int part = 0; part < 2; part++) {
        const char *suffix = part ? ".bias" : ".weight";
        add_weight(h, w, f->word, 0, suffix);
        add_half(h, w, &f->encoder, c->layers - c->decoders, suffix);
        add_half(h, w, &f->decoder, c->decoders, suffix);
    }
    hash_end(h, out);
}

void transformer_rest(const Transformer *enc)
{
    const Config *c = &enc->config;
    weights_done(enc->weights, enc->word, c->vocab * c->embedding); /* where they lie mapped */
}

void transformer_identity(const Transformer *enc, char out[HASH_TEXT])
{
    transformer_fingerprint(enc->weights, &enc->config, out);
}

int transformer_check(const Transformer *enc, const TransformerIn *in, Err *e)
{
    const Config *c = &enc->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1];
        e->row = r + 1;
        if (c->positions && to - from > c->positions)
            return err_set(e, "%lld tokens, but the model has %lld positions: tok -n %lld",
                           (long long)(to - from), (long long)c->positions,
                           (long long)c->positions);
        for (int64_t t = from; t < to; t++) {
            if (in->id[t] < 0 || in->id[t] >= c->vocab)
                return err_set(e,
                               "token id %d is outside the model's vocabulary of %lld: were "
                               "the ids made for another model?",
                               in->id[t], (long long)c->vocab);
            if (in->kind && c->types && in->kind[t] >= c->types)
                return err_set(e, "token type %d, but the model has %lld types", in->kind[t],
                               (long long)c->types);
        }
    }
    e->row = 0;
    return 0;
}
