#include "model/head/pooler_in.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int kinds_of(const Pooler *p)
{
    return 1 + p->pooling.joins;
}

static PoolKind kind_at(const Pooler *p, int i)
{
    return i ? p->pooling.joined[i - 1] : p->pooling.kind;
}

static int load_pooler(Pooler *p, const Config *c, Weights *w, Err *e)
{
    if (!c || !w)
        return err_set(e, "a pooler is a model's, and there is none");
    if (!c->family->pooler)
        return err_set(e, "a %s model has no pooler: choose one of --mean --cls --max --last",
                       c->family->type);
    char weight[128], bias[128];
    snprintf(weight, sizeof weight, "%s.weight", c->family->pooler);
    snprintf(bias, sizeof bias, "%s.bias", c->family->pooler);
    const float *m = weights_get(w, weight, c->hidden, c->hidden, e);
    const float *b = m ? weights_get(w, bias, c->hidden, 0, e) : NULL;
    if (!b)
        return -1;
    View part = view_of((void *)(uintptr_t)m, K_F32, c->hidden, c->hidden);
    p->dense = p->dev->pack(p->dev, &part, &b, 1, false, K_F32);
    return p->dense ? 0 : err_set(e, "out of memory on %s", p->dev->name);
}

Pooler *pooler_new(const Pooling *pooling, Device *dev, const Config *c, Weights *w,
                   const char *home, Err *e)
{
    Pooler *p = mem_zero(1, sizeof *p);
    p->pooling = *pooling;
    p->dev = dev;
    int r = pooling_has(pooling, POOL_POOLER) ? load_pooler(p, c, w, e) : 0;
    if (r == 0 && pooling->modules && c)
        r = pooler_add_modules(p, home, kinds_of(p) * c->hidden, e);
    if (r == 0)
        return p;
    pooler_free(p);
    return NULL;
}

void pooler_free(Pooler *p)
{
    if (!p)
        return;
    p->dev->unpack(p->dev, p->dense);
    for (int i = 0; i < p->steps; i++) {
        p->dev->unpack(p->dev, p->step[i].dense);
        p->dev->unpack(p->dev, p->step[i].residual);
        p->dev->free(p->dev, p->step[i].gamma);
        p->dev->free(p->dev, p->step[i].beta);
    }
    for (int i = 0; p->room && i <= p->steps; i++)
        p->dev->free(p->dev, p->room[i].p);
    free(p->room);
    free(p->step);
    p->dev->free(p->dev, p->gamma);
    free(p);
}

int64_t pooler_width(const Pooler *p, int64_t cols)
{
    return p->steps ? p->step[p->steps - 1].out : kinds_of(p) * cols;
}

int64_t pooler_reads(const Pooler *p, int64_t width)
{
    return (p->steps ? p->step[0].in : width) / kinds_of(p);
}

typedef struct Run {
    Pooler *p;
    View hidden, *y; /* device; y[0]: pooled, y[i]: behind step i */
    View weighed;    /* each token times its place; {0}: nobody asks */
    const int64_t *starts, *index[POOL_NONE], *token;
    const float *weight[POOL_NONE], *place;
} Run;

static void stage_weigh(Piece *p, void *ctx)
{
    const Run *u = ctx;
    p->dev->gather(p, &(Gather){.x = u->hidden,
                                .y = view_rows(u->weighed, p->lo, p->hi),
                                .index = u->token + p->lo,
                                .weight = u->place + p->lo});
}

static void one_kind(Piece *p, const Run *u, PoolKind kind, View y)
{
    bool sums = kind == POOL_MEAN || kind == POOL_SQRT || kind == POOL_WEIGHTED;
    if (kind == POOL_MAX)
        p->dev->segmax(p, &(Segmax){.x = u->hidden, .y = y, .starts = u->starts + p->lo});
    else if (sums)
        p->dev->gather(p, &(Gather){.x = kind == POOL_WEIGHTED ? u->weighed : u->hidden,
                                    .y = y,
                                    .starts = u->starts + p->lo,
                                    .weight = u->weight[kind] + p->lo});
    else
        p->dev->gather(p, &(Gather){.x = u->hidden, .y = y, .index = u->index[kind] + p->lo});
    if (kind == POOL_POOLER) {
        View t = temp_view(p, K_F32, y.rows, y.cols);
        p->dev->mix(p, &(Mix){.x = y, .y = t, .a = 1});
        p->dev->linear(p, &(Linear){.x = t, .w = u->p->dense, .y = y, .act = ACT_TANH});
    }
}

/* x / |x| is an RMS norm without its root of cols; the zero vector stays zero. */
static void to_length_1(Piece *p, View x, View y, const float *gamma)
{
    p->dev->norm(p, &(Norm){.x = x, .y = y, .gamma = gamma, .eps = 1e-24f, .rms = true});
}

