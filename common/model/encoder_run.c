#include "model/encoder_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_TOKENS = 4096 }; /* a thread */

/* The attention weights on their way out. */
typedef struct Look {
    const EncoderIn *in;
    float *out;   /* [tokens, layers, heads, wide] */
    int64_t wide;
    int64_t *at;  /* where each row's lie in `host` */
    float *host;
    size_t bytes;
} Look;

/* One batch on its way through the layers. */
typedef struct Run {
    Encoder *enc;
    const Half *half;
    Batch batch;
    const int32_t *id, *position, *kind; /* device */
    View x;      /* hidden states in f32: what residuals are added to */
    View normed; /* where norms come first, in f32; else {0} */
    View narrow; /* in 16 bits where that is what comes out or products read, else {0} */
    View in;     /* the one of the three that products read */
    View memory; /* the encoder's, that a decoder looks at */
    View qkv, seen;
    int64_t layer; /* the layer a stage works on */
    float *probs;  /* of this layer, device */
    const int64_t *probs_at;
    Look *look;
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

/* The norm that comes before this layer's attention, or behind the last layer; NULL: hidden
 * states are wanted as they are. */
static const Norms *norm_before(const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        return &half_layer(u->half, layer)->attend;
    return u->half->whole ? &u->half->last : NULL;
}

/* What products are to read next: x by this norm; NULL: as it is. */
static void set_norm(const Piece *p, const Run *u, Norm *a, const Norms *n)
{
    const Config *c = &u->enc->config;
    View x = cut(u->x, p), normed = cut(u->normed, p), narrow = cut(u->narrow, p);
    a->y = !c->family->norm_first ? x : normed.p ? normed : narrow;
    a->y2 = a->y.p == narrow.p ? (View){0} : narrow;
    a->gamma = n->gamma;
    a->beta = n->beta;
    a->eps = c->eps;
    a->rms = c->family->rms;
}

/* Adds t, the result of attention or feed-forward, to x; `own` is the norm behind it and `next`
 * the one before what follows: families have one of them. */
static void add(Piece *p, const Run *u, View t, const Norms *own, const Norms *next)
{
    bool first = u->enc->config.family->norm_first;
    View x = cut(u->x, p);
    Norm a = {.x = t, .r = x};
    if (first && !next) {
        View y = u->enc->type == K_BF16 ? cut(u->narrow, p) : x;
        p->dev->mix(p, &(Mix){.x = t, .r = x, .y = y, .a = 1, .b = 1});
        return;
    }
    if (first)
        a.sum = x;
    set_norm(p, u, &a, first ? next : own);
    p->dev->norm(p, &a);
}

static void queries(Piece *p, const Run *u, int64_t layer)
{
    if (layer < u->half->end)
        p->dev->linear(p, &(Linear){.x = cut(u->in, p), .w = half_layer(u->half, layer)->qkv,
                                    .y = cut(u->qkv, p)});
}

static View table(const float *p, int64_t entries, const Config *c)
{
    return view_of((void *)(uintptr_t)p, K_F32, entries, c->embedding);
}

/* y = the sum of the tables' rows. */
static void sum_tables(Piece *p, const Run *u, View y)
{
    const Config *c = &u->enc->config;
    View words = y;
    Embed a = {.y = y};
    int n = 0;
    a.table[n] = table(u->enc->word, c->vocab, c);
    a.index[n++] = u->id + p->lo;
    if (c->embed_scale != 1) { /* of words alone: they go first, by themselves */
        words = temp_view(p, K_F32, y.rows, y.cols);
        a.y = words;
        p->dev->embed(p, &a);
        a.y = y;
        n = 0;
    }
    if (u->half->position) {
        a.table[n] = table(u->half->position, c->first + c->positions, c);
        a.index[n++] = u->position + p->lo;
    }
    if (u->half->kind) {
        a.table[n] = table(u->half->kind, c->types, c);
        a.index[n++] = u->kind + p->lo;
    }
    p->dev->embed(p, &a);
    if (c->embed_scale != 1)
        p->dev->mix(p, &(Mix){.x = words, .r = y, .y = y, .a = c->embed_scale, .b = 1});
}

/* x = t P' + b, of the embeddings' width to that of the layers. */
static void project(Piece *p, const Run *u, View t)
{
    const Config *c = &u->enc->config;
    const Half *h = u->half;
    View in = temp_view(p, u->enc->compute, t.rows, t.cols);
    p->dev->norm(p, &(Norm){.x = t, .y = in, .gamma = h->embed.gamma, .beta = h->embed.beta,
                            .eps = c->eps});
    p->dev->linear(p, &(Linear){.x = in, .w = h->project, .y = cut(u->x, p)});
    if (u->narrow.p)
        p->dev->mix(p, &(Mix){.x = cut(u->x, p), .y = cut(u->narrow, p), .a = 1});
}

/* Embeddings and what is done to them, and the first layer's queries, keys and values. */
static void stage_embed(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    const Half *h = u->half;
    bool first = c->family->norm_first;
    View x = cut(u->x, p), narrow = cut(u->narrow, p);
    View t = h->project ? temp_view(p, K_F32, x.rows, c->embedding) : x;
    const Norms *next = norm_before(u, h->first);
    sum_tables(p, u, t);
    if (h->project)
        project(p, u, t);
    else if (h->embed.gamma)
        p->dev->norm(p, &(Norm){.x = x, .y = x, .y2 = first ? (View){0} : narrow,
                                .gamma = h->embed.gamma, .beta = h->embed.beta, .eps = c->eps});
    if (first && next) {
        Norm a = {.x = x};
        set_norm(p, u, &a, next);
        p->dev->norm(p, &a);
    } else if (first && narrow.p) {
        p->dev->mix(p, &(Mix){.x = x, .y = narrow, .a = 1});
    }
    queries(p, u, h->first);
}

static void stage_attend(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    int64_t wide = c->heads * c->size;
    int64_t number = c->scale_by_layer ? u->layer + 1 : 1;
    p->dev->attend(p, &(Attend){.q = view_cols(u->qkv, 0, wide),
                                .k = view_cols(u->qkv, wide, 2 * wide),
                                .v = view_cols(u->qkv, 2 * wide, 3 * wide),
                                .y = u->seen,
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = c->scale / (float)number,
                                .causal = u->half->causal,
                                .bias = u->enc->distance,
                                .reach = c->distance,
                                .probs = u->probs,
                                .probs_at = u->probs_at});
}

/* The decoder's queries and the encoder's keys and values, where those of the attention before
 * have been. A row has as many tokens here as there. */
static View cross_query(const Run *u)
{
    const Config *c = &u->enc->config;
    return view_of(u->qkv.p, u->qkv.type, u->qkv.rows, c->heads * c->size);
}

static View cross_pair(const Run *u)
{
    View q = cross_query(u);
    char *behind = (char *)q.p + (size_t)(q.rows * q.cols) * ktype_size(q.type);
    return view_of(behind, q.type, q.rows, 2 * q.cols);
}

static void stage_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Layer *y = half_layer(u->half, u->layer);
    View t = temp_view(p, K_F32, p->hi - p->lo, u->enc->config.hidden);
    p->dev->linear(p, &(Linear){.x = cut(u->seen, p), .w = y->out, .y = t});
    add(p, u, t, &y->attend, &y->cross);
    p->dev->linear(p, &(Linear){.x = cut(u->in, p), .w = y->cross_query,
                                .y = cut(cross_query(u), p)});
    p->dev->linear(p, &(Linear){.x = cut(u->memory, p), .w = y->cross_pair,
                                .y = cut(cross_pair(u), p)});
}

