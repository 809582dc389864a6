#include "model/head/head_in.h"

#include "base/mem.h"
#include "model/find.h"
#include "model/head/crossencoder.h"
#include "model/transformer/transformer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- opening ---- */

static int open_checkpoint(Head *h, Err *e)
{
    Config *c = &h->config;
    if (config_load(h->folder, c, e) < 0 ||
        !(h->weights = weights_open(h->folder, c->family->prefix, e)))
        return -1;
    headkinds_find(c, h->weights, h->kind);
    transformer_fingerprint(h->weights, c, h->fingerprint);
    if (c->labels == 1)
        h->activation = crossencoder_activation(h->folder, e);
    if (e->text[0])
        return -1;
    int beside = headfile_beside(h->folder, c->hidden, c->labels, &h->file, e);
    h->beside = beside == 1;
    return beside < 0 ? -1 : 0;
}

Head *head_open(const char *folder, Device *dev, Err *e)
{
    Head *h = mem_zero(1, sizeof *h);
    h->dev = dev;
    h->trained = headfile_is(folder);
    h->folder = h->trained ? mem_str(folder) : model_encoder_folder(folder, e);
    int r = !h->folder   ? -1
            : h->trained ? headfile_load(folder, &h->file, e)
                         : open_checkpoint(h, e);
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
        h->dev->unpack(h->dev, h->layer[i].w);
    for (int i = 0; i < h->panels; i++)
        h->dev->unpack(h->dev, h->panel[i]);
    free(h->panel);
    for (int i = 0; i < h->helds; i++)
        h->dev->release(h->dev, h->held[i]);
    headfile_free(&h->file);
    pooler_free(h->pooler);
    weights_close(h->weights);
    config_clear(&h->config);
    free(h->activation);
    free(h->folder);
    free(h);
}

bool head_has(const Head *h, HeadTask task)
{
    bool own = h->trained || h->beside;
    return own && task == HEAD_CLASS ? true : !h->trained && h->kind[task];
}

int head_only(const Head *h)
{
    int only = -1;
    for (int t = 0; t < HEAD_TASKS; t++)
        if (head_has(h, t)) {
            if (only >= 0)
                return -1;
            only = t;
        }
    return only < 0 ? HEAD_CLASS : only;
}

static void list(const Head *h, Buf *b)
{
    for (int t = 0; t < HEAD_TASKS; t++)
        if (head_has(h, t))
            buf_fmt(b, "%s%s", b->n ? ", " : "", head_task_names[t]);
    buf_add(b, "", 1);
}

static const char *architecture(const Head *h)
{
    return h->trained                  ? "WeftHead"
           : h->config.architecture[0] ? h->config.architecture
                                       : "this checkpoint";
}

int head_ask(const Head *h, Err *e)
{
    Buf has = {0};
    list(h, &has);
    err_set(e, "%s: %s has several heads: -T one of %s", h->folder, architecture(h), has.p);
    free(has.p);
    return -1;
}

static int lacks(const Head *h, HeadTask task, Err *e)
{
    Buf has = {0};
    list(h, &has);
    if (has.p[0])
        err_set(e, "%s: %s has no %s head, but %s", h->folder, architecture(h),
                head_task_names[task], has.p);
    else
        err_set(e, "%s: %s has no %s head%s", h->folder, architecture(h), head_task_names[task],
                task == HEAD_CLASS ? ": train one (encode | pool | train --head linear -o DIR) "
                                     "and say -m DIR"
                                   : ", nor any other");
    free(has.p);
    return -1;
}

/* ---- making ready ---- */

static const float *hold(Head *h, const float *p, int64_t n, Err *e)
{
    const float *d = p ? h->dev->hold(h->dev, p, (size_t)n * sizeof *p) : NULL;
    if (d)
        h->held[h->helds++] = d;
    else if (p)
        err_set(e, "out of memory on %s", h->dev->name);
    return d;
}

