/* The products of the way back: linear_dx of weights that lie plain, linear_dw. */
#include "tests/ops/ops.h"

STAGE(linear_dx)
STAGE(linear_dw)

#define PRODUCT ((Bound){1e-12, 1e-5, 0}) /* linear.h */
#define NARROW ((Bound){1e-11, 1e-5, 0})  /* of bf16 or f16 */

enum { ALONE, OVER, BESIDE }; /* r: none, dx itself, another */

/* Also row by row: the same bits. */
static void linear_dx(int64_t rows, int64_t n, int64_t k, int64_t pad, int more)
{
    begin("linear_dx", "[%lld, %lld] by [%lld], more %d, pad %lld", (long long)rows, (long long)n,
          (long long)k, more, (long long)pad);
    Mat dy = mat_in(K_F32, rows, n, pad), w = mat_in(K_F32, n, k, pad);
    Mat dx = more == OVER ? mat_inout(K_F32, rows, k, pad) : mat_out(K_F32, rows, k, pad);
    Mat r = more == OVER ? dx : more == BESIDE ? mat_in(K_F32, rows, k, 2 * pad) : (Mat){0};
    double *want = wants(rows * k);
    mat_scale(&w, 1 / sqrt((double)n));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < k; c++) {
            double sum = more ? mat_at(&r, i, c) : 0;
            for (int64_t j = 0; j < n; j++)
                sum += mat_at(&dy, i, j) * mat_at(&w, j, c);
            want[i * k + c] = sum;
        }
    Mat alone = mat_twin(&dx);
    Weight *weight = dev->refer(dev, w.v, NULL);
    run(stage_linear_dx, &(LinearDx){.dy = dy.v, .w = weight, .r = r.v, .dx = dx.v});
    expect(&dx, want, NULL, PRODUCT);
    for (int64_t i = 0; i < rows; i++) {
        LinearDx a = {
            .dy = view_rows(dy.v, i, i + 1), .w = weight, .dx = view_rows(alone.v, i, i + 1)};
        a.r = more == OVER ? a.dx : more == BESIDE ? view_rows(r.v, i, i + 1) : (View){0};
        run(stage_linear_dx, &a);
    }
    expect_same(&dx, &alone);
    dev->unpack(dev, weight);
    end();
}

/* What a product of that type computes dW from. */
static KType computed(KType type)
{
    return type == K_BF16 ? dev->bf16 : type == K_F16 ? dev->f16 : K_F32;
}

typedef struct Dw {
    int64_t rows, n, k, pad;
    KType type;
    bool add, bias, panel;
} Dw;

static void want_dw(const Dw *c, const Mat *dy, const Mat *x, const LinearDw *a, double *dw,
                    double *db)
{
    for (int64_t j = a->lo; j < a->hi; j++) {
        db[j] *= c->add || !c->bias;
        for (int64_t k = 0; k < c->k; k++)
            dw[j * c->k + k] *= c->add;
        for (int64_t t = 0; t < c->rows; t++) {
            double d = mat_at(dy, t, j);
            db[j] += c->bias ? d : 0;
            for (int64_t k = 0; k < c->k; k++)
                dw[j * c->k + k] += d * mat_at(x, t, k);
        }
    }
}

static void begun(const Mat *m, double *to)
{
    for (int64_t i = 0; i < m->v.rows * m->v.cols; i++)
        to[i] = mat_at(m, i / m->v.cols, i % m->v.cols);
}

static void dw_panel(Piece *p, void *args)
{
    enum { ROWS = 3 };
    LinearDw a = *(LinearDw *)args;
    int64_t lo = a.lo + p->lo * ROWS, hi = a.lo + p->hi * ROWS < a.hi ? a.lo + p->hi * ROWS : a.hi;
    for (; lo < hi; lo += ROWS) {
        a.lo = lo;
        a.hi = lo + ROWS < hi ? lo + ROWS : hi;
        p->dev->linear_dw(p, &a);
    }
}

/* Rows [lo, hi) of dW alone; the others stay. Also, on the CPU, which cuts them, by several
 * threads: the same bits, in panels of few rows as long as they are computed as the whole is. */
