#include "model/transformer/transformer_in.h"
#include "model/transformer/transformer_layers.h"

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

/* Position embeddings' indices; families that count from the padding id leave padding out. */
static void set_positions(const Transformer *m, const TransformerIn *in)
{
    const Config *c = &m->config;
    bool behind = c->family->positions == POSITIONS_BEHIND_PAD;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t next = c->first;
        for (int64_t t = in->starts[r]; t < in->starts[r + 1]; t++) {
            bool padding = behind && in->id[t] == c->pad;
            m->positions[t] = (int32_t)(padding ? c->pad : next++);
        }
    }
}

/* A decoder reads the row one token late, behind its first id. */
static void set_ids(const Transformer *m, const TransformerIn *in)
{
    const Config *c = &m->config;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1], last = from;
        for (int64_t t = from, n = 0; t < to; t++) {
            n += in->id[t] != c->pad;
            last = n ? from + n - 1 : from;
            m->ids[t] = t > from ? in->id[t - 1] : (int32_t)c->start;
        }
        if (c->family->start_last && from < to)
            m->ids[from] = in->id[last];
    }
}

/* Positions and types as the tables' indices, and where rows start, in device memory. */
int batch_begin(Run *u, const TransformerIn *in, Err *e)
{
    Transformer *m = u->t;
    size_t n = (size_t)in->tokens, bytes = n * sizeof(int32_t);
    if (m->host_tokens < in->tokens) {
        m->host_tokens = in->tokens;
        m->ids = mem_resize(m->ids, n, sizeof(int32_t));
        m->positions = mem_resize(m->positions, n, sizeof(int32_t));
        m->kinds = mem_resize(m->kinds, n, sizeof(int32_t));
    }
    set_positions(m, in);
    int64_t longest = 0;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t len = in->starts[r + 1] - in->starts[r];
        longest = len > longest ? len : longest;
    }
    u->far = longest > m->config.window + 1;
    if (turns_grow(&m->turns, &m->config, m->dev, longest, e) < 0 || far_grow(m, longest, e) < 0)
        return -1;
    for (int64_t t = 0; t < in->tokens; t++)
        m->kinds[t] = in->kind ? in->kind[t] : 0;
    size_t ends = (size_t)(in->rows + 1) * sizeof *in->starts;
    u->position = tape_put(&m->tape, SPACE_POSITION, m->positions, bytes, e);
    u->kind = tape_put(&m->tape, SPACE_KIND, m->kinds, bytes, e);
    u->batch = (Batch){.tokens = in->tokens,
                       .rows = in->rows,
                       .starts = tape_put(&m->tape, SPACE_STARTS, in->starts, ends, e),
                       .host_starts = in->starts,
                       .heads = (int)m->config.heads};
    return u->position && u->kind && u->batch.starts ? 0 : -1;
}

/* What a half's slots are like, and which of them products read. bf16 comes out as such whatever
 * products are computed from. */
static void set_shapes(Transformer *m, const HalfPlan *h, SlotShape shape[SLOTS])
{
    const Config *c = &m->config;
    int64_t hidden = c->hidden, wide = c->heads * c->size, narrow = c->kv_heads * c->size;
    KType states = m->type == K_BF16 ? K_BF16 : m->compute;
    bool before = c->family->norms == NORMS_BEFORE;
    bool normed = before && (m->compute == K_F32 || m->type == K_F16);
    bool crosses = points_of(h) == 3;
    memset(shape, 0, SLOTS * sizeof *shape);
    shape[SLOT_X] = (SlotShape){K_F32, hidden, 0};
    shape[SLOT_NORMED] = (SlotShape){K_F32, normed ? hidden : 0, 0};
    shape[SLOT_NARROW] = (SlotShape){states, states != K_F32 ? hidden : 0, 0};
    shape[SLOT_QKV] = (SlotShape){m->compute, wide + 2 * narrow, 0};
    shape[SLOT_TURNED] = (SlotShape){m->compute, c->turned ? 3 * wide : 0, 0};
    shape[SLOT_SEEN] = (SlotShape){m->compute, wide, 0};
    if (crosses) {
        shape[SLOT_CROSS_QUERY] = (SlotShape){m->compute, wide, 0};
        shape[SLOT_CROSS_PAIR] = (SlotShape){m->compute, 2 * narrow, 0};
        shape[SLOT_CROSS_SEEN] = (SlotShape){m->compute, wide, 0};
    }
    m->in = m->compute != K_F32 ? SLOT_NARROW : normed ? SLOT_NORMED : SLOT_X;
}