/* y = act(x W' + b), w [n, k], b [n] or NULL. */
static HeadLayer *add_layer(Head *h, const float *w, const float *b, int64_t n, int64_t k, Act act,
                            Err *e)
{
    HeadLayer *y = &h->layer[h->layers];
    *y = (HeadLayer){.act = act};
    if (h->packed) {
        View part = view_of((void *)(uintptr_t)w, K_F32, n, k);
        y->w = h->dev->pack(h->dev, &part, b ? &b : NULL, 1, false, K_F32);
    } else {
        const float *dw = hold(h, w, n * k, e), *db = hold(h, b, n, e);
        if (dw && (db || !b))
            y->w = h->dev->refer(h->dev, view_of((void *)(uintptr_t)dw, K_F32, n, k), db);
    }
    if (!y->w) {
        err_set(e, "out of memory on %s", h->dev->name);
        return NULL;
    }
    h->size[h->layers] = k;
    h->size[++h->layers] = n;
    return y;
}

static int use_stack(Head *h, Err *e)
{
    const HeadFile *f = &h->file;
    for (int i = 0; i < f->layers; i++)
        if (!add_layer(h, f->weight[i], f->bias[i], f->size[i + 1], f->size[i],
                       i < f->layers - 1 ? ACT_RELU : ACT_NONE, e))
            return -1;
    return 0;
}

static int use_beside(Head *h, Err *e)
{
    Pooling p;
    h->from = FROM_FIRST;
    if (pooling_parse(h->file.pool, &p, e) < 0)
        return err_at(e, "%s", h->folder);
    h->pooler = pooler_new(&p, h->dev, &h->config, h->weights, NULL, e);
    return h->pooler ? use_stack(h, e) : -1;
}

static int use_trained(Head *h, Err *e)
{
    const HeadFile *f = &h->file;
    Pooling p;
    if (use_stack(h, e) < 0)
        return -1;
    if (!f->pool[0])
        return 0;
    if (pooling_parse(f->pool, &p, e) < 0)
        return err_at(e, "%s", h->folder);
    if (p.kind != POOL_POOLER && !p.modules)
        return (h->pooler = pooler_new(&p, h->dev, NULL, NULL, NULL, e)) ? 0 : -1;
    /* The pooler's weights are the encoder's, and so are modules behind it. */
    char *home = model_home(h->folder, e), *encoder = model_encoder_folder(h->folder, e);
    if (home && encoder && config_load(encoder, &h->config, e) == 0 &&
        (h->weights = weights_open(encoder, h->config.family->prefix, e)))
        h->pooler = pooler_new(&p, h->dev, &h->config, h->weights, home, e);
    free(encoder);
    free(home);
    return h->pooler ? 0 : -1;
}

/* NAME.weight, NAME.bias */
static const float *get(Head *h, const char *name, const char *part, int64_t rows, int64_t cols,
                        Err *e)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", name, part);
    return weights_get(h->weights, full, rows, cols, e);
}

static int use_dense(Head *h, const HeadKind *k, Err *e)
{
    const Config *c = &h->config;
    int64_t n = k->narrow ? c->embedding : c->hidden;
    Act act = head_act(k, c);
    const float *w = get(h, k->dense, "weight", n, c->hidden, e);
    char name[128];
    snprintf(name, sizeof name, "%s.bias", k->dense);
    bool biased = !c->family->bare || weights_has(h->weights, name);
    const float *b = w && biased ? get(h, k->dense, "bias", n, 0, e) : NULL;
    HeadLayer *y = w && (b || !biased) ? add_layer(h, w, b, n, c->hidden, act, e) : NULL;
    if (!y || !k->norm)
        return y ? 0 : -1;
    const float *gamma = get(h, k->norm, "weight", n, 0, e);
    snprintf(name, sizeof name, "%s.bias", k->norm);
    bool shifts = !c->family->bare || weights_has(h->weights, name);
    const float *beta = gamma && shifts ? get(h, k->norm, "bias", n, 0, e) : NULL;
    y->gamma = beta || (gamma && !shifts) ? hold(h, gamma, n, e) : NULL;
    y->beta = y->gamma && shifts ? hold(h, beta, n, e) : NULL;
    return y->gamma && (y->beta || !shifts) ? 0 : -1;
}

/* The matrix from the vocabulary to the embeddings is in the checkpoint once, by either name. */
static const float *get_words(Head *h, const HeadKind *k, int64_t cols, Err *e)
{
    const Config *c = &h->config;
    const Family *f = c->family;
    char name[128];
    if (!c->tied)
        return get(h, k->output, "weight", c->vocab, cols, e);
    snprintf(name, sizeof name, "%s.weight", f->word);
    bool first = !f->tied || weights_has(h->weights, name);
    return get(h, first ? f->word : f->tied, "weight", c->vocab, cols, e);
}

