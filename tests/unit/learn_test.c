/* learn_test - what training is made of, against double precision, finite differences and what
 * PyTorch said (tests/golden/train). */
#include "base/mem.h"
#include "base/rand.h"
#include "kernels/isa.h"
#include "kernels/philox.h"
#include "learn/optim.h"
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

/* ---- operations, for each kind of CPU that this machine is ---- */

/* Random123's kat_vectors, philox4x32 10. */
static void philox(void)
{
    static const uint32_t kat[3][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int k = 0; k < 3; k++) {
        uint32_t c[4][PHILOX_LANES];
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < PHILOX_LANES; i++)
                c[j][i] = kat[k][j];
        philox4x32(c, kat[k][4], kat[k][5]);
        for (int j = 0; j < 4; j++)
            CHECK(c[j][0] == kat[k][6 + j] && c[j][PHILOX_LANES - 1] == kat[k][6 + j]);
    }
}

static void xent(const CpuOps *ops)
{
    enum { ROWS = 5, COLS = 7 };
    float *x = noise(ROWS * COLS), dx[ROWS * COLS], loss[ROWS];
    float weight[ROWS] = {1, 0.5f, 2, 0, 3};
    int32_t target[ROWS] = {6, 0, -1, 3, 2};
    x[COLS] = 200; /* e^x is no float */
    for (double smooth = 0; smooth < 0.5; smooth += 0.3) {
        ops->xent(NULL, &(Xent){.x = view_of(x, K_F32, ROWS, COLS),
                                .dx = view_of(dx, K_F32, ROWS, COLS),
                                .target = target,
                                .weight = weight,
                                .smooth = (float)smooth,
                                .loss = loss});
        for (int i = 0; i < ROWS; i++) {
            double sum = 0, want = 0, top = i == 1 ? 200 : 0;
            for (int c = 0; c < COLS; c++)
                sum += exp((double)x[i * COLS + c] - top);
            for (int c = 0; c < COLS; c++) {
                double log_p = (double)x[i * COLS + c] - top - log(sum);
                double q = smooth / COLS + (c == target[i] ? 1 - smooth : 0);
                double w = target[i] < 0 ? 0 : (double)weight[i];
                want -= w * q * log_p;
                CHECK(near((double)dx[i * COLS + c], w * (exp(log_p) - q), 1e-6));
            }
            CHECK(near((double)loss[i], want, 1e-6));
        }
    }
    free(x);
}

static void sqnorm(const CpuOps *ops)
{
    for (int64_t n = 0; n < 20000; n = 3 * n + 1) {
        float *x = noise(n);
        double got = -1, want = 0;
        for (int64_t i = 0; i < n; i++)
            want += (double)x[i] * (double)x[i];
        ops->sqnorm(NULL, &(Sqnorm){.x = x, .n = n, .out = &got});
        CHECK(near(got, want, 1e-12));
        free(x);
    }
}

/* One parameter's step in double, as torch.optim's documentation has it. */
static double step_one(const Step *s, double p, double g, double *m, double *v)
{
    g *= s->clip ? (double)*s->clip : 1;
    if (s->kind == STEP_ADAMW)
        p -= s->lr * s->decay * p;
    else
        g += s->decay * p;
    if (s->kind == STEP_SGD) {
        *m = s->t == 1 ? g : s->momentum * *m + g;
        return p - s->lr * (s->momentum != 0 ? *m : g);
    }
    *m = s->beta1 * *m + (1 - s->beta1) * g;
    *v = s->beta2 * *v + (1 - s->beta2) * g * g;
    double m_hat = *m / (1 - pow(s->beta1, (double)s->t));
    double v_hat = *v / (1 - pow(s->beta2, (double)s->t));
    return p - s->lr * m_hat / (sqrt(v_hat) + s->eps);
}

