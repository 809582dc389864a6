#include "model/transformer/speaker_in.h"

#include "base/dtype.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const Config *speaker_config(const Speaker *s)
{
    return &s->config;
}

bool speaker_reads(const Speaker *s)
{
    return s->encoder;
}

int64_t speaker_token_wide(const Speaker *s)
{
    return 2 * s->config.kv_heads * s->config.size;
}

int64_t speaker_token_layers(const Speaker *s)
{
    const HalfPlan *h = speaker_half(s);
    return h->end - h->first;
}

void speaker_identity(const Speaker *s, char out[HASH_TEXT])
{
    static const char *const forms[] = {"f32", "bf16", "int8"};
    char weights[HASH_TEXT];
    Hash *h = hash_new();
    transformer_fingerprint(s->weights, &s->config, weights);
    hash_add(h, weights, strlen(weights));
    hash_add(h, forms[s->form], strlen(forms[s->form]));
    hash_end(h, out);
}

int speaker_keep(Speaker *s, int64_t tokens, int64_t read, Err *e)
{
    int64_t layers = speaker_token_layers(s);
    kept_free(s->kept);
    kept_free(s->memory);
    s->memory = NULL;
    s->kept = kept_new(s->dev, layers, speaker_token_wide(s), tokens, e);
    if (s->kept && s->encoder &&
        !(s->memory = kept_new(s->dev, layers, speaker_token_wide(s), read, e)))
        return -1;
    return s->kept ? 0 : -1;
}

Kept *speaker_kept(Speaker *s)
{
    return s->kept;
}

Kept *speaker_memory(Speaker *s)
{
    return s->memory;
}

/* ---- memory of a step ---- */

static View space(Speaker *s, int which, int64_t rows, int64_t cols, Err *e)
{
    void *p = space_grow(&s->space[which], s->dev, (size_t)(rows * cols) * sizeof(float), e);
    return p ? view_of(p, K_F32, rows, cols) : (View){0};
}

static const void *put(Speaker *s, int which, const void *host, size_t bytes, Err *e)
{
    void *p = space_grow(&s->space[which], s->dev, bytes, e);
    if (p)
        s->dev->put(s->dev, p, host, bytes);
    return p;
}

int speaker_wait(Speaker *s, Err *e)
{
    char why[256];
    return s->dev->wait(s->dev, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
}

/* ---- reading ---- */

int speaker_read(Speaker *s, const TransformerIn *in, Track *memory, Err *e)
{
    int64_t n = in->tokens, hidden = s->config.hidden;
    bool narrow = s->form == THIN_BF16;
    if (transformer_check(s->encoder, in, e) < 0)
        return -1;
    char *out = mem_aligned((size_t)(n * hidden) * (narrow ? 2 : 4));
    int64_t *slot = mem_array((size_t)n, sizeof *slot);
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], len = in->starts[r + 1] - from;
        track_append(s->memory, &memory[r], len);
        for (int64_t i = 0; i < len; i++)
            slot[from + i] = memory[r].slot[i];
    }
    int r = n ? transformer_run(s->encoder, in, out, NULL, 0, e) : 0;
    if (r == 0 && n) {
        View x = space(s, SAY_READ, n, hidden, e),
             pair = space(s, SAY_PAIR, n, speaker_token_wide(s), e);
        const int64_t *to = put(s, SAY_OUT, slot, (size_t)n * sizeof *slot, e);
        r = x.p && pair.p && to ? 0 : -1;
        if (r == 0 && narrow) { /* products of few rows take f32 */
            float *wide = mem_aligned((size_t)(n * hidden) * sizeof *wide);
            for (int64_t i = 0; i < n * hidden; i++)
                wide[i] = f32_from_bf16(((uint16_t *)(void *)out)[i]);
            free(out);
            out = (char *)wide;
        }
        if (r == 0) {
            s->dev->put(s->dev, x.p, out, (size_t)(n * hidden) * sizeof(float));
            say_read(s, x, pair, to);
            r = speaker_wait(s, e);
        }
    }
    free(slot);
    free(out);
    return r;
}

/* ---- a step ---- */

