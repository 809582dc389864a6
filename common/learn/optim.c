#include "learn/optim.h"

#include "base/mem.h"
#include "learn/device_room.h"

#include <math.h>
#include <stdlib.h>

const char *const optim_names[] = {"adamw", "adam", "sgd", NULL};
const char *const schedule_names[] = {"linear", "constant", "cosine", "polynomial", NULL};

struct Optim {
    OptimSpec spec;
    Net *net;
    int64_t t;
    double lr;
    float *m, *v, *clip; /* device memory */
    double *square;
};

static void *zeroed(Device *dev, int64_t n, size_t size, Err *e)
{
    void *p = device_room(dev, n, size, e);
    if (p)
        dev->fill(dev, p, 0, (size_t)n * size);
    return p;
}

Optim *optim_new(Net *n, const OptimSpec *spec, Err *e)
{
    Optim *o = mem_zero(1, sizeof *o);
    bool v = spec->kind != STEP_SGD, m = v || spec->momentum != 0;
    *o = (Optim){.spec = *spec, .net = n};
    o->clip = zeroed(n->dev, 1, sizeof *o->clip, e);
    o->square = zeroed(n->dev, 1, sizeof *o->square, e);
    o->m = m ? zeroed(n->dev, n->params, sizeof *o->m, e) : NULL;
    o->v = v ? zeroed(n->dev, n->params, sizeof *o->v, e) : NULL;
    if (o->clip && o->square && (o->m || !m) && (o->v || !v))
        return o;
    optim_free(o);
    return NULL;
}

void optim_free(Optim *o)
{
    if (!o)
        return;
    Device *dev = o->net->dev;
    dev->free(dev, o->m);
    dev->free(dev, o->v);
    dev->free(dev, o->clip);
    dev->free(dev, o->square);
    free(o);
}

static void norm_stage(Piece *p, void *ctx)
{
    Optim *o = ctx;
    p->dev->sqnorm(p, &(Sqnorm){.x = o->net->grad, .n = o->net->params, .out = o->square});
}

/* Parameters [at, at + n). */
static void step(Piece *p, Optim *o, int64_t at, int64_t n, double decay)
{
    p->dev->step(p, &(Step){.kind = o->spec.kind,
                            .p = o->net->param + at,
                            .m = o->m ? o->m + at : NULL,
                            .v = o->v ? o->v + at : NULL,
                            .g = o->net->grad + at,
                            .n = n,
                            .lr = o->lr,
                            .decay = decay,
                            .beta1 = 0.9,
                            .beta2 = 0.999,
                            .eps = 1e-8,
                            .momentum = o->spec.momentum,
                            .t = o->t,
                            .clip = o->clip});
}

static void step_stage(Piece *p, void *ctx)
{
    Optim *o = ctx;
    Net *n = o->net;
    double decay = o->spec.decay;
    for (int l = 0; l < n->layers; l++) {
        int64_t at = n->weight[l] - n->param, weights = n->size[l + 1] * n->size[l];
        step(p, o, at, weights, decay);
        step(p, o, at + weights, n->size[l + 1], o->spec.decay_all ? decay : 0);
    }
}

double optim_step(Optim *o, double lr)
{
    Device *dev = o->net->dev;
    Batch one = {.cols = 1};
    double square;
    dev->each(dev, EACH_COLS, &one, norm_stage, o);
    dev->get(dev, &square, o->square, sizeof square);
    dev->wait(dev, NULL, 0);
    double norm = sqrt(square), most = o->spec.clip;
    /* torch.nn.utils.clip_grad_norm_ */
    float clip = most > 0 && norm + 1e-6 > most ? (float)(most / (norm + 1e-6)) : 1;
    dev->put(dev, o->clip, &clip, sizeof clip);
    o->t++;
    o->lr = lr;
    dev->each(dev, EACH_COLS, &one, step_stage, o);
    return norm;
}

double lr_at(Schedule s, double lr, int64_t warmup, int64_t done, int64_t total)
{
    const double end = 1e-7;
    if (done < warmup)
        return lr * (double)done / (double)warmup;
    int64_t span = total - warmup > 1 ? total - warmup : 1;
    double t = fmin((double)(done - warmup) / (double)span, 1);
    switch (s) {
    case LR_LINEAR: return lr * (1 - t);
    case LR_CONSTANT: return lr;
    case LR_COSINE: return lr * (1 + cos(M_PI * t)) / 2;
    case LR_POLYNOMIAL: return lr > end ? end + (lr - end) * (1 - t) : lr;
    }
    return lr;
}