static const float *get_bias(Head *h, const HeadKind *k, int64_t n, Err *e)
{
    if (k->shift)
        return weights_get(h->weights, k->shift, 1, n, e);
    if (k->bias && weights_has(h->weights, k->bias))
        return weights_get(h->weights, k->bias, n, 0, e);
    return get(h, k->output, "bias", n, 0, e);
}

static int64_t outputs(const Head *h, const HeadKind *k)
{
    if (k->words)
        return h->config.vocab;
    return k->task == HEAD_NEXT || k->task == HEAD_SPAN ? 2 : h->config.labels;
}

static int use_checkpoint(Head *h, const HeadKind *k, Err *e)
{
    static const PoolKind pool[] = {
        [FROM_POOLER] = POOL_POOLER, [FROM_FIRST] = POOL_CLS, [FROM_MEAN] = POOL_MEAN};
    h->from = k->pooled && h->config.class_mean ? FROM_MEAN : k->from;
    h->words = k->words;
    h->size[0] = h->config.hidden;
    if (k->dense && use_dense(h, k, e) < 0)
        return -1;
    int64_t n = outputs(h, k), cols = h->size[h->layers];
    const float *w = k->words ? get_words(h, k, cols, e) : get(h, k->output, "weight", n, cols, e);
    bool biased = k->shift ? weights_has(h->weights, k->shift) : !k->bare;
    const float *b = w && biased ? get_bias(h, k, n, e) : NULL;
    if (!w || (!b && biased))
        return -1;
    if (h->by_panels)
        return head_pack_panels(h, w, b, n, cols, e);
    if (!add_layer(h, w, b, n, cols, ACT_NONE, e))
        return -1;
    if (h->from <= FROM_MEAN)
        h->pooler =
            pooler_new(&(Pooling){.kind = pool[h->from]}, h->dev, &h->config, h->weights, NULL, e);
    return h->from <= FROM_MEAN && !h->pooler ? -1 : 0;
}

int head_use(Head *h, HeadTask task, bool all, Err *e)
{
    h->task = task;
    h->packed = all;
    if (!head_has(h, task))
        return lacks(h, task, e);
    return h->trained                        ? use_trained(h, e)
           : h->beside && task == HEAD_CLASS ? use_beside(h, e)
                                             : use_checkpoint(h, h->kind[task], e);
}

/* ---- what it is ---- */

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

HeadTask head_task(const Head *h)
{
    return h->task;
}

HeadFrom head_from(const Head *h)
{
    return h->from;
}

int64_t head_width(const Head *h)
{
    return h->size[0];
}

int64_t head_outputs(const Head *h)
{
    return h->size[h->layers];
}

const char *head_class(const Head *h, int64_t i)
{
    static const char *const next[] = {"is_next", "not_next"}, *const span[] = {"start", "end"};
    if (h->words)
        return NULL;
    if (h->task == HEAD_NEXT || h->task == HEAD_SPAN)
        return h->task == HEAD_NEXT ? next[i] : span[i];
    return h->trained ? h->file.label[i] : h->config.label[i];
}

const char *head_problem(const Head *h)
{
    return h->trained || h->task != HEAD_CLASS ? "" : h->config.problem;
}

const char *head_activation(const Head *h)
{
    return h->task == HEAD_CLASS && h->activation ? h->activation : "";
}

const char *head_pool(const Head *h)
{
    static const char *const pool[] = {[FROM_POOLER] = "pooler",
                                       [FROM_FIRST] = "cls",
                                       [FROM_MEAN] = "mean",
                                       [FROM_LAST] = "last",
                                       [FROM_EOS] = "last"};
    if (h->trained || (h->beside && h->task == HEAD_CLASS))
        return h->file.pool;
    return h->from <= FROM_EOS ? pool[h->from] : "";
}

Pooler *head_pooler(Head *h)
{
    return h->pooler;
}

int64_t head_token_of(const Config *c, HeadFrom from, const int32_t *id, int64_t n)
{
    int64_t i = n - 1;
    if (from == FROM_EOS) {
        while (i >= 0 && id[i] != c->eos)
            i--;
        return i;
    }
    while (i > 0 && c->pad >= 0 && id[i] == c->pad)
        i--;
    return i; /* of padding alone, the first */
}

