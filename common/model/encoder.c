#include "model/encoder.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_TOKENS = 4096 }; /* a thread */

typedef struct Norms {
    const float *gamma, *beta; /* device memory */
} Norms;

enum { LINEARS = 4 }; /* weights a layer */

typedef struct Layer {
    Weight *qkv, *out, *up, *down;
    Norms attend, feed;
} Layer;

/* Device memory that grows with the largest batch so far. */
typedef struct Space {
    void *p;
    size_t size;
} Space;

enum { SPACE_STARTS, SPACE_ID, SPACE_POSITION, SPACE_KIND, SPACE_X, SPACE_XB, SPACE_QKV,
       SPACE_SEEN, SPACE_PROBS, SPACE_PROBS_AT, SPACES };

struct Encoder {
    Config config;
    Weights *weights; /* mapped as long as we live: tables are used in place */
    Device *dev;
    KType type, compute; /* of the weights asked for; of what products read */
    int64_t layers;
    const float *word, *position, *kind;
    Norms embed;
    Layer *layer;
    Space space[SPACES];
    int64_t *starts;            /* of the batch */
    int32_t *positions, *kinds; /* host copies, grown alike */
    int64_t host_tokens;
};

/* Loading */

/* A weight to be packed, and where it goes. */
typedef struct Job {
    View part[3];
    const float *bias[3];
    int parts;
    Weight **to;
} Job;

typedef struct Loader {
    Encoder *enc;
    Err *e;
    bool failed;
    Job *job;
    int jobs;
} Loader;

static const float *get(Loader *l, const char *format, const char *part, int layer,
                        int64_t rows, int64_t cols)
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

static Norms get_norm(Loader *l, const char *format, int layer)
{
    int64_t h = l->enc->config.hidden;
    Norms n = {hold(l, get(l, format, ".weight", layer, h, 0), h),
               hold(l, get(l, format, ".bias", layer, h, 0), h)};
    return n;
}

/* `parts` matrices [rows, cols] to be stacked into one weight. */
static void get_linear(Loader *l, Weight **to, const char *const *format, int parts, int layer,
                       int64_t rows, int64_t cols)
{
    Job *j = &l->job[l->jobs++];
    *j = (Job){.parts = parts, .to = to};
    for (int i = 0; i < parts; i++) {
        const float *w = get(l, format[i], ".weight", layer, rows, cols);
        j->part[i] = view_of((void *)(uintptr_t)w, K_F32, rows, cols);
        j->bias[i] = get(l, format[i], ".bias", layer, rows, 0);
    }
}

static void load_layer(Loader *l, int i)
{
    const Config *c = &l->enc->config;
    const Family *f = c->family;
    Layer *y = &l->enc->layer[i];
    get_linear(l, &y->qkv, (const char *const[]){f->query, f->key, f->value}, 3, i, c->hidden,
               c->hidden);
    get_linear(l, &y->out, &f->attend_out, 1, i, c->hidden, c->hidden);
    get_linear(l, &y->up, &f->up, 1, i, c->inner, c->hidden);
    get_linear(l, &y->down, &f->down, 1, i, c->hidden, c->inner);
    y->attend = get_norm(l, f->attend_norm, i);
    y->feed = get_norm(l, f->out_norm, i);
}