static void stage_attend_cross(Piece *p, void *ctx)
{
    Run *u = ctx;
    const Config *c = &u->enc->config;
    View q = cross_query(u), pair = cross_pair(u);
    p->dev->attend(p, &(Attend){.q = q,
                                .k = view_cols(pair, 0, q.cols),
                                .v = view_cols(pair, q.cols, 2 * q.cols),
                                .y = u->seen,
                                .batch = &u->batch,
                                .size = (int)c->size,
                                .scale = c->scale});
}

/* wide = act(in up'), with its gate where the family has one. */
static void raise(Piece *p, const Run *u, const Layer *y, View wide)
{
    const Config *c = &u->enc->config;
    Linear a = {.x = cut(u->in, p), .w = y->up, .y = wide, .act = c->act};
    if (!c->gated) {
        p->dev->linear(p, &a);
        return;
    }
    View both = temp_view(p, K_F32, wide.rows, 2 * wide.cols);
    a.y = both;
    a.act = ACT_NONE;
    p->dev->linear(p, &a);
    p->dev->act(p, &(Activate){.x = view_cols(both, 0, wide.cols),
                               .gate = view_cols(both, wide.cols, 2 * wide.cols),
                               .y = wide,
                               .act = c->act});
}

/* From one attention to the next: everything in between looks at one token at a time, so a tile
 * of tokens stays in the cache. */