/* What the step's rows bring, as the layers want it. */
typedef struct Lists {
    int32_t *position, *last, *slot, *cross_slot;
    int64_t *at, *fresh, *cross_starts, *cross_at;
    int64_t longest;
    int64_t crosses; /* rows that look at a memory of their own */
} Lists;

static void list_rows(const Speaker *s, const Speech *in, Lists *l)
{
    int64_t total = 0, tokens = in->starts[in->rows];
    for (int64_t r = 0; r < in->rows; r++)
        total += in->track[r]->n;
    l->position = mem_array((size_t)tokens, sizeof *l->position);
    l->last = mem_array((size_t)in->rows, sizeof *l->last);
    l->slot = mem_array((size_t)total, sizeof *l->slot);
    l->at = mem_array((size_t)in->rows + 1, sizeof *l->at);
    l->fresh = mem_array((size_t)tokens, sizeof *l->fresh);
    l->at[0] = 0;
    for (int64_t r = 0; r < in->rows; r++) {
        const Track *t = in->track[r];
        int64_t from = in->starts[r], n = in->starts[r + 1] - from;
        for (int64_t i = 0; i < n; i++) {
            l->position[from + i] = (int32_t)(s->config.first + t->n - n + i);
            l->fresh[from + i] = t->slot[t->n - n + i];
        }
        l->longest = t->n > l->longest ? t->n : l->longest;
        l->last[r] = (int32_t)(from + n - 1);
        for (int64_t i = 0; i < t->n; i++)
            l->slot[l->at[r] + i] = t->slot[i];
        l->at[r + 1] = l->at[r] + t->n;
    }
}

/* Neighbours that look at one memory are one row: its keys are then read once for all of them. */
static void list_memories(const Speech *in, Lists *l)
{
    int64_t total = 0;
    for (int64_t r = 0; r < in->rows; r++)
        total += in->memory[r]->n;
    l->cross_slot = mem_array((size_t)total, sizeof *l->cross_slot);
    l->cross_at = mem_array((size_t)in->rows + 1, sizeof *l->cross_at);
    l->cross_starts = mem_array((size_t)in->rows + 1, sizeof *l->cross_starts);
    l->cross_at[0] = l->cross_starts[0] = 0;
    for (int64_t r = 0; r < in->rows; r++) {
        if (!r || in->memory[r] != in->memory[r - 1]) {
            const Track *t = in->memory[r];
            int64_t at = l->cross_at[l->crosses];
            for (int64_t i = 0; i < t->n; i++)
                l->cross_slot[at + i] = t->slot[i];
            l->cross_at[++l->crosses] = at + t->n;
        }
        l->cross_starts[l->crosses] = in->starts[r + 1];
    }
}

static void lists_clear(Lists *l)
{
    free(l->position);
    free(l->last);
    free(l->slot);
    free(l->at);
    free(l->fresh);
    free(l->cross_slot);
    free(l->cross_at);
    free(l->cross_starts);
}

/* Lists on their way to the device, side by side, so that it is asked once for all of them. */
typedef struct Parcel {
    char *host;
    size_t size, room;
} Parcel;

/* Where it lies in the parcel. */
static size_t add_list(Parcel *p, const void *list, size_t bytes)
{
    enum { APART = 64 };
    size_t at = p->size;
    p->size += (bytes + APART - 1) / APART * APART;
    if (p->size > p->room) {
        p->room = 2 * p->size;
        p->host = mem_resize(p->host, p->room, 1);
    }
    if (bytes)
        memcpy(p->host + at, list, bytes);
    return at;
}

enum { LISTS_SPARE = 1 << 14 };

