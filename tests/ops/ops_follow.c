/* Products of weights that follow their matrix: the same before and after it has changed. */
#include "tests/ops/ops.h"

STAGE(linear)
STAGE(linear_dx)

typedef struct Case {
    int64_t rows, n, k;
    KType type; /* asked for */
    bool by_input, bias, more;
} Case;

typedef struct Followed {
    Mat w, bias;
    Weight *weight;
} Followed;

static void stage_renew(Piece *p, void *args)
{
    p->dev->renew(p, args);
}

static KType computed(KType type)
{
    return type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
}

static double at(const Case *c, const Followed *f, int64_t n, int64_t k)
{
    return rounded(c->type, c->by_input ? mat_at(&f->w, k, n) : mat_at(&f->w, n, k));
}

static void linear_rows(Piece *p, void *args)
{
    Linear a = *(Linear *)args;
    a.x = view_rows(a.x, p->lo, p->hi);
    a.y = view_rows(a.y, p->lo, p->hi);
    p->dev->linear(p, &a);
}

static void dx_rows(Piece *p, void *args)
{
    LinearDx a = *(LinearDx *)args;
    a.dy = view_rows(a.dy, p->lo, p->hi);
    a.dx = view_rows(a.dx, p->lo, p->hi);
    a.r = a.r.p ? view_rows(a.r, p->lo, p->hi) : a.r;
    p->dev->linear_dx(p, &a);
}

/* linear.h: where x is bf16 or f16 the mean squared error may be 1e-11. */
static Bound bound(const Case *c)
{
    return (Bound){computed(c->type) == K_F32 ? 1e-12 : 1e-11, 1e-5, 0};
}

/* Also one row, and some, alone: the same bits. */
static void forward(const Case *c, const Followed *f)
{
    Mat x = mat_in(computed(c->type), c->rows, c->k, 0), y = mat_out(K_F32, c->rows, c->n, 0);
    Mat cut = mat_twin(&y), threads = mat_twin(&y);
    double *want = wants(c->rows * c->n);
    mat_scale(&x, 1 / sqrt((double)c->k));
    for (int64_t i = 0; i < c->rows * c->n; i++) {
        want[i] = c->bias ? mat_at(&f->bias, 0, i % c->n) : 0;
        for (int64_t k = 0; k < c->k; k++)
            want[i] += mat_at(&x, i / c->n, k) * at(c, f, i % c->n, k);
    }
    Linear a = {.x = x.v, .w = f->weight, .y = y.v};
    run(stage_linear, &a);
    expect(&y, want, NULL, bound(c));
    a.y = cut.v;
    run_parts(c->rows, 7, linear_rows, &a);
    expect_same(&y, &cut);
    a.y = threads.v;
    run_threads(3, EACH_ROWS, &(Batch){.tokens = c->rows}, linear_rows, &a);
    expect_same(&y, &threads);
}

static void back(const Case *c, const Followed *f)
{
    Mat dy = mat_in(computed(c->type), c->rows, c->n, 0), r = {0};
    Mat dx = mat_out(K_F32, c->rows, c->k, 0), cut = mat_twin(&dx), threads = mat_twin(&dx);
    double *want = wants(c->rows * c->k);
    mat_scale(&dy, 1 / sqrt((double)c->n));
    if (c->more)
        r = mat_in(K_F32, c->rows, c->k, 3);
    for (int64_t i = 0; i < c->rows * c->k; i++) {
        want[i] = c->more ? mat_at(&r, i / c->k, i % c->k) : 0;
        for (int64_t n = 0; n < c->n; n++)
            want[i] += mat_at(&dy, i / c->k, n) * at(c, f, n, i % c->k);
    }
    LinearDx a = {.dy = dy.v, .w = f->weight, .r = r.v, .dx = dx.v};
    run(stage_linear_dx, &a);
    expect(&dx, want, NULL, bound(c));
    a.dx = cut.v;
    run_parts(c->rows, 7, dx_rows, &a);
    expect_same(&dx, &cut);
    a.dx = threads.v;
    run_threads(3, EACH_ROWS, &(Batch){.tokens = c->rows}, dx_rows, &a);
    expect_same(&dx, &threads);
}