static void stage_feed(Piece *p, void *ctx)
{
    Run *u = ctx;
    Encoder *enc = u->enc;
    const Layer *y = half_layer(u->half, u->layer);
    int64_t m = p->hi - p->lo;
    View t = temp_view(p, K_F32, m, enc->config.hidden);
    View wide = temp_view(p, enc->compute, m, enc->config.inner);

    p->dev->linear(p, &(Linear){.x = cut(u->seen, p), .w = y->cross_out ? y->cross_out : y->out,
                                .y = t});
    add(p, u, t, y->cross_out ? &y->cross : &y->attend, &y->feed);
    raise(p, u, y, wide);
    p->dev->linear(p, &(Linear){.x = wide, .w = y->down, .y = t});
    add(p, u, t, &y->feed, norm_before(u, u->layer + 1));
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

/* Position embeddings' indices; families that count from the padding id leave padding out. */
static void set_positions(const Encoder *enc, const EncoderIn *in)
{
    const Config *c = &enc->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t next = c->first;
        for (int64_t t = in->starts[r]; t < in->starts[r + 1]; t++) {
            bool padding = c->family->behind_pad && in->id[t] == c->pad;
            enc->positions[t] = (int32_t)(padding ? c->pad : next++);
        }
    }
}

/* A decoder reads the row one token late, behind its first id. */
static void set_ids(const Encoder *enc, const EncoderIn *in)
{
    const Config *c = &enc->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1], last = from;
        for (int64_t t = from, n = 0; t < to; t++) {
            n += in->id[t] != c->pad;
            last = n ? from + n - 1 : from;
            enc->ids[t] = t > from ? in->id[t - 1] : (int32_t)c->start;
        }
        if (c->family->start_last && from < to)
            enc->ids[from] = in->id[last];
    }
}

/* Positions and types as the tables' indices, and where rows start, in device memory. */
static int put_indices(Run *u, const EncoderIn *in, Err *e)
{
    Encoder *enc = u->enc;
    size_t n = (size_t)in->tokens, bytes = n * sizeof(int32_t);
    if (enc->host_tokens < in->tokens) {
        enc->host_tokens = in->tokens;
        enc->ids = mem_resize(enc->ids, n, sizeof(int32_t));
        enc->positions = mem_resize(enc->positions, n, sizeof(int32_t));
        enc->kinds = mem_resize(enc->kinds, n, sizeof(int32_t));
    }
    set_positions(enc, in);
    for (int64_t t = 0; t < in->tokens; t++)
        enc->kinds[t] = in->kind ? in->kind[t] : 0;
    const void *position, *kind, *starts;
    if (put(enc, SPACE_POSITION, enc->positions, bytes, &position, e) < 0 ||
        put(enc, SPACE_KIND, enc->kinds, bytes, &kind, e) < 0 ||
        put(enc, SPACE_STARTS, in->starts, (size_t)(in->rows + 1) * sizeof(int64_t), &starts,
            e) < 0)
        return -1;
    u->position = position;
    u->kind = kind;
    u->batch = (Batch){.tokens = in->tokens, .rows = in->rows, .starts = starts,
                       .host_starts = in->starts, .heads = (int)enc->config.heads};
    return 0;
}

/* Begins a half: its ids, and memory for its states. */
static int put_half(Run *u, int which, const EncoderIn *in, Err *e)
{
    Encoder *enc = u->enc;
    const Config *c = &enc->config;
    int64_t t = in->tokens, h = c->hidden;
    bool wide = enc->compute == K_F32;
    KType narrow = enc->type == K_BF16 ? K_BF16 : enc->compute;
    const void *id;
    if (which)
        set_ids(enc, in);
    if (put(enc, SPACE_ID + which, which ? enc->ids : in->id, (size_t)t * sizeof(int32_t), &id,
            e) < 0)
        return -1;
    u->id = id;
    u->half = &enc->half[which];
    u->memory = u->in;
    u->x = space_view(enc, SPACE_X + which, K_F32, t, h, e);
    u->normed = u->narrow = (View){0};
    if (!u->x.p ||
        (narrow != K_F32 &&
         !(u->narrow = space_view(enc, SPACE_NARROW + which, narrow, t, h, e)).p) ||
        ((wide || enc->type == K_F16) && c->family->norm_first &&
         !(u->normed = space_view(enc, SPACE_NORMED + which, K_F32, t, h, e)).p))
        return -1;
    u->in = !wide ? u->narrow : u->normed.p ? u->normed : u->x;
    return 0;
}

