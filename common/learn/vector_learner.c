#include "learn/vector_learner.h"

#include "base/mem.h"
#include "learn/device_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct VectorLearner {
    Learner base; /* first */
    Net *net;
    Params params;
    bool *trains;
    const float *class_weight;
    float smooth;
    View x;
    /* A part of a batch: host and device. */
    int64_t room;
    int32_t *target, *dev_target;
    float *weight, *dev_weight, *dev_loss;
    float *shares, *dev_shares; /* of soft rows, in place of targets */
    float *dev_classes;         /* class_weight; NULL where that is */
    int64_t *dev_row;
} VectorLearner;

static View all_rows(Device *dev, const Examples *v, Err *e)
{
    size_t bytes = (size_t)(v->rows * v->width) * sizeof(float);
    const void *x = dev->hold(dev, v->x, bytes);
    if (!x)
        err_set(e, "out of memory on %s (%zu bytes asked for)", dev->name, bytes);
    return view_of((void *)(uintptr_t)x, K_F32, v->rows, v->width);
}

static double row_weight(const Learner *l, int64_t row)
{
    return l->rows->weight ? (double)l->rows->weight[row] : 1;
}

static double weight_of(Learner *l, int64_t row, int64_t epoch)
{
    const VectorLearner *v = (const VectorLearner *)l;
    (void)epoch;
    double w = row_weight(l, row);
    return v->class_weight ? w * (double)v->class_weight[l->rows->target[row]] : w;
}

static int make_room(VectorLearner *v, int64_t n, Err *e)
{
    Device *dev = v->base.dev;
    if (n <= v->room)
        return 0;
    void *old[] = {v->dev_target, v->dev_weight, v->dev_loss, v->dev_row};
    for (int i = 0; i < 4; i++)
        dev->free(dev, old[i]);
    v->room = n;
    v->target = mem_resize(v->target, (size_t)n, sizeof *v->target);
    v->weight = mem_resize(v->weight, (size_t)n, sizeof *v->weight);
    v->dev_target = device_room(dev, n, sizeof *v->dev_target, e);
    dev->free(dev, v->dev_shares);
    v->dev_shares = NULL;
    if (v->base.rows->soft) {
        int64_t all = n * v->base.rows->numbers;
        v->shares = mem_resize(v->shares, (size_t)all, sizeof *v->shares);
        if (!(v->dev_shares = device_room(dev, all, sizeof *v->dev_shares, e)))
            return -1;
    }
    v->dev_weight = device_room(dev, n, sizeof *v->dev_weight, e);
    v->dev_loss = device_room(dev, n, sizeof *v->dev_loss, e);
    v->dev_row = device_room(dev, n, sizeof *v->dev_row, e);
    return v->dev_target && v->dev_weight && v->dev_loss && v->dev_row ? 0 : -1;
}

