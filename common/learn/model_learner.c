#include "learn/model_learner_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static ModelLearner *of(Learner *l)
{
    return (ModelLearner *)l;
}

/* ---- a pass ---- */

static double weight_of(Learner *l, int64_t row, int64_t epoch)
{
    return model_weight(of(l), l->rows, row, epoch);
}

/* Tables' gradients are added to what is there: nothing, where a step begins. The word embeddings'
 * is cleared behind each step, row by row. */
static void clear_tables(ModelLearner *m)
{
    const Plan *p = transformer_plan(m->spec.t);
    Device *dev = m->base.dev;
    for (int i = 0; i < p->halves; i++) {
        const int of_half[] = {p->half[i].position, p->half[i].kind};
        for (int k = 0; k < 2; k++)
            if (of_half[k] >= 0 && m->trains[of_half[k]]) {
                const Param *a = &p->params.param[of_half[k]];
                dev->fill(dev, m->base.grad + a->at, 0, (size_t)param_numbers(a) * sizeof(float));
            }
    }
    if (p->distance >= 0) {
        const Param *a = &p->params.param[p->distance];
        dev->fill(dev, m->base.grad + a->at, 0, (size_t)param_numbers(a) * sizeof(float));
    }
}

static void note_row(ModelLearner *m, int32_t id)
{
    if (m->seen[id] & 2)
        return;
    if (m->freshes == m->fresh_room) {
        m->fresh_room = m->fresh_room ? 2 * m->fresh_room : 1024;
        m->fresh = mem_resize(m->fresh, (size_t)m->fresh_room, sizeof *m->fresh);
    }
    m->seen[id] = 3;
    m->fresh[m->freshes++] = id;
}

/* Rows of the word embeddings that the batch has a gradient for. A decoder's ids are the row's, but
 * for its first one. */
static void note_rows(ModelLearner *m)
{
    const ModelBatch *b = &m->batch;
    if (m->base.table < 0)
        return;
    for (int64_t i = 0; i < b->in.tokens; i++)
        note_row(m, b->id[i]);
    if (transformer_plan(m->spec.t)->halves > 1)
        note_row(m, (int32_t)transformer_settings(m->spec.t)->start);
}

static const float *forward(ModelLearner *m, const Drops *drops, const Learn *l, Err *e)
{
    const ModelBatch *b = &m->batch;
    const ModelSpec *s = &m->spec;
    if (!b->items.given && (transformer_forward(s->t, &b->in, drops, e) < 0 ||
                            (l && transformer_back(s->t, l, &b->in, e) < 0)))
        return NULL;
    if (s->words)
        return words_learn_pass(s->words,
                                &(WordsItems){.n = b->items.n,
                                              .token = b->items.token,
                                              .target = b->target,
                                              .weight = b->weight,
                                              .smooth = (float)s->smooth},
                                l, e);
    View logits = head_learn_forward(s->head, &b->items, drops, e);
    return logits.p ? model_loss(m, logits, e) : NULL;
}

static int gradient(Learner *l, const LearnPart *p, LearnLoss *loss, Err *e)
{
    ModelLearner *m = of(l);
    ModelBatch *b = &m->batch;
    if ((m->still && model_still_ready(m, l->rows, e) != 0) ||
        model_batch(m, l->rows, p->row, p->n, p->epoch, p->total, e) < 0)
        return -1;
    loss->n = b->items.n;
    loss->value = mem_zero((size_t)loss->n + 1, sizeof *loss->value);
    m->learn.add = p->add;
    if (!p->add)
        clear_tables(m);
    note_rows(m);
    if (b->items.n == 0) { /* no word of these rows is masked */
        if (!p->add)
            l->dev->fill(l->dev, l->grad, 0, (size_t)l->params->numbers * sizeof *l->grad);
        return 0;
    }
    if (m->still)
        model_still_give(m, l->rows, p->row, p->n);
    Drops drops = {.seed = p->seed,
                   .numbers = b->numbers,
                   .still_embeds = !m->learn.embeds && !m->spec.lora,
                   .still = m->learn.first};
    const float *each = forward(m, m->spec.drops ? &drops : NULL, &m->learn, e);
    if (!each || (m->spec.head && head_learn_backward(m->spec.head, &b->items, &m->learn, e) < 0))
        return -1;
    if (!m->still)
        transformer_backward(m->spec.t);
    if (m->spec.lora)
        lora_gradient(m->spec.lora);
    l->dev->get(l->dev, loss->value, each, (size_t)loss->n * sizeof *loss->value);
    return 0;
}

