#include "model/head.h"

#include "base/mem.h"
#include "model/encoder.h"
#include "model/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Head {
    Device *dev;
    HeadFile file;    /* a trained head's; else all zero but what is borrowed below */
    Config config;    /* a checkpoint's */
    Weights *weights; /* a checkpoint's, mapped */
    Pooler *pooler;
    int layers;
    Weight *layer[HEAD_LAYERS];
    float *device[2 * HEAD_LAYERS]; /* matrices and biases that `layer` refers to */
    int64_t size[HEAD_LAYERS + 1];
    char fingerprint[HASH_TEXT];
    char *folder;
    bool trained;
};

static float *upload(Head *h, int slot, const float *p, int64_t n, Err *e)
{
    size_t bytes = (size_t)n * sizeof *p;
    float *d = h->device[slot] = h->dev->alloc(h->dev, bytes);
    if (d)
        h->dev->put(h->dev, d, p, bytes);
    else
        err_set(e, "out of memory on %s", h->dev->name);
    return d;
}

static int add_layer(Head *h, const float *w, const float *b, int64_t n, int64_t k, Err *e)
{
    int i = h->layers;
    float *dw = upload(h, 2 * i, w, n * k, e), *db = upload(h, 2 * i + 1, b, n, e);
    if (!dw || !db || !(h->layer[i] = h->dev->refer(h->dev, view_of(dw, K_F32, n, k), db)))
        return -1;
    h->size[i] = k;
    h->size[i + 1] = n;
    h->layers++;
    return 0;
}

static int load_trained(Head *h, const char *folder, Err *e)
{
    Pooling p;
    if (headfile_load(folder, &h->file, e) < 0)
        return -1;
    h->trained = true;
    for (int i = 0; i < h->file.layers; i++)
        if (add_layer(h, h->file.weight[i], h->file.bias[i], h->file.size[i + 1],
                      h->file.size[i], e) < 0)
            return -1;
    if (!h->file.pool[0])
        return 0;
    if (pooling_parse(h->file.pool, &p, e) < 0)
        return err_at(e, "%s", folder);
    if (p.kind != POOL_POOLER)
        return (h->pooler = pooler_new(p, h->dev, NULL, NULL, e)) ? 0 : -1;
    /* The pooler's weights are the encoder's. */
    char *encoder = model_encoder_folder(folder, e);
    if (encoder && config_load(encoder, &h->config, e) == 0 &&
        (h->weights = weights_open(encoder, h->config.family->prefix, e)))
        h->pooler = pooler_new(p, h->dev, &h->config, h->weights, e);
    free(encoder);
    return h->pooler ? 0 : -1;
}

static int load_checkpoint(Head *h, const char *folder, Err *e)
{
    Config *c = &h->config;
    if (config_load(folder, c, e) < 0 || !(h->weights = weights_open(folder, c->family->prefix, e)))
        return -1;
    char weight[128], bias[128];
    snprintf(weight, sizeof weight, "%s.weight", c->family->classifier);
    snprintf(bias, sizeof bias, "%s.bias", c->family->classifier);
    if (!weights_has(h->weights, weight))
        return err_set(e, "%s: %s has no class head: train one (encode | pool | train --head "
                          "linear -o DIR) and say -m DIR", folder,
                       c->architecture[0] ? c->architecture : "this checkpoint");
    const float *w = weights_get(h->weights, weight, c->labels, c->hidden, e);
    const float *b = w ? weights_get(h->weights, bias, c->labels, 0, e) : NULL;
    if (!b || add_layer(h, w, b, c->labels, c->hidden, e) < 0)
        return -1;
    encoder_fingerprint(h->weights, c, h->fingerprint);
    h->pooler = pooler_new((Pooling){.kind = POOL_POOLER}, h->dev, c, h->weights, e);
    return h->pooler ? 0 : -1;
}

Head *head_load(const char *folder, Device *dev, Err *e)
{
    Head *h = mem_zero(1, sizeof *h);
    h->dev = dev;
    h->folder = mem_str(folder);
    int r = headfile_is(folder) ? load_trained(h, folder, e) : load_checkpoint(h, folder, e);
    if (r == 0)
        return h;
    head_free(h);
    return NULL;
}

void head_free(Head *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->layers; i++)
        h->dev->unpack(h->dev, h->layer[i]);
    for (int i = 0; i < 2 * HEAD_LAYERS; i++)
        h->dev->free(h->dev, h->device[i]);
    if (h->trained)
        headfile_free(&h->file);
    pooler_free(h->pooler);
    weights_close(h->weights);
    config_clear(&h->config);
    free(h->folder);
    free(h);
}

int64_t head_classes(const Head *h)
{
    return h->size[h->layers];
}

const char *head_class(const Head *h, int64_t i)
{
    return h->trained ? h->file.label[i] : h->config.label[i];
}

const char *head_problem(const Head *h)
{
    return h->trained ? "" : h->config.problem;
}

int64_t head_width(const Head *h)
{
    return h->size[0];
}

const char *head_encoder(const Head *h)
{
    return h->trained ? h->file.encoder : h->fingerprint;
}

const char *head_model(const Head *h)
{
    return h->trained ? h->file.model : h->folder;
}

int64_t head_layer(const Head *h)
{
    return h->trained ? h->file.layer : h->config.layers;
}

const char *head_pool(const Head *h)
{
    return h->trained ? h->file.pool : "pooler";
}

Pooler *head_pooler(Head *h)
{
    return h->pooler;
}

typedef struct Run {
    Head *h;
    View x, y;
} Run;

static void stage(Piece *p, void *ctx)
{
    const Run *u = ctx;
    const Head *h = u->h;
    View x = view_rows(u->x, p->lo, p->hi);
    for (int i = 0; i < h->layers; i++) {
        bool last = i == h->layers - 1;
        View y = last ? view_rows(u->y, p->lo, p->hi)
                      : temp_view(p, K_F32, p->hi - p->lo, h->size[i + 1]);
        p->dev->linear(p, &(Linear){.x = x, .w = h->layer[i], .y = y,
                                    .act = last ? ACT_NONE : ACT_RELU});
        x = y;
    }
}

int head_run(Head *h, const float *x, int64_t rows, float *logits, Err *e)
{
    Device *d = h->dev;
    char why[256];
    size_t in = (size_t)(rows * head_width(h)) * sizeof *x;
    size_t out = (size_t)(rows * head_classes(h)) * sizeof *logits;
    const void *held = d->hold(d, x, in);
    void *y = d->alloc(d, out);
    int r = held && y ? 0 : err_set(e, "out of memory on %s", d->name);
    if (r == 0) {
        Run u = {h, view_of((void *)(uintptr_t)held, K_F32, rows, head_width(h)),
                 view_of(y, K_F32, rows, head_classes(h))};
        d->each(d, EACH_ROWS, &(Batch){.tokens = rows}, stage, &u);
        d->get(d, logits, y, out);
        if (d->wait(d, why, sizeof why) < 0)
            r = err_set(e, "%s", why);
    }
    d->free(d, y);
    d->release(d, held);
    return r;
}
