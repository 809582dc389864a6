/* backward_test - the way back through each family's layers against finite differences: for each
 * parameter, along a direction drawn for it, how the sum of the last states by drawn weights
 * changes; with dropout too, whose elements are a function of their places. */
#include "base/mem.h"
#include "base/rand.h"
#include "model/transformer/transformer_learn.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, LONGEST = 13 };

typedef struct Case {
    Device *dev;
    Transformer *t;
    TransformerIn in;
    int32_t id[ROWS * LONGEST];
    uint8_t kind[ROWS * LONGEST];
    int64_t starts[ROWS + 1], numbers[ROWS * LONGEST];
    float *weight; /* [tokens, hidden] */
    Drops drops;
    const Drops *drop;
    int64_t hidden;
} Case;

static void fail(const char *what, const char *why)
{
    printf("%s: %s\n", what, why);
    failures++;
}

static void make_rows(Case *c, Rand *r)
{
    const Config *k = transformer_settings(c->t);
    int64_t most = k->positions && k->positions < LONGEST ? k->positions : LONGEST;
    for (int i = 0; i < ROWS; i++) {
        int64_t len = 1 + (int64_t)(rand_unit(r) * (double)most);
        c->starts[i + 1] = c->starts[i] + (len < most ? len : most);
    }
    for (int64_t i = 0; i < c->starts[ROWS]; i++) {
        c->id[i] = (int32_t)(rand_unit(r) * (double)(k->vocab - 3)) + 3;
        c->kind[i] = k->types > 1 ? (uint8_t)(i % 2) : 0;
        c->numbers[i] = 1000 + i;
    }
    c->hidden = k->hidden;
    c->in = (TransformerIn){
        .id = c->id, .kind = c->kind, .starts = c->starts, .rows = ROWS, .tokens = c->starts[ROWS]};
    c->weight = mem_array((size_t)(c->in.tokens * c->hidden), sizeof *c->weight);
    for (int64_t i = 0; i < c->in.tokens * c->hidden; i++)
        c->weight[i] = (float)(rand_unit(r) - 0.5);
}

/* The sum, in double. */
static double forward(Case *c)
{
    Err e = {0};
    if (transformer_forward(c->t, &c->in, c->drop, &e) < 0) {
        fail("forward", e.text);
        return NAN;
    }
    View y = transformer_states(c->t);
    size_t n = (size_t)(y.rows * y.cols);
    float *host = mem_array(n, sizeof *host);
    double sum = 0;
    c->dev->get(c->dev, host, y.p, n * sizeof *host);
    c->dev->wait(c->dev, NULL, 0);
    for (size_t i = 0; i < n; i++)
        sum += (double)host[i] * (double)c->weight[i];
    free(host);
    return sum;
}

static float *gradients(Case *c)
{
    Err e = {0};
    const Params *p = &transformer_plan(c->t)->params;
    bool *trains = mem_alloc((size_t)p->count);
    memset(trains, 1, (size_t)p->count);
    float *host = mem_zero((size_t)p->numbers, sizeof *host);
    Learn l = {.grad = c->dev->alloc(c->dev, (size_t)p->numbers * sizeof(float)),
               .trains = trains,
               .embeds = true};
    c->dev->put(c->dev, l.grad, host, (size_t)p->numbers * sizeof *host);
    forward(c);
    if (transformer_back(c->t, &l, &c->in, &e) < 0) {
        fail("back", e.text);
    } else {
        View g = transformer_states_grad(c->t);
        c->dev->put(c->dev, g.p, c->weight, (size_t)(g.rows * g.cols) * sizeof(float));
        transformer_backward(c->t);
        c->dev->get(c->dev, host, l.grad, (size_t)p->numbers * sizeof *host);
        char why[256];
        if (c->dev->wait(c->dev, why, sizeof why) < 0)
            fail("backward", why);
    }
    c->dev->free(c->dev, l.grad);
    free(trains);
    return host;
}

/* p += h * direction, on the device. */
static void shift(Case *c, const float *was, const float *direction, int64_t n, int64_t at,
                  double h)
{
    float *now = mem_array((size_t)n, sizeof *now);
    for (int64_t i = 0; i < n; i++)
        now[i] = (float)((double)was[i] + h * (double)direction[i]);
    c->dev->put(c->dev, transformer_numbers(c->t) + at, now, (size_t)n * sizeof *now);
    transformer_renew(c->t, NULL);
    free(now);
}