static int put_lists(Say *u, const Speech *in, const Lists *l, Err *e)
{
    Speaker *s = u->s;
    size_t rows = (size_t)in->rows, tokens = (size_t)in->starts[in->rows], four = sizeof(int32_t);
    size_t eight = sizeof(int64_t), crosses = (size_t)l->crosses;
    Parcel p = {0};
    size_t id = add_list(&p, in->id, tokens * four);
    size_t position = add_list(&p, l->position, tokens * four);
    size_t last = add_list(&p, l->last, rows * four);
    size_t at = add_list(&p, l->at, (rows + 1) * eight);
    size_t starts = add_list(&p, in->starts, (rows + 1) * eight);
    size_t fresh = add_list(&p, l->fresh, tokens * eight);
    size_t cross_starts = add_list(&p, l->cross_starts, s->encoder ? (crosses + 1) * eight : 0);
    size_t cross_at = add_list(&p, l->cross_at, s->encoder ? (crosses + 1) * eight : 0);
    size_t cross_slot =
        add_list(&p, l->cross_slot, s->encoder ? (size_t)l->cross_at[crosses] * four : 0);
    size_t slot = add_list(&p, l->slot, (size_t)l->at[rows] * four); /* last, for it grows */
    if (p.size > s->space[SAY_LISTS].size) /* seldom, for addresses then are others */
        space_grow(&s->space[SAY_LISTS], s->dev, 2 * p.size + LISTS_SPARE, e);
    const char *there = put(s, SAY_LISTS, p.host, p.size, e);
    free(p.host);
    if (!there || turns_grow(&s->turns, &s->config, s->dev, l->longest, e) < 0)
        return -1;
    u->id = (const int32_t *)(const void *)(there + id);
    u->position = (const int32_t *)(const void *)(there + position);
    u->last = (const int32_t *)(const void *)(there + last);
    u->slot = (const int32_t *)(const void *)(there + slot);
    u->at = (const int64_t *)(const void *)(there + at);
    u->host_at = l->at;
    u->fresh = (const int64_t *)(const void *)(there + fresh);
    u->far = l->longest > s->config.window + 1;
    u->batch = (Batch){.tokens = (int64_t)tokens,
                       .rows = in->rows,
                       .starts = (const int64_t *)(const void *)(there + starts),
                       .host_starts = in->starts,
                       .heads = (int)s->config.heads};
    u->cross = u->batch;
    u->cross.rows = l->crosses;
    u->cross.host_starts = l->cross_starts;
    u->cross.starts = (const int64_t *)(const void *)(there + cross_starts);
    u->cross_slot = (const int32_t *)(const void *)(there + cross_slot);
    u->cross_at = (const int64_t *)(const void *)(there + cross_at);
    u->host_cross_at = l->cross_at;
    return 0;
}

static int make_views(Say *u, int64_t rows, Err *e)
{
    Speaker *s = u->s;
    const Config *c = &s->config;
    int64_t n = u->batch.tokens, wide = c->heads * c->size, hidden = c->hidden;
    u->x = space(s, SAY_X, n, hidden, e);
    u->sum = space(s, SAY_SUM, n, hidden, e);
    u->normed = space(s, SAY_NORMED, n, hidden, e);
    u->qkv = space(s, SAY_QKV, n, wide + speaker_token_wide(s), e);
    u->seen = space(s, SAY_SEEN, n, wide, e);
    u->wide = space(s, SAY_WIDE, n, c->inner, e);
    u->both = c->gated ? space(s, SAY_BOTH, n, 2 * c->inner, e) : u->wide;
    u->last_x = space(s, SAY_LAST_X, rows, hidden, e);
    u->logits = space(s, SAY_LOGITS, rows, c->vocab, e);
    return u->x.p && u->sum.p && u->normed.p && u->qkv.p && u->seen.p && u->wide.p && u->both.p &&
                   u->last_x.p && u->logits.p
               ? 0
               : -1;
}

/* ---- what is heard ---- */

/* One behind the other; [rows] each, and [rows, best]. */
typedef struct Sums {
    View logits;
    int best;
    double *sum;
    float *top, *value;
    int32_t *where, *whose;
} Sums;

static Sums sums_at(void *p, View logits, int best)
{
    size_t rows = (size_t)logits.rows;
    Sums a = {.logits = logits, .best = best, .sum = p};
    a.top = (float *)(void *)(a.sum + rows);
    a.value = a.top + rows;
    a.where = (int32_t *)(void *)(a.value + rows * (size_t)best);
    a.whose = a.where + rows;
    return a;
}

