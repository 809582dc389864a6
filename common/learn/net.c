#include "learn/net.h"

#include "base/mem.h"
#include "base/rand.h"
#include "learn/device_room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parameters and gradients, zero, and the weights that lie in them. */
static int make_parameters(Net *n, Err *e)
{
    Device *dev = n->dev;
    n->param = device_room(dev, n->params, sizeof *n->param, e);
    n->grad = n->param ? device_room(dev, n->params, sizeof *n->grad, e) : NULL;
    if (!n->grad)
        return -1;
    dev->fill(dev, n->param, 0, (size_t)n->params * sizeof *n->param);
    float *at = n->param;
    for (int l = 0; l < n->layers; l++) {
        n->weight[l] = at;
        n->bias[l] = at += n->size[l + 1] * n->size[l];
        at += n->size[l + 1];
        View w = view_of(n->weight[l], K_F32, n->size[l + 1], n->size[l]);
        n->w[l] = dev->refer(dev, w, n->bias[l]);
        if (!n->w[l])
            return err_set(e, "out of memory on %s", dev->name);
    }
    return 0;
}

/* What a batch leaves behind on its way forward and back. */
static int make_layers(Net *n, Err *e)
{
    for (int l = 0; l <= n->layers; l++) {
        int64_t floats = n->batch * n->size[l];
        n->h[l] = device_room(n->dev, floats, sizeof(float), e);
        n->d[l] = l && n->h[l] ? device_room(n->dev, floats, sizeof(float), e) : NULL;
        if (!n->h[l] || (l && !n->d[l]))
            return -1;
    }
    return 0;
}

Net *net_new(Device *dev, const int64_t *size, int layers, int64_t batch, double dropout, Err *e)
{
    Net *n = mem_zero(1, sizeof *n);
    *n = (Net){.dev = dev, .layers = layers, .dropout = dropout, .batch = batch};
    memcpy(n->size, size, (size_t)(layers + 1) * sizeof *size);
    for (int l = 0; l < layers; l++)
        n->params += size[l + 1] * (size[l] + 1);
    if (make_parameters(n, e) == 0 && make_layers(n, e) == 0)
        return n;
    net_free(n);
    return NULL;
}

void net_free(Net *n)
{
    if (!n)
        return;
    Device *dev = n->dev;
    for (int l = 0; l < n->layers; l++)
        dev->unpack(dev, n->w[l]);
    for (int l = 0; l <= n->layers; l++) {
        dev->free(dev, n->h[l]);
        dev->free(dev, n->d[l]);
    }
    dev->free(dev, n->param);
    dev->free(dev, n->grad);
    free(n);
}

void net_init(Net *n, uint64_t seed)
{
    Rand r = rand_new(seed);
    float *p = mem_array((size_t)n->params, sizeof *p), *at = p;
    for (int l = 0; l < n->layers; l++) {
        double bound = 1 / sqrt((double)n->size[l]);
        for (int64_t i = n->size[l + 1] * (n->size[l] + 1); i > 0; i--)
            *at++ = (float)(bound * (2 * rand_unit(&r) - 1));
    }
    n->dev->put(n->dev, n->param, p, (size_t)n->params * sizeof *p);
    n->dev->wait(n->dev, NULL, 0);
    free(p);
}

static View layer(Net *n, float *const *of, int l, int64_t rows)
{
    return view_of(of[l], K_F32, rows, n->size[l]);
}

typedef struct Pass {
    Net *net;
    const NetBatch *batch;
    View x, y; /* of net_logits */
} Pass;

/* The same elements going forward and back: they are a function of row, layer and seed. */
static void drop(Piece *p, const Pass *c, int l, View v)
{
    const NetBatch *b = c->batch;
    if (c->net->dropout > 0)
        p->dev->mix(p, &(Mix){.x = v,
                              .y = v,
                              .a = 1,
                              .drop = (float)c->net->dropout,
                              .seed = b->seed,
                              .site = (uint32_t)l,
                              .rows = b->row});
}

static void forward(Piece *p, const Pass *c)
{
    Net *n = c->net;
    int64_t rows = c->batch->rows;
    View x = layer(n, n->h, 0, rows);
    p->dev->gather(p, &(Gather){.x = c->batch->x, .y = x, .index = c->batch->row});
    for (int l = 0; l < n->layers; l++) {
        View y = layer(n, n->h, l + 1, rows);
        drop(p, c, l, x);
        p->dev->linear(
            p, &(Linear){
                   .x = x, .w = n->w[l], .y = y, .act = l + 1 < n->layers ? ACT_RELU : ACT_NONE});
        x = y;
    }
}

static void backward(Piece *p, const Pass *c)
{
    Net *n = c->net;
    const NetBatch *b = c->batch;
    int last = n->layers;
    if (!b->target)
        p->dev->point_loss(p, &(PointLoss){.kind = POINT_SHARES,
                                           .x = layer(n, n->h, last, b->rows),
                                           .t = b->shares,
                                           .dx = layer(n, n->d, last, b->rows),
                                           .weight = b->weight,
                                           .loss = b->loss});
    else
        p->dev->xent(p, &(Xent){.x = layer(n, n->h, last, b->rows),
                                .dx = layer(n, n->d, last, b->rows),
                                .target = b->target,
                                .weight = b->weight,
                                .smooth = b->smooth,
                                .loss = b->loss,
                                .classes = b->classes});
    for (int l = last - 1; l >= 0; l--) {
        View dy = layer(n, n->d, l + 1, b->rows), x = layer(n, n->h, l, b->rows);
        int64_t out = n->size[l + 1], in = n->size[l];
        float *dw = n->grad + (n->weight[l] - n->param);
        p->dev->linear_dw(p, &(LinearDw){.dy = dy,
                                         .x = x,
                                         .dw = view_of(dw, K_F32, out, in),
                                         .db = dw + out * in,
                                         .hi = out,
                                         .add = b->add});
        if (l == 0)
            break;
        View dx = layer(n, n->d, l, b->rows);
        p->dev->linear_dx(p, &(LinearDx){.dy = dy, .w = n->w[l], .dx = dx});
        drop(p, c, l, dx);
        /* ReLU's output is above 0 where its input is, and dropout takes no sign away. */
        p->dev->act_bwd(p, &(ActivateBwd){.x = x, .dy = dx, .dx = dx, .act = ACT_RELU});
    }
}

static void gradient_stage(Piece *p, void *ctx)
{
    forward(p, ctx);
    backward(p, ctx);
}

void net_gradient(Net *n, const NetBatch *b)
{
    Pass c = {.net = n, .batch = b};
    n->dev->each(n->dev, EACH_COLS, &(Batch){.cols = 1}, gradient_stage, &c);
}

static void logits_stage(Piece *p, void *ctx)
{
    const Pass *c = ctx;
    Net *n = c->net;
    View x = view_rows(c->x, p->lo, p->hi);
    for (int l = 0; l < n->layers; l++) {
        bool last = l + 1 == n->layers;
        View y = last ? view_rows(c->y, p->lo, p->hi) : temp_view(p, K_F32, x.rows, n->size[l + 1]);
        p->dev->linear(p,
                       &(Linear){.x = x, .w = n->w[l], .y = y, .act = last ? ACT_NONE : ACT_RELU});
        x = y;
    }
}

void net_logits(Net *n, View x, View y)
{
    Pass c = {.net = n, .x = x, .y = y};
    Batch rows = {.tokens = x.rows, .rows = x.rows};
    n->dev->each(n->dev, EACH_ROWS, &rows, logits_stage, &c);
}
