#include "learn/lora.h"

#include "base/mem.h"
#include "learn/device_room.h"

#include <stdlib.h>
#include <string.h>

struct Lora {
    Transformer *t;
    int64_t rank;
    float scale;
    LoraPart *part;
    int parts;
    float *grad, *base; /* device memory; base: of all parts, one behind the other */
    int64_t *at;        /* where each begins there */
    Weight **dw;        /* each one's gradient as a matrix */
};

/* ---- which ---- */

static int add_param(Plan *p, const Param *base, const char *what, int64_t rank, int64_t cols)
{
    char *name =
        mem_fmt("%.*s.%s.weight", (int)(strlen(base->name) - strlen(".weight")), base->name, what);
    int at = params_add(&p->params, (Param){.name = name,
                                            .rows = rank,
                                            .cols = cols,
                                            .decays = true,
                                            .fresh = true,
                                            .adapter = true,
                                            .part = base->part,
                                            .layer = base->layer});
    free(name);
    return at;
}

/* Parts [first, end) of a matrix, each by itself as checkpoints have it, every `step`th. */
static void adapt(Lora *l, const Dense *d, int first, int step)
{
    Plan *p = transformer_plan(l->t);
    for (int i = first; d->id >= 0 && i < d->parts; i += step) {
        Param base = p->params.param[d->weight + i];
        int a = add_param(p, &base, "lora_A", l->rank, d->in);
        int b = add_param(p, &base, "lora_B", l->rank, d->out[i]);
        l->part = mem_resize(l->part, (size_t)l->parts + 1, sizeof *l->part);
        l->part[l->parts++] = (LoraPart){d->weight + i, a, b};
    }
}

/* Of query, key and value the first and the last; where they are one matrix, that. */
static void adapt_layer(Lora *l, const LayerPlan *y, bool all)
{
    const Dense *rest[] = {&y->out, &y->cross_out, &y->up, &y->down};
    adapt(l, &y->qkv, 0, all ? 1 : 2);
    adapt(l, &y->cross_query, 0, 1);
    adapt(l, &y->cross_pair, all ? 0 : 1, 1);
    for (size_t i = 0; all && i < sizeof rest / sizeof *rest; i++)
        adapt(l, rest[i], 0, 1);
}

Lora *lora_plan(Transformer *t, int64_t rank, double alpha, bool all)
{
    Lora *l = mem_zero(1, sizeof *l);
    const Plan *p = transformer_plan(t);
    *l = (Lora){.t = t, .rank = rank, .scale = (float)(alpha / (double)rank)};
    for (int i = 0; i < p->halves; i++)
        for (int64_t k = 0; k < p->half[i].owned; k++)
            adapt_layer(l, &p->half[i].layer[k], all);
    return l;
}

const LoraPart *lora_parts(const Lora *l, int *n)
{
    *n = l->parts;
    return l->part;
}

/* ---- numbers ---- */

static View matrix(const Lora *l, float *of, int param)
{
    const Param *a = &transformer_plan(l->t)->params.param[param];
    return view_of(of + a->at, K_F32, a->rows, a->cols);
}

static View numbers(const Lora *l, int param)
{
    return matrix(l, transformer_numbers(l->t), param);
}

static View kept(const Lora *l, int64_t i)
{
    View w = numbers(l, l->part[i].base);
    return view_of(l->base + l->at[i], K_F32, w.rows, w.cols);
}

/* GPT-2's matrices lie [inputs, outputs]. */
static bool by_input(const Lora *l)
{
    return transformer_settings(l->t)->family->by_input;
}

static void each_part(Lora *l, StageFn *fn)
{
    Device *dev = transformer_device(l->t);
    dev->each(dev, EACH_COLS, &(Batch){.cols = l->parts}, fn, l);
}

static void stage_keep(Piece *p, void *ctx)
{
    const Lora *l = ctx;
    for (int64_t i = p->lo; i < p->hi; i++)
        p->dev->mix(p, &(Mix){.x = numbers(l, l->part[i].base), .y = kept(l, i), .a = 1});
}

int lora_ready(Lora *l, float *grad, Err *e)
{
    Device *dev = transformer_device(l->t);
    int64_t n = 0;
    l->grad = grad;
    l->at = mem_array((size_t)l->parts, sizeof *l->at);
    l->dw = mem_zero((size_t)l->parts, sizeof *l->dw);
    for (int i = 0; i < l->parts; i++) {
        View dw = matrix(l, grad, l->part[i].base);
        l->at[i] = n;
        n += dw.rows * dw.cols;
        if (!(l->dw[i] = dev->refer(dev, dw, NULL)))
            return err_set(e, "out of memory on %s", dev->name);
    }
    if (!(l->base = device_room(dev, n, sizeof *l->base, e)))
        return -1;
    each_part(l, stage_keep);
    return 0;
}

static void scale(Piece *p, const Lora *l, View x, View y)
{
    p->dev->mix(p, &(Mix){.x = x, .y = y, .a = l->scale});
}

static void stage_apply(Piece *p, void *ctx)
{
    const Lora *l = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        const LoraPart *t = &l->part[i];
        View w = numbers(l, t->base), a = numbers(l, t->a), b = numbers(l, t->b);
        View sb = temp_view(p, K_F32, b.rows, b.cols);
        p->dev->mix(p, &(Mix){.x = kept(l, i), .y = w, .a = 1});
        scale(p, l, b, sb);
        bool turned = by_input(l);
        p->dev->linear_dw(
            p,
            &(LinearDw){
                .dy = turned ? a : sb, .x = turned ? sb : a, .dw = w, .hi = w.rows, .add = true});
    }
}

void lora_apply(Lora *l)
{
    each_part(l, stage_apply);
}

static void stage_gradient(Piece *p, void *ctx)
{
    const Lora *l = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        const LoraPart *t = &l->part[i];
        View a = numbers(l, t->a), b = numbers(l, t->b);
        View da = matrix(l, l->grad, t->a), db = matrix(l, l->grad, t->b);
        bool turned = by_input(l);
        /* x dW' is of what reads the matrix, and x dW of what it gives. */
        p->dev->linear(p, &(Linear){.x = turned ? b : a, .w = l->dw[i], .y = turned ? da : db});
        p->dev->linear_dx(p,
                          &(LinearDx){.dy = turned ? a : b, .w = l->dw[i], .dx = turned ? db : da});
        scale(p, l, da, da);
        scale(p, l, db, db);
    }
}

void lora_gradient(Lora *l)
{
    each_part(l, stage_gradient);
}

void lora_free(Lora *l)
{
    if (!l)
        return;
    Device *dev = transformer_device(l->t);
    for (int i = 0; l->dw && i < l->parts; i++)
        dev->unpack(dev, l->dw[i]);
    dev->free(dev, l->base);
    free(l->part);
    free(l->at);
    free(l->dw);
    free(l);
}