static void stage_sums(Piece *p, void *ctx)
{
    const Sums *a = ctx;
    View x = view_rows(a->logits, p->lo, p->hi);
    p->dev->lse(p, &(Lse){.x = x,
                          .begin = true,
                          .top = a->top + p->lo,
                          .sum = a->sum + p->lo,
                          .where = a->where + p->lo});
    if (a->best)
        p->dev->topk(p, &(Topk){.x = x,
                                .k = a->best,
                                .begin = true,
                                .value = a->value + p->lo * a->best,
                                .index = a->whose + p->lo * a->best});
}

/* A step, from the lists to what is said of the logits. */
typedef struct WholeStep {
    Say *u;
    Sums *sums;
} WholeStep;

static void whole_step(void *ctx)
{
    const WholeStep *t = ctx;
    Device *dev = t->u->s->dev;
    say_layers(t->u);
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = t->sums->logits.rows}, stage_sums, t->sums);
}

/* New tokens of rows that look at one memory, at most. */
static int64_t most_beside(const Say *u)
{
    int64_t most = 0;
    for (int64_t r = 0; r < u->cross.rows; r++) {
        int64_t n = u->cross.host_starts[r + 1] - u->cross.host_starts[r];
        most = n > most ? n : most;
    }
    return most;
}

/* Rows of a token each ask for the same as long as they are as many: where the lists lie, and what
 * stands in them does not matter. */
static void run_step(Say *u, Sums *a)
{
    Device *dev = u->s->dev;
    WholeStep step = {u, a};
    if (u->batch.tokens != u->batch.rows) {
        whole_step(&step);
        return;
    }
    const void *at[] = {u->s,        u->id,           u->position,   u->last,
                        u->at,       u->batch.starts, u->fresh,      u->cross.starts,
                        u->slot,     u->cross_at,     u->cross_slot, u->x.p,
                        u->logits.p, a->sum};
    int64_t key[sizeof at / sizeof *at + 5] = {u->batch.rows, u->cross.rows, most_beside(u), u->far,
                                               a->best};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        key[5 + i] = (int64_t)(intptr_t)at[i];
    dev->again(dev, key, sizeof key, whole_step, &step);
}

static int hear(Say *u, const Heard *out, Err *e)
{
    Speaker *s = u->s;
    size_t rows = (size_t)u->logits.rows, best = rows * (size_t)out->best;
    size_t bytes = rows * sizeof(double) + (rows + best) * (sizeof(float) + sizeof(int32_t));
    void *there = space_grow(&s->space[SAY_HEARD], s->dev, bytes, e);
    if (!there)
        return -1;
    void *here = mem_array(bytes, 1);
    Sums a = sums_at(there, u->logits, out->best), b = sums_at(here, u->logits, out->best);
    run_step(u, &a);
    s->dev->get(s->dev, here, there, bytes);
    if (out->logits)
        s->dev->get(s->dev, out->logits, u->logits.p,
                    rows * (size_t)s->config.vocab * sizeof *out->logits);
    int r = speaker_wait(s, e);
    for (size_t i = 0; i < rows; i++)
        out->lse[i] = (double)b.top[i] + log(b.sum[i]);
    memcpy(out->top, b.top, rows * sizeof *out->top);
    memcpy(out->word, b.where, rows * sizeof *out->word);
    if (best) {
        memcpy(out->value, b.value, best * sizeof *out->value);
        memcpy(out->whose, b.whose, best * sizeof *out->whose);
    }
    free(here);
    return r;
}

int speaker_logits(Speaker *s, int64_t row, float *logits, Err *e)
{
    const float *all = s->space[SAY_LOGITS].p;
    s->dev->get(s->dev, logits, all + row * s->config.vocab,
                (size_t)s->config.vocab * sizeof *logits);
    return speaker_wait(s, e);
}

int speaker_run(Speaker *s, const Speech *in, const Heard *out, Err *e)
{
    Say u = {.s = s, .half = speaker_half(s)};
    Lists l = {0};
    list_rows(s, in, &l);
    if (s->encoder)
        list_memories(in, &l);
    int r = put_lists(&u, in, &l, e);
    if (r == 0 && (r = make_views(&u, in->rows, e)) == 0)
        r = hear(&u, out, e);
    lists_clear(&l);
    return r;
}