static void step(const CpuOps *ops, StepKind kind, double decay, double momentum)
{
    enum { N = 37 };
    float *p = noise(N), *m = noise(N), *v = noise(N), clip = 0.5f;
    double want[N], dm[N] = {0}, dv[N] = {0};
    bool no_m = kind == STEP_SGD && momentum == 0;
    for (int i = 0; i < N; i++) {
        want[i] = (double)p[i];
        m[i] = v[i] = 0;
    }
    for (int t = 1; t <= 5; t++) {
        float *g = noise(N);
        Step s = {.kind = kind,
                  .p = p,
                  .m = no_m ? NULL : m,
                  .v = kind == STEP_SGD ? NULL : v,
                  .g = g,
                  .n = N,
                  .lr = 0.01,
                  .decay = decay,
                  .beta1 = 0.9,
                  .beta2 = 0.999,
                  .eps = 1e-8,
                  .momentum = momentum,
                  .t = t,
                  .clip = t % 2 ? &clip : NULL};
        ops->step(NULL, &s);
        for (int i = 0; i < N; i++)
            want[i] = step_one(&s, want[i], (double)g[i], &dm[i], &dv[i]);
        free(g);
    }
    for (int i = 0; i < N; i++)
        CHECK(near((double)p[i], want[i], 2e-6));
    free(p);
    free(m);
    free(v);
}

static void linear_dx(const CpuOps *ops, Device *dev, int64_t rows, int64_t n, int64_t k)
{
    float *dy = noise(rows * n), *w = noise(n * k), *dx = noise(rows * k);
    float *before = copy_of(dx, rows * k), *alone = copy_of(dx, rows * k);
    Weight *weight = dev->refer(dev, view_of(w, K_F32, n, k), NULL);
    View vdy = view_of(dy, K_F32, rows, n), vdx = view_of(dx, K_F32, rows, k);
    ops->linear_dx(NULL, &(LinearDx){.dy = vdy, .w = weight, .dx = vdx, .add = true});
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < k; c++) {
            double want = (double)before[i * k + c];
            for (int64_t j = 0; j < n; j++)
                want += (double)dy[i * n + j] * (double)w[j * k + c];
            CHECK(near((double)dx[i * k + c], want, 1e-5));
        }
    /* A row alone has the same bits. */
    for (int64_t i = 0; i < rows; i++)
        ops->linear_dx(NULL, &(LinearDx){.dy = view_rows(vdy, i, i + 1),
                                         .w = weight,
                                         .dx = view_of(alone + i * k, K_F32, 1, k),
                                         .add = true});
    CHECK(memcmp(alone, dx, (size_t)(rows * k) * sizeof *dx) == 0);
    dev->unpack(dev, weight);
    free(dy);
    free(w);
    free(dx);
    free(before);
    free(alone);
}

static void linear_dw(const CpuOps *ops, int64_t rows, int64_t n, int64_t k, bool add)
{
    float *dy = noise(rows * n), *x = noise(rows * k), *dw = noise(n * k), *db = noise(n);
    float *dw0 = copy_of(dw, n * k), *db0 = copy_of(db, n);
    LinearDw a = {.dy = view_of(dy, K_F32, rows, n),
                  .x = view_of(x, K_F32, rows, k),
                  .dw = view_of(dw, K_F32, n, k),
                  .db = db,
                  .lo = 0,
                  .hi = n,
                  .add = add};
    ops->linear_dw(NULL, &a);
    for (int64_t j = 0; j < n; j++) {
        double bias = add ? (double)db0[j] : 0;
        for (int64_t t = 0; t < rows; t++)
            bias += (double)dy[t * n + j];
        CHECK(near((double)db[j], bias, 1e-4));
        for (int64_t c = 0; c < k; c++) {
            double want = add ? (double)dw0[j * k + c] : 0;
            for (int64_t t = 0; t < rows; t++)
                want += (double)dy[t * n + j] * (double)x[t * k + c];
            CHECK(near((double)dw[j * k + c], want, 1e-4));
        }
    }
    /* Cut into pieces: the same bits, and rows outside the piece stay as they are. */
    a.dw.p = dw0;
    a.db = db0;
    for (a.lo = 0; a.lo < n; a.lo = a.hi) {
        a.hi = a.lo + 3 < n ? a.lo + 3 : n;
        ops->linear_dw(NULL, &a);
    }
    CHECK(memcmp(dw, dw0, (size_t)(n * k) * sizeof *dw) == 0);
    CHECK(memcmp(db, db0, (size_t)n * sizeof *db) == 0);
    free(dy);
    free(x);
    free(dw);
    free(db);
    free(dw0);
    free(db0);
}

static double activation(double x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return x / 2 * (1 + erf(x / sqrt(2)));
    case ACT_GELU_TANH: return x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case ACT_RELU: return x > 0 ? x : 0;
    case ACT_TANH: return tanh(x);
    case ACT_SILU: return x / (1 + exp(-x));
    case ACT_COUNT: break;
    }
    return 0;
}

