#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_TOKENS = 4096 }; /* a thread */

/* The attention weights on their way out. */
typedef struct Look {
    const TransformerIn *in;
    float *out; /* [tokens, layers, heads, wide] */
    int64_t wide;
    int64_t *at; /* where each row's lie in `host` */
    float *host;
    size_t bytes;
} Look;

static void *space(Transformer *enc, int which, size_t bytes, Err *e)
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

static View space_view(Transformer *enc, int which, KType type, int64_t rows, int64_t cols, Err *e)
{
    void *p = space(enc, which, (size_t)(rows * cols) * ktype_size(type), e);
    return view_of(p, type, rows, cols);
}

static int put(Transformer *enc, int which, const void *host, size_t bytes, const void **dst,
               Err *e)
{
    void *p = space(enc, which, bytes, e);
    if (!p)
        return -1;
    enc->dev->put(enc->dev, p, host, bytes);
    *dst = p;
    return 0;
}

/* Position embeddings' indices; families that count from the padding id leave padding out. */
static void set_positions(const Transformer *enc, const TransformerIn *in)
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
static void set_ids(const Transformer *enc, const TransformerIn *in)
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
static int put_indices(Run *u, const TransformerIn *in, Err *e)
{
    Transformer *enc = u->enc;
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
        put(enc, SPACE_STARTS, in->starts, (size_t)(in->rows + 1) * sizeof(int64_t), &starts, e) <
            0)
        return -1;
    u->position = position;
    u->kind = kind;
    u->batch = (Batch){.tokens = in->tokens,
                       .rows = in->rows,
                       .starts = starts,
                       .host_starts = in->starts,
                       .heads = (int)enc->config.heads};
    return 0;
}

/* Begins a half: its ids, and memory for its states. */
static int put_half(Run *u, int which, const TransformerIn *in, Err *e)
{
    Transformer *enc = u->enc;
    const Config *c = &enc->config;
    int64_t t = in->tokens, h = c->hidden;
    bool wide = enc->compute == K_F32;
    KType narrow = enc->type == K_BF16 ? K_BF16 : enc->compute;
    const void *id;
    if (which)
        set_ids(enc, in);
    if (put(enc, SPACE_ID + which, which ? enc->ids : in->id, (size_t)t * sizeof(int32_t), &id, e) <
        0)
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

static int put_run(Run *u, const TransformerIn *in, Err *e)
{
    Transformer *enc = u->enc;
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
    const TransformerIn *in = k->in;
    int64_t heads = u->enc->config.heads, layers = u->enc->layers;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t first = in->starts[r], len = in->starts[r + 1] - first;
        for (int64_t head = 0; head < heads; head++)
            for (int64_t i = 0; i < len; i++)
                memcpy(k->out + (((first + i) * layers + u->layer) * heads + head) * k->wide,
                       k->host + k->at[r] + (head * len + i) * len, (size_t)len * sizeof(float));
    }
}

void transformer_look(Run *u)
{
    Device *dev = u->enc->dev;
    dev->get(dev, u->look->host, u->probs, u->look->bytes);
    dev->wait(dev, NULL, 0); /* a failure is kept, and told at the end */
    spread_probs(u);
}

static int look_begin(Run *u, Look *k, Err *e)
{
    Transformer *enc = u->enc;
    const TransformerIn *in = k->in;
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
    if (!u->probs || put(enc, SPACE_PROBS_AT, k->at, (size_t)in->rows * sizeof *k->at, &at, e) < 0)
        return -1;
    u->probs_at = at;
    return 0;
}

/* One batch: whole rows, as many as keep the threads busy and their numbers near. */
static int run_batch(Transformer *enc, const TransformerIn *in, char *out, Look *k, Err *e)
{
    Run u = {.enc = enc};
    Device *dev = enc->dev;
    int r = put_run(&u, in, e);
    if (r == 0 && k->out)
        r = look_begin(&u, k, e);
    for (int i = 0; i < enc->halves && r == 0; i++) {
        r = put_half(&u, i, in, e);
        if (r == 0)
            transformer_half(&u);
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
static TransformerIn next_batch(Transformer *enc, const TransformerIn *in, int64_t first)
{
    int64_t want = BATCH_TOKENS * enc->dev->threads, rows = 0;
    const int64_t *s = in->starts + first;
    while (first + rows < in->rows && (rows == 0 || s[rows + 1] - s[0] <= want))
        rows++;
    enc->starts = mem_resize(enc->starts, (size_t)rows + 1, sizeof *enc->starts);
    for (int64_t i = 0; i <= rows; i++)
        enc->starts[i] = s[i] - s[0];
    return (TransformerIn){.id = in->id + s[0],
                           .kind = in->kind ? in->kind + s[0] : NULL,
                           .starts = enc->starts,
                           .rows = rows,
                           .tokens = s[rows] - s[0]};
}

int transformer_start(Transformer *enc, const TransformerIn *in, void *out, float *probs,
                      int64_t wide, int64_t *mark, Err *e)
{
    const Config *c = &enc->config;
    size_t each = (size_t)c->hidden * (enc->type == K_BF16 ? 2 : 4);
    for (int64_t row = 0, at = 0; row < in->rows;) {
        TransformerIn b = next_batch(enc, in, row);
        Look k = {.in = &b,
                  .wide = wide,
                  .out = probs ? probs + at * enc->layers * c->heads * wide : NULL};
        if (run_batch(enc, &b, (char *)out + (size_t)at * each, &k, e) < 0)
            return -1;
        row += b.rows;
        at += b.tokens;
    }
    *mark = enc->dev->mark(enc->dev);
    return *mark ? 0 : transformer_finish(enc, 0, e);
}

int transformer_finish(Transformer *enc, int64_t mark, Err *e)
{
    char why[256];
    if (enc->dev->reach(enc->dev, mark, why, sizeof why) < 0)
        return err_set(e, "%s", why);
    return 0;
}

int transformer_run(Transformer *enc, const TransformerIn *in, void *out, float *probs,
                    int64_t wide, Err *e)
{
    int64_t mark;
    int r = transformer_start(enc, in, out, probs, wide, &mark, e);
    return r == 0 && mark ? transformer_finish(enc, mark, e) : r;
}