static void one_step(Piece *p, const PoolStep *s, View x, View y)
{
    if (s->kind == MODULE_NORMALIZE) {
        to_length_1(p, x, y, s->gamma);
    } else if (s->kind == MODULE_LAYER_NORM) {
        p->dev->norm(p, &(Norm){.x = x, .y = y, .gamma = s->gamma, .beta = s->beta, .eps = 1e-5f});
    } else {
        if (s->residual)
            p->dev->linear(p, &(Linear){.x = x, .w = s->residual, .y = y, .act = ACT_NONE});
        View r = s->residual ? y : s->adds ? x : (View){0};
        p->dev->linear(p, &(Linear){.x = x, .w = s->dense, .y = y, .act = s->act, .r = r});
    }
}

static void stage(Piece *p, void *ctx)
{
    const Run *u = ctx;
    const Pooler *of = u->p;
    int64_t cols = u->hidden.cols;
    View x = view_rows(u->starts ? u->y[0] : u->hidden, p->lo, p->hi);
    for (int i = 0; i < kinds_of(of) && u->starts; i++)
        one_kind(p, u, kind_at(of, i), view_cols(x, i * cols, (i + 1) * cols));
    for (int i = 0; i < of->steps; i++) {
        View y = view_rows(u->y[i + 1], p->lo, p->hi);
        one_step(p, &of->step[i], x, y);
        x = y;
    }
    if (of->pooling.normalize)
        to_length_1(p, x, view_rows(u->y[of->steps], p->lo, p->hi), of->gamma);
}

static int set_gamma(Pooler *p, int64_t cols, Err *e)
{
    if (p->gamma && p->gamma_cols == cols)
        return 0;
    p->dev->free(p->dev, p->gamma);
    p->gamma_cols = cols;
    p->gamma = pooler_fill(p->dev, cols, 1.0f / __builtin_sqrtf((float)cols), e);
    return p->gamma ? 0 : -1;
}

/* What the sum of a row's tokens is multiplied by; n of them, the first at place `from` + 1. */
static float scale_of(PoolKind kind, int64_t n, int64_t from)
{
    if (!n)
        return 0;
    double of = kind == POOL_MEAN   ? (double)n
                : kind == POOL_SQRT ? __builtin_sqrt((double)n)
                                    : (double)n * (double)(2 * from + n + 1) / 2;
    return (float)(1 / of);
}

/* Host arrays beside the rows: which token is picked, and what sums are multiplied by. */
static int plan(PoolKind kind, const PoolIn *in, int64_t *index, float *weight, Err *e)
{
    bool picks = kind == POOL_CLS || kind == POOL_LAST || kind == POOL_POOLER;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1];
        if (picks && from == to) {
            e->row = r + 1;
            return err_set(e, "no tokens to take the %s one of",
                           kind == POOL_CLS    ? "cls"
                           : kind == POOL_LAST ? "last"
                                               : "pooler");
        }
        index[r] = kind == POOL_LAST ? to - 1 : from;
        weight[r] = scale_of(kind, to - from, in->prompt);
    }
    return 0;
}

/* ---- a batch ---- */

/* Device memory of the run; what `hold` gave goes back by `release`. */
typedef struct Held {
    const void *p[2 * POOL_NONE + 4];
    int n;
    bool out_of_memory;
} Held;

static const void *hold(Device *d, Held *h, const void *p, size_t bytes)
{
    const void *at = d->hold(d, p, bytes);
    h->out_of_memory = h->out_of_memory || (!at && bytes);
    if (at)
        h->p[h->n++] = at;
    return at;
}

static int hold_kinds(Run *u, const PoolIn *in, Held *h, int64_t *index, float *weight, Err *e)
{
    Device *d = u->p->dev;
    size_t n = (size_t)in->rows;
    for (int i = 0; i < kinds_of(u->p); i++, index += n, weight += n) {
        PoolKind kind = kind_at(u->p, i);
        if (plan(kind, in, index, weight, e) < 0)
            return -1;
        u->index[kind] = hold(d, h, index, n * sizeof *index);
        u->weight[kind] = hold(d, h, weight, n * sizeof *weight);
    }
    return 0;
}

/* Each token's place in its row, from 1. */
static void count_places(const PoolIn *in, int64_t *token, float *place)
{
    for (int64_t r = 0; r < in->rows; r++)
        for (int64_t t = in->starts[r]; t < in->starts[r + 1]; t++) {
            token[t] = t;
            place[t] = (float)(in->prompt + t - in->starts[r] + 1);
        }
}

