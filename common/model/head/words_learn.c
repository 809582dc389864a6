#include "model/head/words_learn.h"

#include "base/mem.h"
#include "model/transformer/transformer_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 1024, CHUNK = 256 }; /* words; rows at a time */

enum {
    SPACE_TOKEN,
    SPACE_TARGET,
    SPACE_WEIGHT,
    SPACE_IN,
    SPACE_PRE,
    SPACE_SUM,
    SPACE_STATS,
    SPACE_MID,
    SPACE_WORDS_IN,
    SPACE_LOGIT,
    SPACE_NARROW,
    SPACE_TOP,
    SPACE_SEEN,
    SPACE_TOTAL,
    SPACE_ALL,
    SPACE_LOSS,
    SPACE_DWORDS,
    SPACE_DPRE,
    SPACE_DNORM,
    SPACE_DIN,
    WORDS_SPACES
};

struct WordsLearn {
    Transformer *t;
    Dense dense; /* id -1: none */
    Act act;
    NormPlan norm;
    int word, bias; /* parameters; bias -1: none */
    int64_t vocab, cols;
    Weight **panel;
    int64_t panels;
    Space space[WORDS_SPACES];
    /* Of the batch: */
    int64_t n;
    const int64_t *token;
    const int32_t *target;
    const float *weight;
    float smooth;
    View in, pre, sum, stats, mid, words; /* words: what the vocabulary's matrix reads */
    View dwords, dpre, dnorm, din;
    float *top, *seen, *loss;
    double *total, *all;
    const Learn *learn;
    int64_t first, rows; /* of the chunk */
};

/* ---- making ---- */

static bool there(const Weights *w, const char *name, const char *end)
{
    char full[160];
    snprintf(full, sizeof full, "%s%s", name, end);
    return w && weights_has(w, full);
}

static int add_bias(WordsLearn *h, const HeadKind *k, const Weights *w)
{
    char name[160];
    snprintf(name, sizeof name, "%s%s", k->bias ? k->bias : k->output, k->bias ? "" : ".bias");
    return params_add(&transformer_plan(h->t)->params, (Param){.name = name,
                                                               .rows = h->vocab,
                                                               .fresh = !there(w, name, ""),
                                                               .part = PART_HEADS,
                                                               .layer = -1});
}

WordsLearn *words_learn_new(Transformer *t, const Weights *w, HeadTask task, Err *e)
{
    const Config *c = transformer_settings(t);
    Plan *p = transformer_plan(t);
    const HeadKind *k = headkind_of(c, task);
    if (!k || !k->words) {
        err_set(e, "a %s model has no head for %s", c->family->type,
                task == HEAD_MASK ? "masked words" : "next words");
        return NULL;
    }
    WordsLearn *h = mem_zero(1, sizeof *h);
    *h = (WordsLearn){.t = t, .dense.id = -1, .norm = {-1, -1}, .vocab = c->vocab};
    h->cols = k->dense && k->narrow ? c->embedding : c->hidden;
    if (k->dense) {
        h->act = head_act(k, c);
        h->dense = plan_dense(p, k->dense, h->cols, c->hidden, !c->family->bare, PART_HEADS,
                              !there(w, k->dense, ".weight"));
    }
    if (k->norm)
        h->norm = plan_norm(p, k->norm, h->cols, !c->family->bare, PART_HEADS,
                            !there(w, k->norm, ".weight"));
    if (c->tied) {
        h->word = p->word;
    } else {
        char name[160];
        snprintf(name, sizeof name, "%s.weight", k->output);
        h->word = params_add(&p->params, (Param){.name = name,
                                                 .rows = h->vocab,
                                                 .cols = h->cols,
                                                 .decays = true,
                                                 .fresh = !there(w, name, ""),
                                                 .part = PART_HEADS,
                                                 .layer = -1});
    }
    h->bias = k->bare ? -1 : add_bias(h, k, w);
    return h;
}