static void act_bwd(const CpuOps *ops, Act act)
{
    enum { ROWS = 3, COLS = 101 };
    float x[ROWS * COLS], dy[ROWS * COLS], dx[ROWS * COLS];
    for (int i = 0; i < ROWS * COLS; i++) {
        x[i] = (float)(i - ROWS * COLS / 2) * 0.11f + 0.013f; /* -17 to 17, not 0 */
        dy[i] = (float)(i % 7) - 3;
    }
    View v = view_of(dx, K_F32, ROWS, COLS);
    ops->act_bwd(NULL, &(ActivateBwd){.x = view_of(x, K_F32, ROWS, COLS),
                                      .dy = view_of(dy, K_F32, ROWS, COLS),
                                      .dx = v,
                                      .act = act});
    for (int i = 0; i < ROWS * COLS; i++) {
        double h = 1e-5, at = (double)x[i];
        double slope = (activation(at + h, act) - activation(at - h, act)) / (2 * h);
        CHECK(near((double)dx[i], slope * (double)dy[i], 3e-6));
    }
}

/* Which elements a dropout of rows x cols keeps, row numbers from `rows` or counted on. */
static void kept(const CpuOps *ops, Mix a, int64_t rows, int64_t cols, float *out)
{
    for (int64_t i = 0; i < rows * cols; i++)
        out[i] = 1;
    a.x = a.y = view_of(out, K_F32, rows, cols);
    a.a = 1;
    ops->mix(NULL, &a);
}

static void dropout(const CpuOps *ops)
{
    enum { ROWS = 50, COLS = 200 };
    static float all[ROWS * COLS], some[ROWS * COLS];
    const int64_t back[3] = {1000000000049, 1000000000007, 1000000000007};
    Mix a = {.drop = 0.25f, .seed = 7, .site = 3, .row0 = 1000000000000};
    int64_t dropped = 0, differ = 0;
    kept(ops, a, ROWS, COLS, all);
    for (int i = 0; i < ROWS * COLS; i++) {
        CHECK(all[i] == 0 || near((double)all[i], 4.0 / 3, 1e-6));
        dropped += all[i] == 0;
    }
    CHECK(dropped > ROWS * COLS * 0.23 && dropped < ROWS * COLS * 0.27);
    /* The same rows in another order and packing, fewer columns of them. */
    a.rows = back;
    kept(ops, a, 3, COLS, some);
    for (int i = 0; i < 3; i++)
        CHECK(memcmp(some + i * COLS, all + (back[i] - 1000000000000) * COLS, COLS * sizeof *all) ==
              0);
    kept(ops, a, 1, 70, some);
    CHECK(memcmp(some, all + 49 * COLS, 70 * sizeof *all) == 0);
    /* Another seed, site or row drops others. */
    const Mix others[] = {
        {.drop = 0.25f, .seed = 8, .site = 3, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7ull | 1ull << 40, .site = 3, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7, .site = 4, .row0 = 1000000000000},
        {.drop = 0.25f, .seed = 7, .site = 3, .row0 = 1000}};
    for (int k = 0; k < 4; k++) {
        kept(ops, others[k], ROWS, COLS, some);
        differ = 0;
        for (int i = 0; i < ROWS * COLS; i++)
            differ += some[i] != all[i];
        CHECK(differ > ROWS * COLS / 4);
    }
    /* As mix.h says: column 83 of row 0 is word 83 / 16 % 4 of counter {16 + 3, 4, 0, 0}. */
    uint32_t c[4][PHILOX_LANES] = {{19}, {4}};
    philox4x32(c, 9, 0);
    Mix b = {.drop = (float)((double)c[1][0] / 4294967296.0 * 0.999), .seed = 9, .site = 4};
    kept(ops, b, 1, COLS, some);
    CHECK(some[83] > 0);
    b.drop = (float)((double)c[1][0] / 4294967296.0 * 1.001);
    kept(ops, b, 1, COLS, some);
    CHECK(some[83] == 0);
}