static void *room(Pooler *p, int step, size_t bytes)
{
    Device *d = p->dev;
    if (!p->room)
        p->room = mem_zero((size_t)p->steps + 1, sizeof *p->room);
    PoolRoom *r = &p->room[step];
    if (!r->p || r->bytes < bytes) {
        d->free(d, r->p);
        *r = (PoolRoom){d->alloc(d, bytes), bytes};
    }
    return r->p;
}

static int run(Run *u, const PoolIn *in, float *out, Err *e)
{
    Pooler *p = u->p;
    Device *d = p->dev;
    int64_t cols = kinds_of(p) * in->hidden.cols;
    char why[256];
    int r = 0;
    for (int made = 0; made <= p->steps && r == 0; made++) {
        cols = made ? p->step[made - 1].out : cols;
        void *y = room(p, made, (size_t)(in->rows * cols) * sizeof *out);
        u->y[made] = view_of(y, K_F32, in->rows, cols);
        r = y ? 0 : err_set(e, "out of memory on %s", d->name);
    }
    if (r == 0) {
        if (u->place)
            d->each(d, EACH_ROWS, &(Batch){.tokens = in->hidden.rows}, stage_weigh, u);
        d->each(d, EACH_ROWS, &(Batch){.tokens = in->rows}, stage, u);
        d->get(d, out, u->y[p->steps].p, (size_t)(in->rows * cols) * sizeof *out);
        if (d->wait(d, why, sizeof why) < 0)
            r = err_set(e, "%s", why);
    }
    return r;
}

static int pool_all(Pooler *p, const PoolIn *in, float *out, Err *e)
{
    Device *d = p->dev;
    View x = in->hidden;
    size_t n = (size_t)in->rows, t = (size_t)x.rows, kinds = (size_t)kinds_of(p);
    int64_t *index = mem_array(n * kinds + t + 1, sizeof *index);
    float *weight = mem_array(n * kinds + t + 1, sizeof *weight);
    Run u = {.p = p, .hidden = x, .y = mem_zero((size_t)p->steps + 1, sizeof *u.y)};
    Held h = {0};
    u.hidden.p =
        (void *)(uintptr_t)hold(d, &h, x.p, (size_t)(x.rows * x.cols) * ktype_size(x.type));
    u.starts = in->starts ? hold(d, &h, in->starts, (n + 1) * sizeof *in->starts) : NULL;
    int r = in->starts ? hold_kinds(&u, in, &h, index, weight, e) : 0;
    if (r == 0 && pooling_has(&p->pooling, POOL_WEIGHTED) && t) {
        count_places(in, index + n * kinds, weight + n * kinds);
        u.token = hold(d, &h, index + n * kinds, t * sizeof *index);
        u.place = hold(d, &h, weight + n * kinds, t * sizeof *weight);
        void *w = d->alloc(d, (size_t)(x.rows * x.cols) * sizeof *weight);
        u.weighed = view_of(w, K_F32, x.rows, x.cols);
        h.out_of_memory = h.out_of_memory || !w;
    }
    if (r == 0 && h.out_of_memory)
        r = err_set(e, "out of memory on %s", d->name);
    if (r == 0 && p->pooling.normalize)
        r = set_gamma(p, pooler_width(p, x.cols), e);
    if (r == 0)
        r = run(&u, in, out, e);
    d->free(d, u.weighed.p);
    for (int i = 0; i < h.n; i++)
        d->release(d, h.p[i]);
    free(u.y);
    free(index);
    free(weight);
    return r;
}

/* Without the prompt's tokens, which each row begins with. */
static int pool_past(Pooler *p, const PoolIn *in, float *out, Err *e)
{
    size_t line = (size_t)in->hidden.cols * ktype_size(in->hidden.type);
    int64_t *starts = mem_array((size_t)in->rows + 1, sizeof *starts), at = 0;
    char *kept = mem_alloc((size_t)in->hidden.rows * line + 1);
    PoolIn rest = *in;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r] + in->prompt, n = in->starts[r + 1] - from;
        starts[r] = at;
        if (n > 0)
            memcpy(kept + (size_t)at * line, (const char *)in->hidden.p + (size_t)from * line,
                   (size_t)n * line);
        at += n > 0 ? n : 0;
    }
    starts[in->rows] = at;
    rest.starts = starts;
    rest.hidden = view_of(kept, in->hidden.type, at, in->hidden.cols);
    int status = pool_all(p, &rest, out, e);
    free(kept);
    free(starts);
    return status;
}

int pooler_run(Pooler *p, const PoolIn *in, float *out, Err *e)
{
    PoolIn all = *in;
    if (p->pooling.past_prompt && in->prompt && in->starts)
        return pool_past(p, in, out, e);
    all.prompt = 0;
    return pool_all(p, &all, out, e);
}