/* Packing reads and writes every weight once: worth all threads when a pipeline starts cold. */
static void stage_pack(Piece *p, void *ctx)
{
    Loader *l = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        Job *j = &l->job[i];
        *j->to = p->dev->pack(p->dev, j->part, j->bias, j->parts, false, l->enc->type);
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

static int load(Encoder *enc, Err *e)
{
    const Config *c = &enc->config;
    const Family *f = c->family;
    Loader l = {.enc = enc, .e = e};
    enc->word = hold(&l, get(&l, f->word, ".weight", 0, c->vocab, c->hidden),
                     c->vocab * c->hidden);
    enc->position = hold(&l, get(&l, f->position, ".weight", 0, c->positions, c->hidden),
                         c->positions * c->hidden);
    if (c->types)
        enc->kind = hold(&l, get(&l, f->kind, ".weight", 0, c->types, c->hidden),
                         c->types * c->hidden);
    enc->embed = get_norm(&l, f->embed_norm, 0);
    enc->layer = mem_zero((size_t)enc->layers, sizeof *enc->layer);
    l.job = mem_zero((size_t)enc->layers * LINEARS, sizeof *l.job);
    for (int i = 0; i < enc->layers && !l.failed; i++)
        load_layer(&l, i);
    if (!l.failed)
        pack_all(&l);
    free(l.job);
    return l.failed ? -1 : 0;
}

Encoder *encoder_load(const char *folder, Device *dev, KType type, int64_t layers, Err *e)
{
    Encoder *enc = mem_zero(1, sizeof *enc);
    enc->dev = dev;
    enc->type = type;
    enc->compute = type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
    if (config_load(folder, &enc->config, e) < 0)
        goto fail;
    enc->layers = layers < 0 ? enc->config.layers : layers;
    if (enc->layers > enc->config.layers) {
        err_set(e, "%s: layer %lld asked for, but the model has %lld", folder,
                (long long)layers, (long long)enc->config.layers);
        goto fail;
    }
    if (!(enc->weights = weights_open(folder, enc->config.family->prefix, e)) || load(enc, e) < 0)
        goto fail;
    return enc;
fail:
    encoder_free(enc);
    return NULL;
}

void encoder_free(Encoder *enc)
{
    if (!enc)
        return;
    for (int64_t i = 0; enc->layer && i < enc->layers; i++) {
        Layer *y = &enc->layer[i];
        enc->dev->unpack(enc->dev, y->qkv);
        enc->dev->unpack(enc->dev, y->out);
        enc->dev->unpack(enc->dev, y->up);
        enc->dev->unpack(enc->dev, y->down);
    }
    for (int i = 0; i < SPACES; i++)
        enc->dev->free(enc->dev, enc->space[i].p);
    free(enc->layer);
    free(enc->starts);
    free(enc->positions);
    free(enc->kinds);
    weights_close(enc->weights);
    config_clear(&enc->config);
    free(enc);
}

const Config *encoder_config(const Encoder *enc)
{
    return &enc->config;
}

int64_t encoder_layers(const Encoder *enc)
{
    return enc->layers;
}

void encoder_fingerprint(const Weights *w, const Config *c, char out[HASH_TEXT])
{
    const Family *f = c->family;
    const char *once[] = {f->word, f->position, f->kind, f->embed_norm};
    const char *each[] = {f->query, f->key, f->value, f->attend_out, f->attend_norm,
                          f->up, f->down, f->out_norm};
    char name[256], text[256];
    Hash *h = hash_new();
    int n = snprintf(text, sizeof text, "%s %lld %lld %lld %s %.9g", f->type,
                     (long long)c->hidden, (long long)c->layers, (long long)c->heads,
                     c->act_name, (double)c->eps);
    hash_add(h, text, (size_t)n);
    for (int part = 0; part < 2; part++) {
        const char *suffix = part ? ".bias" : ".weight";
        for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
            snprintf(name, sizeof name, "%s%s", once[i], suffix);
            weights_hash(w, name, h);
        }
        for (int layer = 0; layer < c->layers; layer++)
            for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
                n = snprintf(name, sizeof name, each[i], layer);
                snprintf(name + n, sizeof name - (size_t)n, "%s", suffix);
                weights_hash(w, name, h);
            }
    }
    hash_end(h, out);
}

void encoder_identity(const Encoder *enc, char out[HASH_TEXT])
{
    encoder_fingerprint(enc->weights, &enc->config, out);
}

/* Running */