static int put_run(Run *u, const EncoderIn *in, Err *e)
{
    Encoder *enc = u->enc;
    int64_t wide = enc->config.heads * enc->config.size;
    u->qkv = space_view(enc, SPACE_QKV, enc->compute, in->tokens, 3 * wide, e);
    u->seen = space_view(enc, SPACE_SEEN, enc->compute, in->tokens, wide, e);
    if (!u->qkv.p || !u->seen.p)
        return -1;
    return put_indices(u, in, e);
}

/* A row's weights come as heads x len x len; they go out by token, [layers, heads, wide] each. */
static void spread_probs(const Run *u)
{
    const Look *k = u->look;
    const EncoderIn *in = k->in;
    int64_t heads = u->enc->config.heads, layers = u->enc->layers;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t first = in->starts[r], len = in->starts[r + 1] - first;
        for (int64_t head = 0; head < heads; head++)
            for (int64_t i = 0; i < len; i++)
                memcpy(k->out + (((first + i) * layers + u->layer) * heads + head) * k->wide,
                       k->host + k->at[r] + (head * len + i) * len,
                       (size_t)len * sizeof(float));
    }
}

/* Brings the attention weights of this layer out. */
static void look(Run *u)
{
    Device *dev = u->enc->dev;
    dev->get(dev, u->look->host, u->probs, u->look->bytes);
    dev->wait(dev, NULL, 0); /* a failure is kept, and told at the end */
    spread_probs(u);
}

static int look_begin(Run *u, Look *k, Err *e)
{
    Encoder *enc = u->enc;
    const EncoderIn *in = k->in;
    const void *at;
    int64_t total = 0;
    k->at = mem_array((size_t)in->rows + 1, sizeof *k->at);
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t len = in->starts[r + 1] - in->starts[r];
        k->at[r] = total;
        total += enc->config.heads * len * len;
    }
    k->bytes = (size_t)total * sizeof *k->host;
    k->host = mem_alloc(k->bytes);
    u->look = k;
    u->probs = space(enc, SPACE_PROBS, k->bytes, e);
    if (!u->probs ||
        put(enc, SPACE_PROBS_AT, k->at, (size_t)in->rows * sizeof *k->at, &at, e) < 0)
        return -1;
    u->probs_at = at;
    return 0;
}

static void run_half(Run *u)
{
    Device *dev = u->enc->dev;
    const Half *h = u->half;
    dev->each(dev, EACH_ROWS, &u->batch, stage_embed, u);
    for (u->layer = h->first; u->layer < h->end; u->layer++) {
        dev->each(dev, EACH_SEQS, &u->batch, stage_attend, u);
        if (half_layer(h, u->layer)->cross_out) {
            dev->each(dev, EACH_ROWS, &u->batch, stage_cross, u);
            dev->each(dev, EACH_SEQS, &u->batch, stage_attend_cross, u);
        }
        dev->each(dev, EACH_ROWS, &u->batch, stage_feed, u);
        if (u->look)
            look(u);
    }
}

/* One batch: whole rows, as many as keep the threads busy and their numbers near. */
static int run_batch(Encoder *enc, const EncoderIn *in, char *out, Look *k, Err *e)
{
    Run u = {.enc = enc};
    Device *dev = enc->dev;
    int r = put_run(&u, in, e);
    if (r == 0 && k->out)
        r = look_begin(&u, k, e);
    for (int i = 0; i < enc->halves && r == 0; i++) {
        r = put_half(&u, i, in, e);
        if (r == 0)
            run_half(&u);
    }
    free(k->at);
    free(k->host);
    if (r < 0)
        return -1;
    View y = enc->type == K_BF16 ? u.narrow : u.normed.p && u.half->whole ? u.normed : u.x;
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
        Look k = {.in = &b, .wide = wide,
                  .out = probs ? probs + at * enc->layers * c->heads * wide : NULL};
        if (run_batch(enc, &b, (char *)out + (size_t)at * each, &k, e) < 0)
            return -1;
        row += b.rows;
        at += b.tokens;
    }
    if (enc->dev->wait(enc->dev, why, sizeof why) < 0)
        return err_set(e, "%s", why);
    return 0;
}
