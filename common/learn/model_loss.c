#include "learn/model_learner_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

typedef struct Loss {
    ModelLearner *m;
    View logits;
    const int32_t *target;
    const float *weight, *classes;
    View number;
    float *loss;
} Loss;

static const void *put(ModelLearner *m, int which, const void *host, size_t bytes, Err *e)
{
    void *p = space_grow(&m->space[which], m->base.dev, bytes ? bytes : 1, e);
    if (p)
        m->base.dev->put(m->base.dev, p, host, bytes);
    return p;
}

static View tile(const Piece *p, View v)
{
    return view_rows(v, p->lo, p->hi);
}

static void stage_classes(Piece *p, void *ctx)
{
    const Loss *l = ctx;
    View x = tile(p, l->logits);
    p->dev->xent(p, &(Xent){.x = x,
                            .dx = x,
                            .target = l->target + p->lo,
                            .weight = l->weight + p->lo,
                            .smooth = (float)l->m->spec.smooth,
                            .loss = l->loss + p->lo,
                            .classes = l->classes});
}

static void stage_points(Piece *p, void *ctx)
{
    const Loss *l = ctx;
    View x = tile(p, l->logits);
    const Examples *rows = l->m->rows;
    p->dev->point_loss(p, &(PointLoss){.kind = rows->soft                       ? POINT_SHARES
                                               : rows->objective == LEARN_MULTI ? POINT_BINARY
                                                                                : POINT_SQUARE,
                                       .x = x,
                                       .t = tile(p, l->number),
                                       .dx = x,
                                       .weight = l->weight + p->lo,
                                       .loss = l->loss + p->lo});
}

/* ---- answers ---- */

/* Cross entropy over a row's n tokens of column `col` of its logits, whose gradient takes their
 * place. */
static double over_tokens(float *logit, int64_t n, int col, int32_t target, double weight,
                          double smooth)
{
    double top = -INFINITY, sum = 0, all = 0;
    for (int64_t t = 0; t < n; t++)
        top = fmax(top, logit[2 * t + col]);
    for (int64_t t = 0; t < n; t++) {
        sum += exp((double)logit[2 * t + col] - top);
        all += logit[2 * t + col];
    }
    double lse = top + log(sum), even = smooth / (double)n;
    double seen = (1 - smooth) * (double)logit[2 * target + col] + even * all;
    for (int64_t t = 0; t < n; t++) {
        double q = (t == target ? 1 - smooth : 0) + even;
        logit[2 * t + col] = (float)(weight * (exp((double)logit[2 * t + col] - lse) - q));
    }
    return weight * (lse - seen);
}

/* Rows are few and of all lengths: on the host. Half the loss is where an answer begins, half
 * where it ends. */
static const float *answers(ModelLearner *m, View logits, Err *e)
{
    const Examples *x = m->rows;
    const ModelBatch *b = &m->batch;
    Device *dev = m->base.dev;
    size_t bytes = (size_t)(logits.rows * 2) * sizeof(float);
    float *host = mem_alloc(bytes), *loss = mem_zero((size_t)b->items.n, sizeof *loss);
    char why[256];
    dev->get(dev, host, logits.p, bytes);
    int status = dev->wait(dev, why, sizeof why) < 0 ? err_set(e, "%s", why) : 0;
    for (int64_t i = 0; i < b->in.rows && status == 0; i++) {
        int64_t from = b->starts[i], n = b->starts[i + 1] - from;
        int64_t row = b->numbers[from] >> NUMBER_SHIFT;
        double w = (double)b->weight[from] / 2, smooth = m->spec.smooth;
        loss[from] = (float)(over_tokens(host + 2 * from, n, 0, x->answer[row][0], w, smooth) +
                             over_tokens(host + 2 * from, n, 1, x->answer[row][1], w, smooth));
    }
    dev->put(dev, logits.p, host, bytes);
    const float *to =
        status < 0 ? NULL : put(m, SPACE_LOSS, loss, (size_t)b->items.n * sizeof *loss, e);
    free(host);
    free(loss);
    return to;
}

const float *model_loss(ModelLearner *m, View logits, Err *e)
{
    const Examples *x = m->rows;
    const ModelBatch *b = &m->batch;
    Device *dev = m->base.dev;
    size_t n = (size_t)b->items.n;
    if (x->objective == LEARN_SPAN)
        return answers(m, logits, e);
    bool points = x->objective == LEARN_MULTI || x->objective == LEARN_REGRESSION || x->soft;
    Loss l = {.m = m, .logits = logits};
    l.weight = put(m, SPACE_WEIGHT, b->weight, n * sizeof *b->weight, e);
    l.loss = space_grow(&m->space[SPACE_LOSS], dev, n * sizeof(float) + 1, e);
    l.target = put(m, SPACE_TARGET, b->target, n * sizeof *b->target, e);
    const float *by_class = has_classes(x->objective) ? m->spec.class_weight : NULL;
    if (by_class && !(l.classes = put(m, SPACE_CLASSES, by_class,
                                      (size_t)m->spec.classes->n * sizeof *by_class, e)))
        return NULL;
    if (points) {
        const void *p =
            put(m, SPACE_NUMBER, b->number, n * (size_t)x->numbers * sizeof *b->number, e);
        l.number = view_of((void *)(uintptr_t)p, K_F32, b->items.n, x->numbers);
    }
    if (!l.weight || !l.loss || !l.target || (points && !l.number.p))
        return NULL;
    dev->each(dev, EACH_ROWS, &(Batch){.tokens = b->items.n}, points ? stage_points : stage_classes,
              &l);
    return l.loss;
}
