/* learn_test - what training is made of, against double precision, finite differences and what
 * PyTorch said (tests/golden/train). */
#include "base/mem.h"
#include "base/msg.h"
#include "base/rand.h"
#include "learn/fit.h"
#include "learn/net.h"
#include "learn/optim.h"
#include "learn/vector_learner.h"
#include "store/safetensors.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>

static Rand rng;

static float *noise(int64_t n)
{
    float *p = mem_aligned((size_t)n * sizeof *p);
    for (int64_t i = 0; i < n; i++)
        p[i] = (float)rand_normal(&rng);
    return p;
}

static float *copy_of(const float *p, int64_t n)
{
    float *q = mem_aligned((size_t)n * sizeof *q);
    memcpy(q, p, (size_t)n * sizeof *q);
    return q;
}

static bool near(double got, double want, double tolerance)
{
    if (fabs(got - want) <= tolerance * fmax(1, fabs(want)))
        return true;
    fprintf(stderr, "%.9g, not %.9g\n", got, want);
    return false;
}

/* ---- the net ---- */

enum { ROWS = 9 };

typedef struct Sample {
    View x;
    int64_t row[ROWS];
    int32_t target[ROWS];
    float weight[ROWS], loss[ROWS];
} Sample;

static void sample(Sample *s, int64_t width, int classes)
{
    s->x = view_of(noise(2 * ROWS * width), K_F32, 2 * ROWS, width);
    for (int i = 0; i < ROWS; i++) {
        s->row[i] = (i * 7 + 2) % (2 * ROWS);
        s->target[i] = i % classes;
        s->weight[i] = (float)(1 + i % 3) / 16;
    }
}

static double loss_of(Net *n, Sample *s, int64_t at, int64_t rows, bool add)
{
    double sum = 0;
    net_gradient(n, &(NetBatch){.x = s->x,
                                .row = s->row + at,
                                .target = s->target + at,
                                .weight = s->weight + at,
                                .rows = rows,
                                .smooth = 0.1f,
                                .seed = 5,
                                .add = add,
                                .loss = s->loss});
    for (int64_t i = 0; i < rows; i++)
        sum += (double)s->loss[i];
    return sum;
}

/* How far (f(p + h) - f(p - h)) / 2h is from the gradient by one parameter, in units of what
 * rounding may do at that h. Where a ReLU turns in between, a smaller h leaves it outside. */
static double off(Net *n, Sample *s, int64_t i, double gradient)
{
    const float was = n->param[i];
    double least = INFINITY;
    for (float h = 5e-4f, most = 3e-4f; h > 1e-5f && least > 1; h /= 4, most *= 4) {
        n->param[i] = was + h;
        double above = loss_of(n, s, 0, ROWS, false);
        n->param[i] = was - h;
        double below = loss_of(n, s, 0, ROWS, false);
        least = fmin(least, fabs((above - below) / (2 * (double)h) - gradient) / (double)most);
    }
    n->param[i] = was;
    return least;
}

/* The gradient by each parameter; dropout's elements are a function of seed and place, so they
 * stay. */
static void finite_differences(Device *dev, const int64_t *size, int layers, double drop)
{
    Sample s;
    Err e = {0};
    Net *n = net_new(dev, size, layers, ROWS, drop, &e);
    net_init(n, 3);
    sample(&s, size[0], (int)size[layers]);
    loss_of(n, &s, 0, ROWS, false);
    float *whole = copy_of(n->grad, n->params);
    double worst = 0;
    for (int64_t i = 0; i < n->params; i++)
        worst = fmax(worst, off(n, &s, i, (double)whole[i]));
    printf("gradient of %d layers within %.2g of what rounding allows\n", layers, worst);
    CHECK(worst < 1);
    /* In parts that add up: the same sum. */
    loss_of(n, &s, 0, 4, false);
    loss_of(n, &s, 4, ROWS - 4, true);
    for (int64_t i = 0; i < n->params; i++)
        CHECK(near((double)n->grad[i], (double)whole[i], 1e-6));
    free(whole);
    free(s.x.p);
    net_free(n);
}

static void initial(Device *dev)
{
    const int64_t size[] = {100, 30, 4};
    Err e = {0};
    Net *n = net_new(dev, size, 2, 1, 0, &e), *m = net_new(dev, size, 2, 1, 0, &e);
    double sum = 0, most = 0;
    net_init(n, 1);
    net_init(m, 1);
    CHECK(n->params == 100 * 30 + 30 + 30 * 4 + 4);
    CHECK(memcmp(n->param, m->param, (size_t)n->params * sizeof *n->param) == 0);
    net_init(m, 2);
    CHECK(memcmp(n->param, m->param, (size_t)n->params * sizeof *n->param) != 0);
    for (int i = 0; i < 3030; i++) { /* uniform in +-1/sqrt(100) */
        sum += (double)n->param[i];
        most = fmax(most, fabs((double)n->param[i]));
    }
    CHECK(most <= 0.1 && most > 0.0999 && fabs(sum / 3030) < 0.004);
    most = 0;
    for (int i = 0; i < 30 * 4; i++)
        most = fmax(most, fabs((double)n->weight[1][i]));
    CHECK(most <= 1 / sqrt(30) && most > 0.9 / sqrt(30));
    net_free(n);
    net_free(m);
}