static void mix(const CpuOps *ops)
{
    enum { ROWS = 3, COLS = 37 };
    float *x = noise(ROWS * COLS), *r = noise(ROWS * COLS), y[ROWS * COLS];
    uint16_t half[ROWS * COLS];
    Mix a = {.x = view_of(x, K_F32, ROWS, COLS),
             .r = view_of(r, K_F32, ROWS, COLS),
             .y = view_of(y, K_F32, ROWS, COLS),
             .a = 2,
             .b = -0.5f};
    ops->mix(NULL, &a);
    for (int i = 0; i < ROWS * COLS; i++)
        CHECK(near((double)y[i], 2 * (double)x[i] - 0.5 * (double)r[i], 1e-6));
    a.r = (View){0};
    a.y = view_of(half, K_BF16, ROWS, COLS);
    ops->mix(NULL, &a);
    for (int i = 0; i < ROWS * COLS; i++)
        CHECK(half[i] == bf16_from_f32(2 * x[i]));
    ops->mix(NULL, &(Mix){.x = a.y, .y = view_of(y, K_F32, ROWS, COLS), .a = 1});
    for (int i = 0; i < ROWS * COLS; i++)
        CHECK(y[i] == f32_from_bf16(half[i]));
    free(x);
    free(r);
}

static void operations(const CpuOps *ops, Device *dev)
{
    xent(ops);
    sqnorm(ops);
    for (int decay = 0; decay < 2; decay++) {
        step(ops, STEP_ADAMW, 0.1 * decay, 0);
        step(ops, STEP_ADAM, 0.1 * decay, 0);
        step(ops, STEP_SGD, 0.1 * decay, 0);
        step(ops, STEP_SGD, 0.1 * decay, 0.9);
    }
    linear_dx(ops, dev, 7, 5, 83);
    linear_dx(ops, dev, 1, 1, 1);
    linear_dx(ops, dev, 9, 33, 64);
    linear_dw(ops, 7, 5, 83, true);
    linear_dw(ops, 1, 1, 1, false);
    linear_dw(ops, 1100, 6, 20, true);
    linear_dw(ops, 512, 9, 64, false);
    linear_dw(ops, 0, 2, 3, false);
    for (Act act = ACT_NONE; act <= ACT_SILU; act++)
        act_bwd(ops, act);
    dropout(ops);
    mix(ops);
}

static void every_cpu(Device *dev)
{
#ifdef __x86_64__
    extern const CpuOps cpu_ops_v2, cpu_ops_v3, cpu_ops_v4;
    operations(&cpu_ops_v2, dev);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi2"))
        operations(&cpu_ops_v3, dev);
    if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq"))
        operations(&cpu_ops_v4, dev);
#else
    operations(cpu_ops_best(), dev);
#endif
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
    Net *n = net_new(dev, size, layers, ROWS, drop);
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
    Net *n = net_new(dev, size, 2, 1, 0), *m = net_new(dev, size, 2, 1, 0);
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
    Net *n = net_new(dev, size, 2, 1, 0.5);
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

    Net *n = net_new(dev, size, layers, rows, 0);
    for (int l = 0; l < layers; l++) {
        int64_t a, b;
        const float *w = tensor(f, "", "w", l, &a, &b);
        memcpy(n->weight[l], w, (size_t)(a * b) * sizeof *w);
        w = tensor(f, "", "b", l, &a, &b);
        memcpy(n->bias[l], w, (size_t)a * sizeof *w);
    }
    Optim *o = optim_new(n, &(OptimSpec){.kind = STEP_ADAMW, .decay = decay, .clip = 1});
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
        CHECK(near(optim_step(o, now), (double)norm[t], 1e-5));
    }
    double worst = 0;
    for (int l = 0; l < layers; l++) {
        int64_t a, b;
        const float *w = tensor(f, "final.", "w", l, &a, &b);
        for (int64_t i = 0; i < a * b; i++)
            worst = fmax(worst, fabs((double)n->weight[l][i] - (double)w[i]));
        w = tensor(f, "final.", "b", l, &a, &b);
        for (int64_t i = 0; i < a; i++)
            worst = fmax(worst, fabs((double)n->bias[l][i] - (double)w[i]));
    }
    printf("%s: after %lld steps within %.2g\n", name, (long long)steps, worst);
    CHECK(worst < 1e-5);
    optim_free(o);
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
    philox();
    every_cpu(dev);
    finite_differences(dev, (int64_t[]){5, 3}, 1, 0);
    finite_differences(dev, (int64_t[]){5, 7, 3}, 2, 0);
    finite_differences(dev, (int64_t[]){5, 7, 6, 3}, 3, 0.3);
    initial(dev);
    rows_alone();
    schedules();
    golden(dev, "linear");
    golden(dev, "linear-decay");
    golden(dev, "mlp");
    golden(dev, "mlp-decay");
    dev->close(dev);
    return checked();
}