static void another(const Mat *m)
{
    double *x = wants(m->v.rows * m->v.cols);
    for (int64_t i = 0; i < m->v.rows * m->v.cols; i++)
        x[i] = rand_normal(&rng);
    mat_fill(m, x);
}

static void follow(Case c)
{
    Followed f;
    begin("linear_dx", "%lld rows, [%lld, %lld] followed as %s%s%s%s", (long long)c.rows,
          (long long)c.n, (long long)c.k, type_name(c.type), c.by_input ? " by input" : "",
          c.bias ? " bias" : "", c.more ? " more" : "");
    f.w = mat_in(K_F32, c.by_input ? c.k : c.n, c.by_input ? c.n : c.k, 0);
    f.bias = mat_in(K_F32, 1, c.n, 0);
    f.weight = dev->follow(dev, f.w.v, c.bias ? f.bias.v.p : NULL, c.by_input, c.type);
    if (!f.weight) {
        fail("follow gives nothing");
        end();
        return;
    }
    for (int turn = 0; turn < 2; turn++) {
        another(&f.w);
        another(&f.bias);
        run(stage_renew, f.weight);
        forward(&c, &f);
        back(&c, &f);
    }
    dev->unpack(dev, f.weight);
    end();
}

/* Both ways of a product of bf16 to bf16, with an activation, as the layers have it. */
static void narrow(KType type, bool by_input)
{
    enum { ROWS = 40, N = 48, K = 36 };
    Case c = {.rows = ROWS, .n = N, .k = K, .type = type, .by_input = by_input, .bias = true};
    KType out = computed(type);
    begin("linear", "followed as %s%s, to it", type_name(type), by_input ? " by input" : "");
    Followed f = {.w = mat_in(K_F32, by_input ? K : N, by_input ? N : K, 0),
                  .bias = mat_in(K_F32, 1, N, 0)};
    Mat x = mat_in(out, ROWS, K, 0), pre = mat_out(out, ROWS, N, 0), y = mat_out(out, ROWS, N, 0);
    double *z = wants(ROWS * N), *want = wants(ROWS * N), *scale = wants(ROWS * N);
    f.weight = dev->follow(dev, f.w.v, f.bias.v.p, by_input, type);
    mat_scale(&x, 1 / sqrt((double)K));
    for (int64_t i = 0; i < ROWS * N; i++) {
        double bias = mat_at(&f.bias, 0, i % N);
        z[i] = bias;
        for (int64_t k = 0; k < K; k++)
            z[i] += mat_at(&x, i / N, k) * at(&c, &f, i % N, k);
        want[i] = activation(z[i], ACT_GELU);
        scale[i] = fmax(1, 1.2 * fmax(fabs(z[i]), fabs(bias)));
    }
    run(stage_renew, f.weight);
    run(stage_linear, &(Linear){.x = x.v, .w = f.weight, .y = y.v, .pre = pre.v, .act = ACT_GELU});
    expect(&pre, z, scale, (Bound){1e-11, 1e-5, 2});
    expect(&y, want, scale, (Bound){1e-11, 1e-5, 4});
    dev->unpack(dev, f.weight);
    end();
}

void ops_follow(void)
{
    static const int64_t shape[][3] = {{0, 3, 5},    {1, 1, 1},      {3, 33, 83},
                                       {64, 64, 64}, {65, 100, 36},  {130, 3, 5},
                                       {200, 96, 1}, {300, 48, 128}, {7, 130, 1100}};
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (KType type = 0; type < K_TYPES; type++)
            for (int by_input = 0; by_input < 2; by_input++) {
                Case c = {.rows = shape[s][0],
                          .n = shape[s][1],
                          .k = shape[s][2],
                          .type = type,
                          .by_input = by_input};
                follow(c);
                c.bias = c.more = true;
                follow(c);
            }
    for (KType type = 0; type < K_TYPES; type++) {
        narrow(type, false);
        narrow(type, true);
    }
}