static void one_param(Case *c, const char *model, const Param *a, const float *grad, Rand *r)
{
    int64_t n = param_numbers(a);
    float *was = mem_array((size_t)n, sizeof *was), *direction = mem_array((size_t)n, sizeof *was);
    double along = 0, size = 0, worst = INFINITY, found = 0;
    c->dev->get(c->dev, was, transformer_numbers(c->t) + a->at, (size_t)n * sizeof *was);
    c->dev->wait(c->dev, NULL, 0);
    for (int64_t i = 0; i < n; i++) {
        direction[i] = (float)(rand_unit(r) - 0.5) + (grad[a->at + i] > 0   ? 0.5f
                                                      : grad[a->at + i] < 0 ? -0.5f
                                                                            : 0);
        along += (double)direction[i] * (double)grad[a->at + i];
        size += fabs((double)direction[i] * (double)grad[a->at + i]);
    }
    for (double h = 3e-3; h > 1e-4 && worst > 3e-3; h /= 3) { /* a ReLU may turn within it */
        shift(c, was, direction, n, a->at, h);
        double above = forward(c);
        shift(c, was, direction, n, a->at, -h);
        double below = forward(c);
        double slope = (above - below) / (2 * h), off = fabs(slope - along) / (size + 1e-3 / h);
        if (off < worst) {
            worst = off;
            found = slope;
        }
    }
    shift(c, was, direction, n, a->at, 0);
    checks++;
    if (!(worst <= 1e-2)) {
        printf("%s %s: %g by differences, %g by the way back (%.2g off)\n", model, a->name, found,
               along, worst);
        failures++;
    }
    free(was);
    free(direction);
}

/* With some tokens read the sum is that of all with no weight elsewhere, and so are gradients. */
static void read_some(Case *c, const char *model)
{
    int64_t read[ROWS], n = transformer_plan(c->t)->params.numbers, hidden = c->hidden;
    float *weight = c->weight, *whole = mem_zero((size_t)(c->in.tokens * hidden), sizeof *whole);
    float *some = mem_array((size_t)(ROWS * hidden), sizeof *some);
    for (int64_t i = 0; i < ROWS; i++) {
        read[i] = c->starts[ROWS - i] - 1;
        memcpy(some + i * hidden, weight + read[i] * hidden, (size_t)hidden * sizeof *some);
        memcpy(whole + read[i] * hidden, some + i * hidden, (size_t)hidden * sizeof *some);
    }
    c->weight = whole;
    double sum = forward(c), off = 0, size = 0;
    float *all = gradients(c);
    c->in.read = read;
    c->in.reads = ROWS;
    c->weight = some;
    double sum_some = forward(c);
    float *grad = gradients(c);
    for (int64_t i = 0; i < n; i++) {
        off += pow((double)all[i] - (double)grad[i], 2);
        size += pow((double)all[i], 2);
    }
    checks++;
    if (!(fabs(sum - sum_some) <= 1e-5 * (1 + fabs(sum)) && off <= 1e-10 * size && size > 0)) {
        printf("%s: %g, read alone %g; gradients %.2g off\n", model, sum, sum_some,
               sqrt(off / size));
        failures++;
    }
    c->in.read = NULL;
    c->weight = weight;
    free(all);
    free(grad);
    free(whole);
    free(some);
}

static void one_model(Device *dev, const char *model, bool drops)
{
    Err e = {0};
    Config k;
    Rand r = rand_new(11);
    char *folder = mem_fmt("%s/tests/golden/models/%s", getenv("TOP"), model);
    Case c = {.dev = dev, .drops = {.seed = 77}};
    Weights *w = NULL;
    if (config_load(folder, &k, &e) < 0 || !(w = weights_open(folder, k.family->prefix, &e))) {
        fail(model, e.text);
        return;
    }
    k.drop = drops ? (Dropouts){.1f, .2f, .1f, .15f, .1f, .1f, 0, 0, 0} : (Dropouts){0};
    c.t = transformer_planned(&k, w, dev, K_F32);
    if (transformer_learns(c.t, &e) < 0) {
        fail(model, e.text);
        return;
    }
    make_rows(&c, &r);
    c.drops.numbers = c.numbers;
    c.drop = drops ? &c.drops : NULL;
    float *grad = gradients(&c);
    const Params *p = &transformer_plan(c.t)->params;
    for (int i = 0; i < p->count; i++)
        one_param(&c, model, &p->param[i], grad, &r);
    if (transformer_picks(c.t))
        read_some(&c, model);
    printf("%s%s: %d parameters\n", model, drops ? " with dropout" : "", p->count);
    free(grad);
    free(c.weight);
    transformer_free(c.t);
    free(folder);
}

int main(void)
{
    static const char *const models[] = {"bert-model", "roberta", "distilbert", "electra", "albert",
                                         "gpt2",       "bart",    "mbart",      "t5",      "mt5"};
    char why[256];
    Device *dev =
        device_open(getenv("WEFT_DEVICE") ? getenv("WEFT_DEVICE") : "cpu", 2, why, sizeof why);
    if (!dev)
        return printf("%s\n", why), 1;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++)
        for (int drops = 0; drops < 2; drops++)
            one_model(dev, models[i], drops);
    dev->close(dev);

    return checked();
}