/* The same where the way back is to follow. What norms behind residuals leave in f32 is needed only
 * until the next residual, unless products read it. */
static void keep_shapes(const Transformer *m, const HalfPlan *h, SlotShape shape[SLOTS])
{
    const Config *c = &m->config;
    bool before = c->family->norms == NORMS_BEFORE, projects = h->project.id >= 0;
    int64_t layers = h->end - h->first, points = layers * points_of(h) + 1;
    int64_t embed = h->embed.gamma >= 0 ? c->embedding : 0;
    for (Slot s = 0; s < SLOTS; s++)
        shape[s].places = s < SLOT_QKV ? points : layers;
    shape[SLOT_SUM] = (SlotShape){K_F32, before ? 0 : c->hidden, points};
    shape[SLOT_STATS] = (SlotShape){K_F32, 2, points};
    if (!before && m->in != SLOT_X)
        shape[SLOT_X].places = 0;
    if (m->in != SLOT_NARROW)
        shape[SLOT_NARROW].places = 0;
    if (c->turned) /* what is turned is kept; the others' place is their gradients' */
        shape[SLOT_QKV].places = 0;
    shape[SLOT_LSE] = (SlotShape){K_F32, c->heads, layers};
    if (shape[SLOT_CROSS_SEEN].cols)
        shape[SLOT_CROSS_LSE] = (SlotShape){K_F32, c->heads, layers};
    shape[SLOT_PRE] = (SlotShape){m->compute, (c->gated ? 2 : 1) * c->inner, layers};
    shape[SLOT_EMBED_SUM] = (SlotShape){K_F32, embed, 1};
    shape[SLOT_EMBED_STATS] = (SlotShape){K_F32, embed ? 2 : 0, 1};
    shape[SLOT_EMBED_IN] = (SlotShape){m->compute, projects ? c->embedding : 0, 1};
}

/* Of a layer at a time: states between layers are kept, sums not even there, as only the norms of a
 * layer's own ask for them. */
static void keep_entries(Transformer *m, const HalfPlan *h, SlotShape shape[SLOTS])
{
    int64_t layers = h->end - h->first, points = points_of(h);
    m->tape.points[h - m->plan.half] = points;
    shape[SLOT_X].places = layers + points;
    for (Slot s = 0; s < SLOT_EMBED_SUM; s++)
        if (shape[s].places)
            shape[s].places = s >= SLOT_QKV ? 1 : s == SLOT_SUM ? points : layers + points;
}

/* Begins a half: its ids, and memory for its states. */
int batch_half(Run *u, int which, const TransformerIn *in, Err *e)
{
    Transformer *m = u->t;
    SlotShape shape[SLOTS];
    if (which)
        set_ids(m, in);
    u->half = &m->plan.half[which];
    u->id = tape_put(&m->tape, SPACE_ID + which, which ? m->ids : in->id,
                     (size_t)in->tokens * sizeof(int32_t), e);
    set_shapes(m, u->half, shape);
    if (m->arena)
        keep_shapes(m, u->half, shape);
    if (m->again)
        keep_entries(m, u->half, shape);
    if (u->picked) {
        shape[SLOT_PICKED] = (SlotShape){K_F32, m->config.hidden, 1};
        shape[SLOT_PICKED_SEEN] = (SlotShape){m->compute, shape[SLOT_SEEN].cols, 1};
    }
    return u->id ? tape_begin(&m->tape, which, in->tokens, shape, e) : -1;
}

/* A row's weights come as heads x len x len; they go out by token, [layers, heads, wide] each. */
static void spread_probs(const Run *u)
{
    const Look *k = u->look;
    const TransformerIn *in = k->in;
    int64_t heads = u->t->config.heads, layers = u->t->plan.layers;
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
    Device *dev = u->t->dev;
    dev->get(dev, u->look->host, u->probs, u->look->bytes);
    dev->wait(dev, NULL, 0); /* a failure is kept, and told at the end */
    spread_probs(u);
}