int words_learn_ready(WordsLearn *h, Err *e)
{
    Device *dev = h->t->dev;
    h->panels = (h->vocab + PANEL - 1) / PANEL;
    h->panel = mem_zero((size_t)h->panels, sizeof *h->panel);
    for (int64_t i = 0; i < h->panels; i++) {
        int64_t from = i * PANEL, n = h->vocab - from < PANEL ? h->vocab - from : PANEL;
        float *w = (float *)(uintptr_t)transformer_value(h->t, h->word) + from * h->cols;
        const float *b = h->bias < 0 ? NULL : transformer_value(h->t, h->bias) + from;
        h->panel[i] = dev->follow(dev, view_of(w, K_F32, n, h->cols), b, false, h->t->type);
        if (!h->panel[i])
            return err_set(e, "out of memory on %s", dev->name);
    }
    words_learn_renew(h);
    return 0;
}

static void stage_renew(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    for (int64_t i = p->lo; i < p->hi; i++)
        p->dev->renew(p, h->panel[i]);
}

void words_learn_renew(WordsLearn *h)
{
    h->t->dev->each(h->t->dev, EACH_COLS, &(Batch){.cols = h->panels}, stage_renew, h);
}

void words_learn_free(WordsLearn *h)
{
    if (!h)
        return;
    Device *dev = h->t->dev;
    for (int64_t i = 0; h->panel && i < h->panels; i++)
        dev->unpack(dev, h->panel[i]);
    for (int i = 0; i < WORDS_SPACES; i++)
        dev->free(dev, h->space[i].p);
    free(h->panel);
    free(h);
}

/* ---- a batch ---- */

static void *room(WordsLearn *h, int which, size_t bytes, Err *e)
{
    return space_grow(&h->space[which], h->t->dev, bytes ? bytes : 1, e);
}

static const void *put(WordsLearn *h, int which, const void *host, size_t bytes, Err *e)
{
    void *p = room(h, which, bytes, e);
    if (p)
        h->t->dev->put(h->t->dev, p, host, bytes);
    return p;
}

static View matrix(WordsLearn *h, int which, KType type, int64_t cols, bool *ok, Err *e)
{
    void *p = *ok ? room(h, which, (size_t)(h->n * cols) * ktype_size(type), e) : NULL;
    *ok = *ok && p;
    return view_of(p, type, h->n, cols);
}

static int begin(WordsLearn *h, const WordsItems *it, const Learn *l, Err *e)
{
    const Config *c = transformer_settings(h->t);
    KType compute = h->t->compute;
    size_t n = (size_t)it->n;
    bool ok = true, dense = h->dense.id >= 0, norm = h->norm.gamma >= 0;
    h->n = it->n;
    h->smooth = it->smooth;
    h->learn = l;
    h->token = it->token ? put(h, SPACE_TOKEN, it->token, n * sizeof *it->token, e) : NULL;
    h->target = put(h, SPACE_TARGET, it->target, n * sizeof *it->target, e);
    h->weight = put(h, SPACE_WEIGHT, it->weight, n * sizeof *it->weight, e);
    h->top = room(h, SPACE_TOP, n * sizeof *h->top, e);
    h->seen = room(h, SPACE_SEEN, n * sizeof *h->seen, e);
    h->total = room(h, SPACE_TOTAL, n * sizeof *h->total, e);
    h->all = room(h, SPACE_ALL, n * sizeof *h->all, e);
    h->loss = room(h, SPACE_LOSS, n * sizeof *h->loss, e);
    h->in = matrix(h, SPACE_IN, K_F32, c->hidden, &ok, e);
    h->words = matrix(h, SPACE_WORDS_IN, compute, h->cols, &ok, e);
    h->din = matrix(h, SPACE_DIN, K_F32, c->hidden, &ok, e);
    h->dwords = matrix(h, SPACE_DWORDS, K_F32, h->cols, &ok, e);
    if (dense) {
        h->pre = matrix(h, SPACE_PRE, K_F32, h->cols, &ok, e);
        h->mid = matrix(h, SPACE_MID, K_F32, h->cols, &ok, e);
        h->dpre = matrix(h, SPACE_DPRE, K_F32, h->cols, &ok, e);
    }
    if (norm) {
        h->sum = matrix(h, SPACE_SUM, K_F32, h->cols, &ok, e);
        h->stats = matrix(h, SPACE_STATS, K_F32, 2, &ok, e);
        h->dnorm = matrix(h, SPACE_DNORM, K_F32, h->cols, &ok, e);
    }
    size_t chunk = (size_t)(CHUNK * h->panels * PANEL);
    void *logit = room(h, SPACE_LOGIT, chunk * sizeof(float), e);
    void *narrow = compute == K_F32 ? logit : room(h, SPACE_NARROW, chunk * 2, e);
    return ok && (h->token || !it->token) && h->target && h->weight && h->top && h->seen &&
                   h->total && h->all && h->loss && logit && narrow
               ? 0
               : -1;
}