static int gradient(Learner *l, const LearnPart *p, LearnLoss *loss, Err *e)
{
    VectorLearner *v = (VectorLearner *)l;
    Device *dev = l->dev;
    size_t n = (size_t)p->n;
    if (make_room(v, p->n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        v->target[i] = l->rows->target[p->row[i]];
        v->weight[i] = p->total > 0 ? (float)(row_weight(l, p->row[i]) / p->total) : 0;
    }
    const Examples *x = l->rows;
    size_t classes = (size_t)x->numbers;
    for (size_t i = 0; x->soft && i < n; i++)
        memcpy(v->shares + i * classes, x->number + (size_t)p->row[i] * classes,
               classes * sizeof *v->shares);
    if (x->soft)
        dev->put(dev, v->dev_shares, v->shares, n * classes * sizeof *v->shares);
    dev->put(dev, v->dev_row, p->row, n * sizeof *p->row);
    dev->put(dev, v->dev_target, v->target, n * sizeof *v->target);
    dev->put(dev, v->dev_weight, v->weight, n * sizeof *v->weight);
    net_gradient(v->net, &(NetBatch){.x = v->x,
                                     .row = v->dev_row,
                                     .target = x->soft ? NULL : v->dev_target,
                                     .shares = view_of(v->dev_shares, K_F32, p->n, x->numbers),
                                     .weight = v->dev_weight,
                                     .rows = p->n,
                                     .smooth = v->smooth,
                                     .classes = v->dev_classes,
                                     .seed = p->seed,
                                     .add = p->add,
                                     .loss = v->dev_loss});
    loss->n = p->n;
    loss->value = mem_array(n, sizeof *loss->value);
    dev->get(dev, loss->value, v->dev_loss, n * sizeof *loss->value);
    return 0;
}

static void changed(Learner *l)
{
    (void)l; /* matrices are used where they lie */
}

/* Counts rows [at, to), whose logits are y. */
static void count_rows(Metrics *m, const Examples *x, int64_t at, int64_t to, const float *y,
                       int64_t classes)
{
    for (int64_t i = at; i < to; i++) {
        const float *logit = y + (i - at) * classes;
        int64_t top = 0;
        for (int64_t c = 1; c < classes; c++)
            if (logit[c] > logit[top])
                top = c;
        metrics_add(m, x->target[i], top, examples_nll(x, i, logit, classes),
                    x->weight ? (double)x->weight[i] : 1);
    }
}

static int evaluate(Learner *l, const Examples *rows, Summary *s, Err *e)
{
    Net *n = ((VectorLearner *)l)->net;
    Device *dev = n->dev;
    int64_t classes = n->size[n->layers], most = (1 << 22) / classes;
    int64_t chunk = rows->rows < most ? rows->rows : most;
    View x = all_rows(dev, rows, e);
    float *dev_y = x.p ? device_room(dev, chunk * classes, sizeof *dev_y, e) : NULL;
    float *y = mem_array((size_t)(chunk * classes), sizeof *y);
    Metrics m = metrics_new(classes);
    for (int64_t at = 0, to; dev_y && at < rows->rows; at = to) {
        to = at + chunk < rows->rows ? at + chunk : rows->rows;
        net_logits(n, view_rows(x, at, to), view_of(dev_y, K_F32, to - at, classes));
        dev->get(dev, y, dev_y, (size_t)((to - at) * classes) * sizeof *y);
        dev->wait(dev, NULL, 0);
        count_rows(&m, rows, at, to, y, classes);
    }
    *s = metrics_sum(&m, NULL);
    int status = dev_y ? 0 : -1;
    metrics_free(&m);
    dev->free(dev, dev_y);
    dev->release(dev, x.p);
    free(y);
    return status;
}

static void free_learner(Learner *l)
{
    VectorLearner *v = (VectorLearner *)l;
    Device *dev = l->dev;
    void *all[] = {v->dev_target, v->dev_weight,  v->dev_loss,
                   v->dev_row,    v->dev_classes, v->dev_shares};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        dev->free(dev, all[i]);
    dev->release(dev, v->x.p);
    params_clear(&v->params);
    free(v->trains);
    free(v->target);
    free(v->weight);
    free(v->shares);
    free(v);
}

/* The places of net.h: each layer's matrix, and then its bias. */
static void list_params(VectorLearner *v)
{
    const Net *n = v->net;
    char name[32];
    for (int i = 0; i < n->layers; i++) {
        snprintf(name, sizeof name, "head.%d.weight", 2 * i);
        int w = params_add(&v->params, (Param){.name = name,
                                               .rows = n->size[i + 1],
                                               .cols = n->size[i],
                                               .decays = true,
                                               .part = PART_HEADS,
                                               .layer = -1});
        snprintf(name, sizeof name, "head.%d.bias", 2 * i);
        int b = params_add(
            &v->params,
            (Param){.name = name, .rows = n->size[i + 1], .part = PART_HEADS, .layer = -1});
        v->params.param[w].at = n->weight[i] - n->param;
        v->params.param[b].at = n->bias[i] - n->param;
    }
}

static int put_classes(VectorLearner *v, Err *e)
{
    Device *dev = v->base.dev;
    int64_t n = v->net->size[v->net->layers];
    if (!(v->dev_classes = device_room(dev, n, sizeof *v->dev_classes, e)))
        return -1;
    dev->put(dev, v->dev_classes, v->class_weight, (size_t)n * sizeof *v->dev_classes);
    return 0;
}

Learner *vector_learner_new(Net *n, const Examples *rows, const float *class_weight, double smooth,
                            Err *e)
{
    static const LearnerKind kind = {weight_of, gradient, changed, evaluate, free_learner};
    VectorLearner *v = mem_zero(1, sizeof *v);
    v->net = n;
    v->class_weight = class_weight;
    v->smooth = (float)smooth;
    list_params(v);
    v->trains = mem_array((size_t)v->params.count, sizeof *v->trains);
    for (int i = 0; i < v->params.count; i++)
        v->trains[i] = true;
    v->base = (Learner){.kind = &kind,
                        .dev = n->dev,
                        .params = &v->params,
                        .trains = v->trains,
                        .param = n->param,
                        .grad = n->grad,
                        .rows = rows,
                        .table = -1};
    v->x = all_rows(n->dev, rows, e);
    if (v->x.p && (!class_weight || put_classes(v, e) == 0))
        return &v->base;
    free_learner(&v->base);
    return NULL;
}