int encoder_check(const Encoder *enc, const EncoderIn *in, Err *e)
{
    const Config *c = &enc->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1];
        e->row = r + 1;
        if (to - from > c->positions)
            return err_set(e, "%lld tokens, but the model has %lld positions: tok -n %lld",
                           (long long)(to - from), (long long)c->positions,
                           (long long)c->positions);
        for (int64_t t = from; t < to; t++) {
            if (in->id[t] < 0 || in->id[t] >= c->vocab)
                return err_set(e, "token id %d is outside the model's vocabulary of %lld: were "
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

/* One batch on its way through the layers. */
typedef struct Run {
    Encoder *enc;
    Batch batch;
    const int32_t *id, *position, *kind; /* device */
    View x, xb;   /* hidden states in f32; in bf16 or f16 where that is asked for, else {0} */
    View in;      /* the one that products read */
    View qkv, seen;
    int64_t layer; /* the layer a stage works on; -1: the embeddings */
    float *probs;  /* of this layer, device */
    const int64_t *probs_at;
} Run;

static void *space(Encoder *enc, int which, size_t bytes, Err *e)
{
    Space *s = &enc->space[which];
    if (s->size < bytes || !s->p) {
        enc->dev->free(enc->dev, s->p);
        s->size = bytes + bytes / 4;
        s->p = enc->dev->alloc(enc->dev, s->size);
        if (!s->p) {
            s->size = 0;
            err_set(e, "out of memory on %s (%zu bytes asked for)", enc->dev->name, bytes);
        }
    }
    return s->p;
}

static View space_view(Encoder *enc, int which, KType type, int64_t rows, int64_t cols, Err *e)
{
    void *p = space(enc, which, (size_t)(rows * cols) * ktype_size(type), e);
    return view_of(p, type, rows, cols);
}

static View cut(View v, const Piece *p)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

/* x = norm(y + r) for this piece's tokens, and its short copy. */
static void add_norm(Piece *p, const Run *u, View y, View r, const Norms *n)
{
    const Encoder *enc = u->enc;
    p->dev->norm(p, &(Norm){.x = y, .r = r, .y = cut(u->x, p),
                            .y2 = cut(u->xb, p),
                            .gamma = n->gamma, .beta = n->beta, .eps = enc->config.eps});
}

static void queries(Piece *p, const Run *u, int64_t layer)
{
    if (layer < u->enc->layers)
        p->dev->linear(p, &(Linear){.x = cut(u->in, p), .w = u->enc->layer[layer].qkv,
                                    .y = cut(u->qkv, p)});
}

/* Embeddings, their norm, and the first layer's queries, keys and values. */
static void stage_embed(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Encoder *enc = u->enc;
    const Config *c = &enc->config;
    View x = cut(u->x, p);
    Embed a = {.y = x};
    a.table[0] = view_of((void *)(uintptr_t)enc->word, K_F32, c->vocab, c->hidden);
    a.index[0] = u->id + p->lo;
    a.table[1] = view_of((void *)(uintptr_t)enc->position, K_F32, c->positions, c->hidden);
    a.index[1] = u->position + p->lo;
    if (enc->kind) {
        a.table[2] = view_of((void *)(uintptr_t)enc->kind, K_F32, c->types, c->hidden);
        a.index[2] = u->kind + p->lo;
    }
    p->dev->embed(p, &a);
    add_norm(p, u, x, (View){0}, &enc->embed);
    queries(p, u, 0);
}

static void stage_attend(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    int64_t h = c->hidden;
    p->dev->attend(p, &(Attend){.q = view_cols(u->qkv, 0, h),
                                .k = view_cols(u->qkv, h, 2 * h),
                                .v = view_cols(u->qkv, 2 * h, 3 * h),
                                .y = u->seen,
                                .batch = &u->batch,
                                .size = (int)(h / c->heads),
                                .scale = 1.0f / __builtin_sqrtf((float)(h / c->heads)),
                                .probs = u->probs,
                                .probs_at = u->probs_at});
}

/* From one attention to the next: everything in between looks at one token at a time, so a tile
 * of tokens stays in the cache. */
static void stage_feed(Piece *p, void *ctx)
{
    Run *u = ctx;
    Encoder *enc = u->enc;
    const Layer *y = &enc->layer[u->layer];
    int64_t m = p->hi - p->lo, h = enc->config.hidden;
    View t = temp_view(p, K_F32, m, h), wide = temp_view(p, enc->compute, m, enc->config.inner);

    p->dev->linear(p, &(Linear){.x = cut(u->seen, p), .w = y->out, .y = t});
    add_norm(p, u, t, cut(u->x, p), &y->attend);
    p->dev->linear(p, &(Linear){.x = cut(u->in, p), .w = y->up, .y = wide,
                                .act = enc->config.act});
    p->dev->linear(p, &(Linear){.x = wide, .w = y->down, .y = t});
    add_norm(p, u, t, cut(u->x, p), &y->feed);
    queries(p, u, u->layer + 1);
}

static int put(Encoder *enc, int which, const void *host, size_t bytes, const void **dst, Err *e)
{
    void *p = space(enc, which, bytes, e);
    if (!p)
        return -1;
    enc->dev->put(enc->dev, p, host, bytes);
    *dst = p;
    return 0;
}

/* Positions and types as the tables' indices, beside the ids, in device memory. */
static int put_indices(Run *u, const EncoderIn *in, Err *e)
{
    Encoder *enc = u->enc;
    size_t bytes = (size_t)in->tokens * sizeof(int32_t);
    if (enc->host_tokens < in->tokens) {
        enc->host_tokens = in->tokens;
        enc->positions = mem_resize(enc->positions, (size_t)in->tokens, sizeof(int32_t));
        enc->kinds = mem_resize(enc->kinds, (size_t)in->tokens, sizeof(int32_t));
    }
    for (int64_t r = 0; r < in->rows; r++)
        for (int64_t t = in->starts[r]; t < in->starts[r + 1]; t++)
            enc->positions[t] = (int32_t)(t - in->starts[r]);
    for (int64_t t = 0; t < in->tokens; t++)
        enc->kinds[t] = in->kind ? in->kind[t] : 0;
    const void *id, *position, *kind, *starts;
    if (put(enc, SPACE_ID, in->id, bytes, &id, e) < 0 ||
        put(enc, SPACE_POSITION, enc->positions, bytes, &position, e) < 0 ||
        put(enc, SPACE_KIND, enc->kinds, bytes, &kind, e) < 0 ||
        put(enc, SPACE_STARTS, in->starts, (size_t)(in->rows + 1) * sizeof(int64_t), &starts,
            e) < 0)
        return -1;
    u->id = id;
    u->position = position;
    u->kind = kind;
    u->batch = (Batch){.tokens = in->tokens, .rows = in->rows, .starts = starts,
                       .host_starts = in->starts, .heads = (int)enc->config.heads};
    return 0;
}

static int put_run(Run *u, const EncoderIn *in, Err *e)
{
    Encoder *enc = u->enc;
    int64_t t = in->tokens, h = enc->config.hidden;
    u->x = space_view(enc, SPACE_X, K_F32, t, h, e);
    KType second = enc->type == K_BF16 ? K_BF16 : enc->compute;
    if (second != K_F32 && !(u->xb = space_view(enc, SPACE_XB, second, t, h, e)).p)
        return -1;
    u->in = enc->compute == K_F32 ? u->x : u->xb;
    u->qkv = space_view(enc, SPACE_QKV, enc->compute, t, 3 * h, e);
    u->seen = space_view(enc, SPACE_SEEN, enc->compute, t, h, e);
    if (!u->x.p || !u->qkv.p || !u->seen.p)
        return -1;
    return put_indices(u, in, e);
}

/* A row's weights come as heads x len x len; they go out by token, [layers, heads, wide] each. */
static void spread_probs(const Run *u, const EncoderIn *in, const float *from, const int64_t *at,
                         int64_t wide, float *out)
{
    int64_t heads = u->enc->config.heads, layers = u->enc->layers;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t first = in->starts[r], len = in->starts[r + 1] - first;
        for (int64_t head = 0; head < heads; head++)
            for (int64_t i = 0; i < len; i++)
                memcpy(out + (((first + i) * layers + u->layer) * heads + head) * wide,
                       from + at[r] + (head * len + i) * len, (size_t)len * sizeof *out);
    }
}

static void run_layer(Run *u, int64_t layer)
{
    Device *dev = u->enc->dev;
    u->layer = layer;
    dev->each(dev, EACH_SEQS, &u->batch, stage_attend, u);
    dev->each(dev, EACH_ROWS, &u->batch, stage_feed, u);
}

/* The layers with the attention weights brought out after each. */
static int run_looking(Run *u, const EncoderIn *in, float *probs, int64_t wide, Err *e)
{
    Encoder *enc = u->enc;
    int64_t heads = enc->config.heads, total = 0;
    int64_t *at = mem_array((size_t)in->rows + 1, sizeof *at);
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t len = in->starts[r + 1] - in->starts[r];
        at[r] = total;
        total += heads * len * len;
    }
    const void *dev_at = NULL;
    float *host = mem_array((size_t)total, sizeof *host);
    size_t bytes = (size_t)total * sizeof *host;
    void *dev_probs = space(enc, SPACE_PROBS, bytes, e);
    int r = dev_probs && put(enc, SPACE_PROBS_AT, at, (size_t)in->rows * sizeof *at, &dev_at,
                             e) == 0 ? 0 : -1;
    u->probs = dev_probs;
    u->probs_at = dev_at;
    for (int64_t i = 0; i < enc->layers && r == 0; i++) {
        run_layer(u, i);
        enc->dev->get(enc->dev, host, u->probs, bytes);
        enc->dev->wait(enc->dev, NULL, 0); /* a failure is kept, and told at the end */
        spread_probs(u, in, host, at, wide, probs);
    }
    free(host);
    free(at);
    return r;
}