static View tile(const Piece *p, View v)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

/* The states of the chosen tokens, up to what the vocabulary's matrix reads. */
static void stage_before(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    View x = tile(p, h->in);
    if (h->token)
        p->dev->gather(p,
                       &(Gather){.x = transformer_states(h->t), .y = x, .index = h->token + p->lo});
    else
        p->dev->mix(p, &(Mix){.x = tile(p, transformer_states(h->t)), .y = x, .a = 1});
    if (h->dense.id >= 0) {
        View mid = tile(p, h->mid);
        p->dev->linear(p, &(Linear){.x = x,
                                    .w = transformer_weight(h->t, h->dense.id),
                                    .y = mid,
                                    .act = h->act,
                                    .pre = tile(p, h->pre)});
        x = mid;
    }
    if (h->norm.gamma >= 0)
        p->dev->norm(p, &(Norm){.x = x,
                                .sum = tile(p, h->sum),
                                .y = tile(p, h->words),
                                .gamma = transformer_value(h->t, h->norm.gamma),
                                .beta = transformer_value(h->t, h->norm.beta),
                                .eps = transformer_settings(h->t)->eps,
                                .stats = tile(p, h->stats).p});
    else
        p->dev->mix(p, &(Mix){.x = x, .y = tile(p, h->words), .a = 1});
}

/* Rows [lo, hi) of the chunk, of a panel; their gradient in what products read. */
static View logits(const WordsLearn *h, int which, int64_t panel, int64_t lo, int64_t hi)
{
    KType type = which == SPACE_NARROW ? h->t->compute : K_F32;
    int64_t cols = h->vocab - panel * PANEL < PANEL ? h->vocab - panel * PANEL : PANEL;
    char *at = (char *)h->space[which].p + (size_t)(panel * CHUNK * PANEL) * ktype_size(type);
    return view_rows(view_of(at, type, CHUNK, cols), lo, hi);
}

static View gradients(const WordsLearn *h, int64_t panel, int64_t lo, int64_t hi)
{
    return logits(h, h->t->compute == K_F32 ? SPACE_LOGIT : SPACE_NARROW, panel, lo, hi);
}

static View chunk_of(const WordsLearn *h, View v)
{
    return view_rows(v, h->first, h->first + h->rows);
}

static void stage_logits(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    for (int64_t i = p->lo; i < p->hi; i++)
        p->dev->linear(p, &(Linear){.x = chunk_of(h, h->words),
                                    .w = h->panel[i],
                                    .y = logits(h, SPACE_LOGIT, i, 0, h->rows)});
}

static void stage_lse(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    int64_t at = h->first + p->lo;
    for (int64_t i = 0; i < h->panels; i++)
        p->dev->lse(p, &(Lse){.x = logits(h, SPACE_LOGIT, i, p->lo, p->hi),
                              .col0 = i * PANEL,
                              .begin = i == 0,
                              .target = h->target + at,
                              .top = h->top + at,
                              .seen = h->seen + at,
                              .sum = h->total + at,
                              .all = h->smooth > 0 ? h->all + at : NULL});
}