/* Rows of many pieces and threads: each row's logits are those it has alone. */
static void rows_alone(void)
{
    enum { MANY = 700 };
    const int64_t size[] = {24, 10, 3};
    Device *dev = device_cpu(3);
    Err e = {0};
    Net *n = net_new(dev, size, 2, 1, 0.5, &e);
    float *x = noise(MANY * 24), all[MANY * 3], one[3];
    net_init(n, 1);
    net_logits(n, view_of(x, K_F32, MANY, 24), view_of(all, K_F32, MANY, 3));
    for (int i = 0; i < MANY; i += 13) {
        net_logits(n, view_of(x + i * 24, K_F32, 1, 24), view_of(one, K_F32, 1, 3));
        CHECK(memcmp(one, all + i * 3, sizeof one) == 0);
    }
    net_free(n);
    free(x);
    dev->close(dev);
}

/* ---- a device that has no more memory ---- */

static int left; /* of the allocations that it grants */
static void *(*granted)(Device *, size_t);

static void *scarce(Device *dev, size_t bytes)
{
    return left-- > 0 ? granted(dev, bytes) : NULL;
}

static const void *hold_scarce(Device *dev, const void *host, size_t bytes)
{
    (void)dev, (void)bytes;
    return left-- > 0 ? host : NULL;
}

/* Trains as far as it comes; false with *e where memory was wanting. */
static bool trains(Device *dev, const Examples *v, Err *e)
{
    Summary s;
    FitSpec spec = {.epochs = 1, .batch = 4, .accumulate = 1, .lr = 0.1, .eval_first = true};
    Net *n = net_new(dev, (int64_t[]){5, 4, 2}, 2, 4, 0, e);
    Learner *l = n ? vector_learner_new(n, v, NULL, 0, e) : NULL;
    Fit *f = l ? fit_new(l, v, &spec, e) : NULL;
    bool all = f && fit_run(f, NULL, e) == 0 && l->kind->evaluate(l, v, &s, e) == 0;
    fit_free(f);
    if (l)
        l->kind->free(l);
    net_free(n);
    return all;
}

/* Whichever allocation is refused, it is an error and no more. */
static void no_memory(void)
{
    Device *dev = device_cpu(1);
    Device poor = *dev;
    int32_t target[ROWS];
    Examples v = {.x = noise(ROWS * 5), .rows = ROWS, .width = 5, .target = target};
    int grants = 0;
    for (int i = 0; i < ROWS; i++)
        target[i] = i % 2;
    granted = dev->alloc;
    dev->alloc = scarce;
    dev->hold = hold_scarce;
    msg_quiet = true;
    for (bool all = false; !all && grants < 99; grants++) {
        Err e = {0};
        left = grants;
        all = trains(dev, &v, &e);
        CHECK(all || strstr(e.text, "out of memory on cpu"));
    }
    printf("training makes %d allocations\n", grants - 1);
    CHECK(grants > 20 && grants < 99);
    msg_quiet = false;
    *dev = poor;
    free((void *)v.x);
    dev->close(dev);
}

/* ---- schedules ---- */

static void schedules(void)
{
    /* transformers 4.57.6, get_scheduler(name, lr = 0.5, 4 warm-up steps, 12 steps). */
    CHECK(lr_at(LR_LINEAR, 0.5, 4, 0, 12) == 0);
    CHECK(near(lr_at(LR_LINEAR, 0.5, 4, 3, 12), 0.375, 1e-12));
    CHECK(near(lr_at(LR_LINEAR, 0.5, 4, 4, 12), 0.5, 1e-12));
    CHECK(near(lr_at(LR_LINEAR, 0.5, 4, 10, 12), 0.125, 1e-12));
    CHECK(near(lr_at(LR_LINEAR, 0.5, 0, 0, 12), 0.5, 1e-12));
    CHECK(near(lr_at(LR_LINEAR, 0.5, 4, 30, 12), 0, 1e-12));
    CHECK(near(lr_at(LR_CONSTANT, 0.5, 4, 2, 12), 0.25, 1e-12));
    CHECK(near(lr_at(LR_CONSTANT, 0.5, 4, 11, 12), 0.5, 1e-12));
    CHECK(near(lr_at(LR_COSINE, 0.5, 4, 6, 12), 0.4267766952966369, 1e-12));
    CHECK(near(lr_at(LR_COSINE, 0.5, 4, 10, 12), 0.07322330470336313, 1e-12));
    CHECK(near(lr_at(LR_POLYNOMIAL, 0.5, 4, 6, 12), 0.375000025, 1e-12));
    CHECK(near(lr_at(LR_POLYNOMIAL, 0.5, 4, 12, 12), 1e-7, 1e-12));
}

/* ---- PyTorch ---- */