int64_t head_token(const Head *h, const int32_t *id, int64_t n)
{
    return head_token_of(&h->config, h->from, id, n);
}

/* ---- running ---- */

enum { PANEL = 64, BATCH_BYTES = 64 << 20 };

typedef struct Run {
    Head *h;
    View x, y;
    int first, last; /* layers */
} Run;

static void norm(Piece *p, const Run *u, const HeadLayer *l, View y)
{
    p->dev->norm(
        p, &(Norm){.x = y, .y = y, .gamma = l->gamma, .beta = l->beta, .eps = u->h->config.eps});
}

/* A tile of rows through the layers [first, last). */
static void stage_rows(Piece *p, void *ctx)
{
    const Run *u = ctx;
    View x = view_rows(u->x, p->lo, p->hi);
    for (int i = u->first; i < u->last; i++) {
        const HeadLayer *l = &u->h->layer[i];
        View y = i == u->last - 1 ? view_rows(u->y, p->lo, p->hi)
                                  : temp_view(p, K_F32, p->hi - p->lo, u->h->size[i + 1]);
        p->dev->linear(p, &(Linear){.x = x, .w = l->w, .y = y, .act = l->act});
        if (l->gamma)
            norm(p, u, l, y);
        x = y;
    }
}

/* Panels of the output: a vocabulary's matrix is read once, not once a row. */
static void stage_panels(Piece *p, void *ctx)
{
    const Run *u = ctx;
    const HeadLayer *l = &u->h->layer[u->first];
    int64_t from = p->lo * PANEL, to = p->hi * PANEL < u->y.cols ? p->hi * PANEL : u->y.cols;
    p->dev->linear(
        p,
        &(Linear){
            .x = u->x, .w = l->w, .col0 = from, .cols = to - from, .y = view_cols(u->y, from, to)});
}

/* t: memory for what goes into the last layer, where that is cut into panels. */
static void run_layers(Head *h, View x, View t, View y)
{
    Device *d = h->dev;
    Batch rows = {.tokens = x.rows};
    Run all = {h, x, y, 0, h->layers};
    if (!t.p) {
        d->each(d, EACH_ROWS, &rows, stage_rows, &all);
        return;
    }
    Run before = {h, x, t, 0, h->layers - 1};
    Run last = {h, before.last ? t : x, y, h->layers - 1, h->layers};
    if (before.last)
        d->each(d, EACH_ROWS, &rows, stage_rows, &before);
    d->each(d, EACH_COLS, &(Batch){.cols = (y.cols + PANEL - 1) / PANEL}, stage_panels, &last);
}

static int run_batch(Head *h, const float *x, int64_t rows, float *logits, Err *e)
{
    Device *d = h->dev;
    char why[256];
    int64_t width = h->size[h->layers - 1];
    bool panels = h->words && !h->packed;
    size_t in = (size_t)(rows * head_width(h)) * sizeof *x;
    size_t out = (size_t)(rows * head_outputs(h)) * sizeof *logits;
    const void *held = d->hold(d, x, in);
    void *y = d->alloc(d, out);
    void *t = panels ? d->alloc(d, (size_t)(rows * width) * sizeof *x) : NULL;
    int r = held && y && (t || !panels) ? 0 : err_set(e, "out of memory on %s", d->name);
    if (r == 0) {
        run_layers(h, view_of((void *)(uintptr_t)held, K_F32, rows, head_width(h)),
                   t ? view_of(t, K_F32, rows, width) : (View){0},
                   view_of(y, K_F32, rows, head_outputs(h)));
        d->get(d, logits, y, out);
        if (d->wait(d, why, sizeof why) < 0)
            r = err_set(e, "%s", why);
    }
    d->free(d, t);
    d->free(d, y);
    d->release(d, held);
    return r;
}

int head_run(Head *h, const float *x, int64_t rows, float *logits, Err *e)
{
    int64_t most = BATCH_BYTES / (head_outputs(h) * (int64_t)sizeof *logits), n;
    most = most < PANEL ? PANEL : most;
    for (int64_t i = 0; i < rows; i += n) {
        n = rows - i < most ? rows - i : most;
        if (run_batch(h, x + i * head_width(h), n, logits + i * head_outputs(h), e) < 0)
            return -1;
    }
    return 0;
}
