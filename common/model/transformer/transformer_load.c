#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A weight to be packed, and where it goes. */
typedef struct Job {
    View part[3];
    const float *bias[3];
    int parts;
    Weight **to;
} Job;

enum { JOBS = 7 }; /* weights a layer, at most */

typedef struct Loader {
    Transformer *enc;
    Err *e;
    bool failed;
    Job *job;
    int jobs;
} Loader;

static const float *get(Loader *l, const char *format, const char *part, int layer, int64_t rows,
                        int64_t cols)
{
    char name[256];
    int n = snprintf(name, sizeof name, format, layer);
    snprintf(name + n, sizeof name - (size_t)n, "%s", part);
    const float *p = l->failed ? NULL : weights_get(l->enc->weights, name, rows, cols, l->e);
    l->failed = l->failed || !p;
    return p;
}

static const float *hold(Loader *l, const float *p, int64_t n)
{
    const float *d = p ? l->enc->dev->hold(l->enc->dev, p, (size_t)n * sizeof *p) : NULL;
    if (p && !d) {
        err_set(l->e, "out of memory on %s", l->enc->dev->name);
        l->failed = true;
    }
    return d;
}

/* A table of embeddings. */
static const float *get_table(Loader *l, const char *name, int64_t entries)
{
    int64_t wide = l->enc->config.embedding;
    return hold(l, get(l, name, ".weight", 0, entries, wide), entries * wide);
}

static Norms get_norm(Loader *l, const char *format, int layer, int64_t wide)
{
    Norms n = {NULL, NULL};
    if (!format)
        return n;
    n.gamma = hold(l, get(l, format, ".weight", layer, wide, 0), wide);
    if (!l->enc->config.family->rms)
        n.beta = hold(l, get(l, format, ".bias", layer, wide, 0), wide);
    return n;
}

/* `parts` matrices of n outputs and k inputs to be stacked into one weight. */
static void get_linear(Loader *l, Weight **to, const char *const *format, int parts, int layer,
                       int64_t n, int64_t k)
{
    const Family *f = l->enc->config.family;
    int64_t rows = f->by_input ? k : n, cols = f->by_input ? n : k;
    Job *j = &l->job[l->jobs++];
    *j = (Job){.parts = parts, .to = to};
    for (int i = 0; i < parts; i++) {
        const float *w = get(l, format[i], ".weight", layer, rows, cols);
        j->part[i] = view_of((void *)(uintptr_t)w, K_F32, rows, cols);
        j->bias[i] = f->plain ? NULL : get(l, format[i], ".bias", layer, n, 0);
    }
}

static void load_layer(Loader *l, const Names *n, TransformerLayer *y, int i)
{
    const Config *c = &l->enc->config;
    int64_t h = c->hidden, wide = c->heads * c->size;
    if (n->qkv)
        get_linear(l, &y->qkv, &n->qkv, 1, i, 3 * wide, h);
    else
        get_linear(l, &y->qkv, (const char *const[]){n->query, n->key, n->value}, 3, i, wide, h);
    get_linear(l, &y->out, &n->attend_out, 1, i, h, wide);
    y->attend = get_norm(l, n->attend_norm, i, h);
    if (n->cross_query) {
        get_linear(l, &y->cross_query, &n->cross_query, 1, i, wide, h);
        get_linear(l, &y->cross_pair, (const char *const[]){n->cross_key, n->cross_value}, 2, i,
                   wide, h);
        get_linear(l, &y->cross_out, &n->cross_out, 1, i, h, wide);
        y->cross = get_norm(l, n->cross_norm, i, h);
    }
    if (c->gated)
        get_linear(l, &y->up, (const char *const[]){n->gate, n->gated}, 2, i, c->inner, h);
    else
        get_linear(l, &y->up, &n->up, 1, i, c->inner, h);
    get_linear(l, &y->down, &n->down, 1, i, h, c->inner);
    y->feed = get_norm(l, n->feed_norm, i, h);
}