static const float *tensor(const StFile *f, const char *prefix, const char *kind, int layer,
                           int64_t *rows, int64_t *cols)
{
    StView v;
    char name[64];
    snprintf(name, sizeof name, layer < 0 ? "%s%s" : "%s%s%d", prefix, kind, layer);
    if (st_find(f, name, &v) < 0)
        return NULL;
    *rows = v.shape[0];
    *cols = v.rank > 1 ? v.shape[1] : 1;
    return v.data; /* F32 files of safetensors begin on 8 bytes */
}

static void golden(Device *dev, const char *name)
{
    const char *top = getenv("TOP");
    char *path = mem_fmt("%s/tests/golden/train/%s.safetensors", top ? top : ".", name);
    Err e = {0};
    StFile *f = st_open(path, &e);
    free(path);
    CHECK(f != NULL);
    if (!f) {
        fprintf(stderr, "%s\n", e.text);
        return;
    }
    int64_t size[HEAD_LAYERS + 1], rows, cols, steps;
    int layers = 0;
    while (tensor(f, "", "w", layers, &rows, &cols)) {
        size[layers] = cols;
        size[++layers] = rows;
    }
    const float *x = tensor(f, "", "x", -1, &rows, &cols);
    const float *loss = tensor(f, "", "loss", -1, &steps, &cols);
    const float *norm = tensor(f, "", "norm", -1, &steps, &cols);
    const float *rate = tensor(f, "", "lr", -1, &steps, &cols);
    StView y;
    CHECK(layers > 0 && x && loss && norm && rate && st_find(f, "y", &y) == 0);
    double lr = strtod(st_meta(f, "lr"), NULL), decay = strtod(st_meta(f, "weight_decay"), NULL);
    int64_t warmup = strtoll(st_meta(f, "warmup"), NULL, 10);

    Net *n = net_new(dev, size, layers, rows, 0, &e);
    for (int k = 0; k < layers; k++) {
        int64_t a, b;
        const float *w = tensor(f, "", "w", k, &a, &b);
        memcpy(n->weight[k], w, (size_t)(a * b) * sizeof *w);
        w = tensor(f, "", "b", k, &a, &b);
        memcpy(n->bias[k], w, (size_t)a * sizeof *w);
    }
    Examples v = {.x = x, .rows = rows, .width = size[0]};
    Learner *l = vector_learner_new(n, &v, NULL, 0, &e);
    OptimSpec spec = {.kind = STEP_ADAMW, .decay = decay, .clip = 1, .lr_decay = 1};
    Optim *o = optim_new(l, &spec, &e);
    int64_t *row = mem_array((size_t)rows, sizeof *row);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    float *weight = noise(rows), *out = noise(rows);
    for (int64_t i = 0; i < rows; i++) {
        row[i] = i;
        target[i] = (int32_t)dtype_get(y.type, y.data, i);
        weight[i] = 1 / (float)rows;
    }
    for (int64_t t = 0; t < steps; t++) {
        double sum = 0, now = lr_at(LR_LINEAR, lr, warmup, t, steps);
        net_gradient(n, &(NetBatch){.x = view_of((void *)x, K_F32, rows, size[0]),
                                    .row = row,
                                    .target = target,
                                    .weight = weight,
                                    .rows = rows,
                                    .loss = out});
        for (int64_t i = 0; i < rows; i++)
            sum += (double)out[i];
        CHECK(near(now, (double)rate[t], 1e-6));
        CHECK(near(sum, (double)loss[t], 1e-5));
        double length = 0;
        optim_step(o, now, &length);
        CHECK(dev->wait(dev, NULL, 0) == 0);
        l->kind->changed(l);
        CHECK(near(length, (double)norm[t], 1e-5));
    }
    double worst = 0;
    for (int k = 0; k < layers; k++) {
        int64_t a, b;
        const float *w = tensor(f, "final.", "w", k, &a, &b);
        for (int64_t i = 0; i < a * b; i++)
            worst = fmax(worst, fabs((double)n->weight[k][i] - (double)w[i]));
        w = tensor(f, "final.", "b", k, &a, &b);
        for (int64_t i = 0; i < a; i++)
            worst = fmax(worst, fabs((double)n->bias[k][i] - (double)w[i]));
    }
    printf("%s: after %lld steps within %.2g\n", name, (long long)steps, worst);
    CHECK(worst < 1e-5);
    optim_free(o);
    l->kind->free(l);
    net_free(n);
    st_close(f);
    free(row);
    free(target);
    free(weight);
    free(out);
}

int main(void)
{
    Device *dev = device_cpu(1);
    rng = rand_new(1);
    finite_differences(dev, (int64_t[]){5, 3}, 1, 0);
    finite_differences(dev, (int64_t[]){5, 7, 3}, 2, 0);
    finite_differences(dev, (int64_t[]){5, 7, 6, 3}, 3, 0.3);
    initial(dev);
    rows_alone();
    no_memory();
    schedules();
    golden(dev, "linear");
    golden(dev, "linear-decay");
    golden(dev, "mlp");
    golden(dev, "mlp-decay");
    dev->close(dev);
    return checked();
}