/* A panel's gradient by its logits, and by its matrix. */
static void stage_panel_back(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    int64_t at = h->first;
    for (int64_t i = p->lo; i < p->hi; i++) {
        View x = logits(h, SPACE_LOGIT, i, 0, h->rows), dx = gradients(h, i, 0, h->rows);
        p->dev->lse_bwd(p, &(LseBwd){.x = x,
                                     .dx = dx,
                                     .col0 = i * PANEL,
                                     .whole = h->vocab,
                                     .target = h->target + at,
                                     .weight = h->weight + at,
                                     .top = h->top + at,
                                     .seen = h->seen + at,
                                     .sum = h->total + at,
                                     .all = h->all + at,
                                     .smooth = h->smooth,
                                     .loss = i == 0 ? h->loss + at : NULL});
        if (!h->learn || !h->learn->trains[h->word])
            continue;
        float *dw = h->learn->grad + h->t->plan.params.param[h->word].at + i * PANEL * h->cols;
        float *db =
            h->bias < 0 ? NULL : h->learn->grad + h->t->plan.params.param[h->bias].at + i * PANEL;
        p->dev->linear_dw(p, &(LinearDw){.dy = dx,
                                         .x = chunk_of(h, h->words),
                                         .dw = view_of(dw, K_F32, dx.cols, h->cols),
                                         .db = db,
                                         .hi = dx.cols,
                                         .add = h->learn->add || h->first > 0});
    }
}

/* The sum over panels, in their order. */
static void stage_words_back(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    View dx = view_rows(chunk_of(h, h->dwords), p->lo, p->hi);
    for (int64_t i = 0; i < h->panels; i++)
        p->dev->linear_dx(p, &(LinearDx){.dy = gradients(h, i, p->lo, p->hi),
                                         .w = h->panel[i],
                                         .r = i ? dx : (View){0},
                                         .dx = dx});
}

static void stage_before_back(Piece *p, void *ctx)
{
    const WordsLearn *h = ctx;
    View dy = tile(p, h->dwords);
    if (h->norm.gamma >= 0) {
        p->dev->norm_bwd(p, &(NormBwd){.dy = dy,
                                       .s = tile(p, h->sum),
                                       .dx = tile(p, h->dnorm),
                                       .stats = tile(p, h->stats).p,
                                       .gamma = transformer_value(h->t, h->norm.gamma)});
        dy = tile(p, h->dnorm);
    }
    if (h->dense.id >= 0) {
        View dpre = tile(p, h->dpre);
        p->dev->act_bwd(p,
                        &(ActivateBwd){.x = tile(p, h->pre), .dy = dy, .dx = dpre, .act = h->act});
        p->dev->linear_dx(p, &(LinearDx){.dy = dpre,
                                         .w = transformer_weight(h->t, h->dense.id),
                                         .dx = tile(p, h->din)});
        dy = tile(p, h->din);
    }
    View to = transformer_states_grad(h->t);
    if (h->token)
        p->dev->gather(p,
                       &(Gather){.x = dy, .y = to, .out = h->token + p->lo, .rows = p->hi - p->lo});
    else
        p->dev->mix(p, &(Mix){.x = dy, .y = tile(p, to), .a = 1});
}

const float *words_learn_pass(WordsLearn *h, const WordsItems *items, const Learn *l, Err *e)
{
    Device *dev = h->t->dev;
    if (begin(h, items, l, e) < 0)
        return NULL;
    Batch all = {.tokens = h->n}, panels = {.cols = h->panels};
    dev->each(dev, EACH_ROWS, &all, stage_before, h);
    for (h->first = 0; h->first < h->n; h->first += CHUNK) {
        h->rows = h->n - h->first < CHUNK ? h->n - h->first : CHUNK;
        Batch rows = {.tokens = h->rows};
        dev->each(dev, EACH_COLS, &panels, stage_logits, h);
        dev->each(dev, EACH_ROWS, &rows, stage_lse, h);
        dev->each(dev, EACH_COLS, &panels, stage_panel_back, h);
        if (l)
            dev->each(dev, EACH_ROWS, &rows, stage_words_back, h);
    }
    if (!l)
        return h->loss;
    View to = transformer_states_grad(h->t);
    dev->fill(dev, to.p, 0, (size_t)(to.rows * to.cols) * sizeof(float));
    dev->each(dev, EACH_ROWS, &all, stage_before_back, h);
    Items list = {.t = h->t, .learn = l, .add = l->add};
    if (h->norm.gamma >= 0)
        items_norm(&list, &h->norm, h->dwords, h->sum, h->stats);
    if (h->dense.id >= 0)
        items_dense(&list, &h->dense, h->dpre, h->in);
    items_run(&list);
    return h->loss;
}