/* One batch: whole rows, as many as keep the threads busy and their numbers near. */
static int run_batch(Encoder *enc, const EncoderIn *in, char *out, float *probs, int64_t wide,
                     Err *e)
{
    Run u = {.enc = enc, .layer = -1};
    Device *dev = enc->dev;
    if (put_run(&u, in, e) < 0)
        return -1;
    dev->each(dev, EACH_ROWS, &u.batch, stage_embed, &u);
    if (probs && run_looking(&u, in, probs, wide, e) < 0)
        return -1;
    for (int64_t i = 0; i < enc->layers && !probs; i++)
        run_layer(&u, i);
    View y = enc->type == K_BF16 ? u.xb : u.x;
    dev->get(dev, out, y.p, (size_t)(in->tokens * y.cols) * ktype_size(y.type));
    return 0;
}

/* The rows from `first` on that make a batch; starts get their copy from 0 in enc->starts. */
static EncoderIn next_batch(Encoder *enc, const EncoderIn *in, int64_t first)
{
    int64_t want = BATCH_TOKENS * enc->dev->threads, rows = 0;
    const int64_t *s = in->starts + first;
    while (first + rows < in->rows && (rows == 0 || s[rows + 1] - s[0] <= want))
        rows++;
    enc->starts = mem_resize(enc->starts, (size_t)rows + 1, sizeof *enc->starts);
    for (int64_t i = 0; i <= rows; i++)
        enc->starts[i] = s[i] - s[0];
    return (EncoderIn){.id = in->id + s[0], .kind = in->kind ? in->kind + s[0] : NULL,
                       .starts = enc->starts, .rows = rows, .tokens = s[rows] - s[0]};
}

int encoder_run(Encoder *enc, const EncoderIn *in, void *out, float *probs, int64_t wide, Err *e)
{
    const Config *c = &enc->config;
    size_t each = (size_t)c->hidden * (enc->type == K_BF16 ? 2 : 4);
    char why[256];
    for (int64_t row = 0, at = 0; row < in->rows;) {
        EncoderIn b = next_batch(enc, in, row);
        float *p = probs ? probs + at * enc->layers * c->heads * wide : NULL;
        if (run_batch(enc, &b, (char *)out + (size_t)at * each, p, wide, e) < 0)
            return -1;
        row += b.rows;
        at += b.tokens;
    }
    if (enc->dev->wait(enc->dev, why, sizeof why) < 0)
        return err_set(e, "%s", why);
    return 0;
}