/* Packing reads and writes every weight once: worth all threads when a pipeline starts cold. */
static void stage_pack(Piece *p, void *ctx)
{
    Loader *l = ctx;
    const Family *f = l->enc->config.family;
    for (int64_t i = p->lo; i < p->hi; i++) {
        Job *j = &l->job[i];
        *j->to = p->dev->pack(p->dev, j->part, f->plain ? NULL : j->bias, j->parts, f->by_input,
                              l->enc->type);
        for (int k = 0; k < j->parts; k++)
            weights_done(l->enc->weights, j->part[k].p, j->part[k].rows * j->part[k].cols);
    }
}

static void pack_all(Loader *l)
{
    Device *dev = l->enc->dev;
    dev->each(dev, EACH_COLS, &(Batch){.cols = l->jobs}, stage_pack, l);
    for (int i = 0; i < l->jobs && !l->failed; i++)
        if (!*l->job[i].to) {
            err_set(l->e, "out of memory on %s", dev->name);
            l->failed = true;
        }
}

static void load_half(Loader *l, Half *h)
{
    const Config *c = &l->enc->config;
    const Names *n = h->names;
    char project[128];
    if (n->position)
        h->position = get_table(l, n->position, c->first + c->positions);
    if (n->kind && c->types)
        h->kind = get_table(l, n->kind, c->types);
    h->embed = get_norm(l, n->embed_norm, 0, c->embedding);
    snprintf(project, sizeof project, "%s.weight", n->project ? n->project : "");
    if (c->embedding != c->hidden || (n->project && weights_has(l->enc->weights, project)))
        get_linear(l, &h->project, &n->project, 1, 0, c->hidden, c->embedding);
    if (h->whole)
        h->last = get_norm(l, n->last_norm, 0, c->hidden);
    bool shared = !strchr(n->attend_out, '%');
    h->owned = shared && h->end > h->first ? 1 : h->end - h->first;
    h->layer = mem_zero((size_t)h->owned, sizeof *h->layer);
    for (int i = 0; i < h->owned && !l->failed; i++)
        load_layer(l, n, &h->layer[i], i);
}

/* Which entry of the table is for keys that far behind the query, or if negative before it: a
 * quarter of them for each near distance on either side, the others for ranges that grow by a
 * factor (Raffel et al. 2020, 2.1). In the reference's f32, where a range begins. */
static int64_t bucket_of(int64_t distance, const Config *c)
{
    int64_t side = c->buckets / 2, exact = side / 2, n = distance < 0 ? -distance : distance;
    int64_t base = distance > 0 ? side : 0;
    if (n < exact)
        return base + n;
    float ranges = logf((float)n / (float)exact) / (float)log((double)c->distance / (double)exact) *
                   (float)(side - exact);
    int64_t bucket = exact + (int64_t)ranges;
    return base + (bucket < side ? bucket : side - 1);
}

/* The table [buckets, heads] as attend wants it, by distance. */
static void load_distance(Loader *l, const char *name)
{
    Transformer *enc = l->enc;
    const Config *c = &enc->config;
    int64_t wide = 2 * c->distance + 1;
    const float *table = get(l, name, ".weight", 0, c->buckets, c->heads);
    if (!table)
        return;
    enc->distance_host = mem_array((size_t)(c->heads * wide), sizeof(float));
    for (int64_t h = 0; h < c->heads; h++)
        for (int64_t i = 0; i < wide; i++)
            enc->distance_host[h * wide + i] = table[bucket_of(i - c->distance, c) * c->heads + h];
    enc->distance = hold(l, enc->distance_host, c->heads * wide);
}

int transformer_weights(Transformer *enc, Err *e)
{
    const Config *c = &enc->config;
    const Family *f = c->family;
    Loader l = {.enc = enc, .e = e};
    char name[128];
    snprintf(name, sizeof name, "%s.weight", f->word);
    bool tied = f->tied && !weights_has(enc->weights, name);
    enc->word = get_table(&l, tied ? f->tied : f->word, c->vocab);
    l.job = mem_zero((size_t)(enc->layers * JOBS + HALVES), sizeof *l.job);
    for (int i = 0; i < enc->halves; i++)
        load_half(&l, &enc->half[i]);
    if (f->encoder.distance)
        load_distance(&l, f->encoder.distance);
    if (!l.failed)
        pack_all(&l);
    free(l.job);
    return l.failed ? -1 : 0;
}