static void linear_dw(Dw c)
{
    begin("linear_dw", "%s, %lld tokens, [%lld, %lld]%s%s%s, pad %lld", type_name(c.type),
          (long long)c.rows, (long long)c.n, (long long)c.k, c.add ? " added" : "",
          c.bias ? " bias" : "", c.panel ? " panel" : "", (long long)c.pad);
    KType type = computed(c.type);
    LinearDw a = {.lo = c.panel ? c.n / 4 : 0, .hi = c.panel ? c.n - c.n / 4 : c.n, .add = c.add};
    Mat dy = mat_in(type, c.rows, c.n, c.pad), x = mat_in(type, c.rows, c.k, c.pad);
    Mat dw = mat_inout(K_F32, c.n, c.k, 0), db = mat_inout(K_F32, 1, c.n, 0);
    double *want = wants(c.n * c.k), *want_b = wants(c.n);
    mat_scale(&dy, 1 / sqrt((double)c.rows + 1));
    Mat cut_dw = mat_twin(&dw), cut_db = mat_twin(&db);
    begun(&dw, want);
    begun(&db, want_b);
    want_dw(&c, &dy, &x, &a, want, want_b);
    a.dy = dy.v;
    a.x = x.v;
    a.dw = dw.v;
    a.db = c.bias ? db.v.p : NULL;
    LinearDw again = a;
    run(stage_linear_dw, &a);
    expect(&dw, want, NULL, type == K_F32 ? PRODUCT : NARROW);
    expect(&db, want_b, NULL, PRODUCT);
    if (on_cpu() && (type == K_F32 && (c.rows < 64 || c.n < 16 || c.k < 16))) {
        again.dw = cut_dw.v;
        again.db = c.bias ? cut_db.v.p : NULL;
        run_threads(5, EACH_COLS, &(Batch){.cols = (c.n + 2) / 3}, dw_panel, &again);
        expect_same(&dw, &cut_dw);
        expect_same(&db, &cut_db);
    }
    end();
}

/* As the layers cut a large one: panels of 128 rows and what is left, by so many threads. */
static void dw_large(Piece *p, void *args)
{
    enum { ROWS = 128 };
    for (int64_t i = p->lo; i < p->hi; i++) {
        LinearDw a = *(LinearDw *)args;
        a.lo = i * ROWS;
        a.hi = a.lo + ROWS < a.hi ? a.lo + ROWS : a.hi;
        p->dev->linear_dw(p, &a);
    }
}

static void panels(int64_t rows, int64_t n, int64_t k, KType asked)
{
    KType type = computed(asked);
    begin("linear_dw", "%s, %lld tokens, [%lld, %lld] by 1, 3 and 5 threads", type_name(type),
          (long long)rows, (long long)n, (long long)k);
    Mat dy = mat_in(type, rows, n, 0), x = mat_in(type, rows, k, 0);
    Mat dw = mat_inout(K_F32, n, k, 0), db = mat_inout(K_F32, 1, n, 0);
    Batch b = {.cols = (n + 127) / 128};
    Mat other[2] = {mat_twin(&dw), mat_twin(&dw)}, bias[2] = {mat_twin(&db), mat_twin(&db)};
    LinearDw a = {.dy = dy.v, .x = x.v, .dw = dw.v, .db = db.v.p, .hi = n, .add = true};
    run_threads(1, EACH_COLS, &b, dw_large, &a);
    for (int i = 0; i < 2; i++) {
        a.dw = other[i].v;
        a.db = bias[i].v.p;
        run_threads(3 + 2 * i, EACH_COLS, &b, dw_large, &a);
        expect_same(&dw, &other[i]);
        expect_same(&db, &bias[i]);
    }
    end();
}

void ops_gradients(void)
{
    static const int64_t dx[][3] = {{0, 3, 5},   {1, 1, 1},    {7, 5, 83},   {9, 33, 64},
                                    {9, 33, 83}, {70, 5, 130}, {33, 260, 64}};
    static const int64_t dw[][3] = {{0, 3, 5},     {0, 40, 24},   {1, 1, 1},     {7, 5, 83},
                                    {512, 9, 64},  {1100, 6, 20}, {40, 70, 130}, {64, 16, 16},
                                    {600, 70, 36}, {1100, 17, 40}};
    for (int more = ALONE; more <= BESIDE; more++)
        for (int64_t pad = 0; pad < 6; pad += 5)
            for (size_t i = 0; i < sizeof dx / sizeof *dx; i++)
                linear_dx(dx[i][0], dx[i][1], dx[i][2], pad, more);
    for (int bits = 0; bits < 8; bits++)
        for (int64_t pad = 0; pad < 6; pad += 5)
            for (size_t i = 0; i < sizeof dw / sizeof *dw; i++)
                for (KType type = 0; type < K_TYPES; type++)
                    if (type == K_F32 || computed(type) != K_F32)
                        linear_dw((Dw){.rows = dw[i][0],
                                       .n = dw[i][1],
                                       .k = dw[i][2],
                                       .pad = pad,
                                       .type = type,
                                       .add = bits & 1,
                                       .bias = bits & 2,
                                       .panel = bits & 4});
    panels(700, 300, 96, K_F32);
    panels(130, 200, 64, K_BF16);
}