static void changed(Learner *l)
{
    ModelLearner *m = of(l);
    Device *dev = l->dev;
    if (m->spec.lora)
        lora_apply(m->spec.lora);
    transformer_renew(m->spec.t, m->spec.lora ? NULL : m->learn.trains);
    if (m->spec.words)
        words_learn_renew(m->spec.words);
    if (l->table < 0)
        return;
    const Param *a = &l->params->param[l->table];
    size_t row = (size_t)a->cols * sizeof(float);
    if (!dev->panels)
        dev->fill(dev, l->grad + a->at, 0, (size_t)a->rows * row);
    for (int64_t i = 0; i < m->freshes; i++) {
        if (dev->panels)
            dev->fill(dev, l->grad + a->at + m->fresh[i] * a->cols, 0, row);
        m->seen[m->fresh[i]] = 1;
    }
    m->freshes = 0;
}

/* ---- making ---- */

/* Is it below the first layer? What projects embeddings may stand in another module than they. */
static bool is_below(const Plan *p, int param)
{
    for (int i = 0; i < p->halves; i++)
        if (p->half[i].project.id >= 0 &&
            (param == p->half[i].project.weight || param == p->half[i].project.bias))
            return true;
    return p->params.param[param].part == PART_EMBEDDINGS;
}

static void choose(ModelLearner *m)
{
    const Plan *p = transformer_plan(m->spec.t);
    const Params *all = &p->params;
    m->trains = mem_array((size_t)all->count, sizeof *m->trains);
    m->wanted = mem_array((size_t)all->count, sizeof *m->wanted);
    m->learn = (Learn){.grad = m->base.grad, .trains = m->wanted, .first = p->layers};
    int64_t lowest = p->layers;
    for (int i = 0; i < all->count; i++) {
        const Param *a = &all->param[i];
        m->wanted[i] = m->trains[i] =
            !a->waves && !(m->spec.frozen && m->spec.frozen(m->spec.frozen_ctx, a));
        if (!m->trains[i])
            continue;
        if (is_below(p, i))
            m->learn.embeds = true;
        else if (a->part == PART_LAYERS)
            lowest = a->layer < lowest ? a->layer : lowest;
    }
    m->learn.first = lowest > 0 ? lowest : 0; /* -1: of all layers */
    int parts = 0;
    const LoraPart *part = m->spec.lora ? lora_parts(m->spec.lora, &parts) : NULL;
    for (int i = 0; i < parts; i++)
        m->wanted[part[i].base] = true;
}

static void free_learner(Learner *l)
{
    ModelLearner *m = of(l);
    for (int i = 0; i < LEARN_SPACES; i++)
        l->dev->free(l->dev, m->space[i].p);
    l->dev->free(l->dev, l->grad);
    model_batch_free(&m->batch);
    model_still_free(m);
    lora_free(m->spec.lora);
    head_learn_free(m->spec.head);
    words_learn_free(m->spec.words);
    transformer_free(m->spec.t);
    free(m->trains);
    free(m->wanted);
    free(m->seen);
    free(m->fresh);
    free(m);
}

static const LearnerKind kind = {weight_of, gradient, changed, model_evaluate, free_learner};

Learner *model_learner_new(const ModelSpec *spec, const Examples *rows, Err *e)
{
    ModelLearner *m = mem_zero(1, sizeof *m);
    Transformer *t = spec->t;
    Device *dev = transformer_device(t);
    m->spec = *spec;
    m->rows = rows;
    m->base = (Learner){.kind = &kind, .dev = dev, .rows = rows, .table = -1};
    if (transformer_learns(t, e) < 0 || (spec->words && words_learn_ready(spec->words, e) < 0)) {
        free_learner(&m->base);
        return NULL;
    }
    const Plan *p = transformer_plan(t);
    size_t bytes = (size_t)p->params.numbers * sizeof(float);
    m->base.params = &p->params;
    m->base.param = transformer_numbers(t);
    m->base.grad = dev->alloc(dev, bytes);
    if (!m->base.grad) {
        err_set(e, "out of memory on %s: %zu bytes for gradients", dev->name, bytes);
        free_learner(&m->base);
        return NULL;
    }
    dev->fill(dev, m->base.grad, 0, bytes);
    if (spec->lora && lora_ready(spec->lora, m->base.grad, e) < 0) {
        free_learner(&m->base);
        return NULL;
    }
    choose(m);
    m->base.trains = m->trains;
    m->still = spec->head != NULL;
    for (int i = 0; i < p->params.count; i++)
        m->still = m->still && !(m->trains[i] && p->params.param[i].part < PART_POOLER);
    /* The vocabulary's matrix leaves a whole gradient, which rows are added to; else rows are all.
     */
    bool whole = spec->words && transformer_settings(t)->tied;
    if (!whole && m->trains[p->word]) {
        m->base.table = p->word;
        m->seen = mem_zero((size_t)p->params.param[p->word].rows, 1);
        m->base.seen = m->seen;
    }
    return &m->base;
}