static int look_begin(Run *u, Look *k, Err *e)
{
    Transformer *m = u->t;
    const TransformerIn *in = k->in;
    int64_t total = 0;
    k->at = mem_array((size_t)in->rows + 1, sizeof *k->at);
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t len = in->starts[r + 1] - in->starts[r];
        k->at[r] = total;
        total += m->config.heads * len * len;
    }
    k->bytes = (size_t)total * sizeof *k->host;
    k->host = mem_alloc(k->bytes);
    u->look = k;
    u->probs = tape_space(&m->tape, SPACE_PROBS, k->bytes, e);
    u->probs_at = tape_put(&m->tape, SPACE_PROBS_AT, k->at, (size_t)in->rows * sizeof *k->at, e);
    return u->probs && u->probs_at ? 0 : -1;
}

/* Where the hidden states are in the end. */
static View output(const Run *u)
{
    int half = (int)(u->half - u->t->plan.half);
    bool normed = u->t->tape.slot[half][SLOT_NORMED].p && u->half->whole;
    Slot s = u->t->type == K_BF16 ? SLOT_NARROW : normed ? SLOT_NORMED : SLOT_X;
    return tape_place(&u->t->tape, half, s, point_of(u, u->half->end));
}

/* One batch: whole rows, as many as keep the threads busy and their numbers near. */
static int run_batch(Transformer *t, const TransformerIn *in, char *out, Look *k, Err *e)
{
    Run u = {.t = t};
    Device *dev = t->dev;
    int r = batch_begin(&u, in, e);
    if (r == 0 && k->out)
        r = look_begin(&u, k, e);
    for (int i = 0; i < t->plan.halves && r == 0; i++) {
        r = batch_half(&u, i, in, e);
        if (r == 0)
            transformer_half(&u);
    }
    free(k->at);
    free(k->host);
    if (r < 0)
        return -1;
    View y = output(&u);
    dev->get(dev, out, y.p, (size_t)(in->tokens * y.cols) * ktype_size(y.type));
    return 0;
}

/* The rows from `first` on that make a batch; starts get their copy from 0 in t->starts. */
static TransformerIn next_batch(Transformer *t, const TransformerIn *in, int64_t first)
{
    int64_t want = BATCH_TOKENS * t->dev->threads, rows = 0;
    const int64_t *s = in->starts + first;
    while (first + rows < in->rows && (rows == 0 || s[rows + 1] - s[0] <= want))
        rows++;
    t->starts = mem_resize(t->starts, (size_t)rows + 1, sizeof *t->starts);
    for (int64_t i = 0; i <= rows; i++)
        t->starts[i] = s[i] - s[0];
    return (TransformerIn){.id = in->id + s[0],
                           .kind = in->kind ? in->kind + s[0] : NULL,
                           .starts = t->starts,
                           .rows = rows,
                           .tokens = s[rows] - s[0]};
}

int transformer_start(Transformer *t, const TransformerIn *in, void *out, float *probs,
                      int64_t wide, int64_t *mark, Err *e)
{
    const Config *c = &t->config;
    size_t each = (size_t)c->hidden * (t->type == K_BF16 ? 2 : 4);
    for (int64_t row = 0, at = 0; row < in->rows;) {
        TransformerIn b = next_batch(t, in, row);
        Look k = {.in = &b,
                  .wide = wide,
                  .out = probs ? probs + at * t->plan.layers * c->heads * wide : NULL};
        if (run_batch(t, &b, (char *)out + (size_t)at * each, &k, e) < 0)
            return -1;
        row += b.rows;
        at += b.tokens;
    }
    *mark = t->dev->mark(t->dev);
    return *mark ? 0 : transformer_finish(t, 0, e);
}

int transformer_finish(Transformer *t, int64_t mark, Err *e)
{
    char why[256];
    if (t->dev->reach(t->dev, mark, why, sizeof why) < 0)
        return err_set(e, "%s", why);
    return 0;
}

int transformer_run(Transformer *t, const TransformerIn *in, void *out, float *probs, int64_t wide,
                    Err *e)
{
    int64_t mark;
    int r = transformer_start(t, in, out, probs, wide, &mark, e);
    return r == 0 && mark ? transformer_finish(t, mark, e) : r;
}
