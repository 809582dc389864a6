/* Products of weights for few rows: against double precision, and the same bits however they are
 * cut. */
#include "tests/ops/ops.h"

#include <stdio.h>

STAGE(linear)

typedef struct Case {
    int64_t rows, n, k, pad;
    ThinForm form;
    bool by_input, bias, residual, in_place, panel;
    int parts;
    Act act;
} Case;

static const char *const form_name[THIN_FORMS] = {"f32", "bf16", "i8"};

/* The matrix and the bias as they are given, and as they are kept: numbers, or integers and a
 * scale an output. */
typedef struct Matrix {
    float *given, *bias; /* [n, k], or [k, n] by input; [n] */
    double *kept, *scale;
} Matrix;

static double given(const Case *c, const Matrix *m, int64_t j, int64_t a)
{
    return (double)(c->by_input ? m->given[a * c->n + j] : m->given[j * c->k + a]);
}

/* linear.h: to integers of up to 127 in size, each step in f32; the scale is the answer. */
static double to_bytes(const double *from, int64_t n, double *q)
{
    float max = 0;
    for (int64_t i = 0; i < n; i++)
        max = fmaxf(max, (float)fabs(from[i]));
    float up = max < 0x1p-100f ? 0 : 127 / max, down = max < 0x1p-100f ? 0 : max / 127;
    for (int64_t i = 0; i < n; i++)
        q[i] = nearbyint((double)((float)from[i] * up));
    return (double)down;
}

static Matrix matrix(const Case *c)
{
    Matrix m = {mem_array((size_t)(c->n * c->k), sizeof(float)),
                mem_zero((size_t)c->n, sizeof(float)), wants(c->n * c->k), wants(c->n)};
    for (int64_t i = 0; i < c->n * c->k; i++)
        m.given[i] = (float)(rand_normal(&rng) / sqrt((double)c->k));
    for (int64_t j = 0; j < c->n; j++) {
        double *row = m.kept + j * c->k;
        for (int64_t a = 0; a < c->k; a++)
            row[a] =
                c->form == THIN_BF16 ? rounded(K_BF16, given(c, &m, j, a)) : given(c, &m, j, a);
        m.scale[j] = c->form == THIN_I8 ? to_bytes(row, c->k, row) : 1;
        m.bias[j] = c->bias ? (float)rand_normal(&rng) : 0;
    }
    return m;
}

/* In parts; the second's bias is missing. */
static Weight *pack(const Case *c, Matrix *m)
{
    View part[3],
        all = view_of(m->given, K_F32, c->by_input ? c->k : c->n, c->by_input ? c->n : c->k);
    const float *bias[3];
    int64_t at = 0;
    for (int i = 0; i < c->parts; i++) {
        int64_t to = c->n * (i + 1) / c->parts;
        part[i] = c->by_input ? view_cols(all, at, to) : view_rows(all, at, to);
        bias[i] = i == 1 ? NULL : m->bias + at;
        if (i == 1)
            memset(m->bias + at, 0, (size_t)(to - at) * sizeof *m->bias);
        at = to;
    }
    Weight *w = dev->pack_thin(dev, part, c->bias ? bias : NULL, c->parts, c->by_input, c->form);
    if (!w)
        fail("pack_thin gives nothing");
    return w;
}

/* z = x W' + b with what is kept. */
static void product(const Case *c, const Matrix *m, const Mat *x, int64_t col0, int64_t cols,
                    double *z)
{
    double *row = wants(c->k);
    for (int64_t i = 0; i < c->rows; i++) {
        for (int64_t a = 0; a < c->k; a++)
            row[a] = mat_at(x, i, a);
        double scale = c->form == THIN_I8 ? to_bytes(row, c->k, row) : 1;
        for (int64_t j = 0; j < cols; j++) {
            const double *w = m->kept + (col0 + j) * c->k;
            double sum = 0;
            for (int64_t a = 0; a < c->k; a++)
                sum += row[a] * w[a];
            z[i * cols + j] = scale * m->scale[col0 + j] * sum + (double)m->bias[col0 + j];
        }
    }
}

static void linear_rows(Piece *p, void *args)
{
    Linear a = *(Linear *)args;
    a.x = view_rows(a.x, p->lo, p->hi);
    a.y = view_rows(a.y, p->lo, p->hi);
    a.r = a.r.p ? view_rows(a.r, p->lo, p->hi) : a.r;
    p->dev->linear(p, &a);
}

/* [lo, hi) of the panels. */
static void linear_panels(Piece *p, void *args)
{
    Linear a = *(Linear *)args;
    int64_t lo = p->lo * THIN_COLS, hi = p->hi * THIN_COLS < a.cols ? p->hi * THIN_COLS : a.cols;
    a.y = view_cols(a.y, lo, hi);
    a.r = a.r.p ? view_cols(a.r, lo, hi) : a.r;
    a.col0 += lo;
    a.cols = hi - lo;
    p->dev->linear(p, &a);
}

static Linear onto(Linear a, const Mat *y, const Case *c)
{
    a.r = c->in_place ? y->v : a.r;
    a.y = y->v;
    return a;
}

/* Rows and columns in pieces, by other threads: always the same bits. */
static void thin(Case c)
{
    begin("linear", "thin %s [%lld, %lld] by [%lld], act %d, pad %lld%s%s%s%s%s, %d parts",
          form_name[c.form], (long long)c.rows, (long long)c.k, (long long)c.n, c.act,
          (long long)c.pad, c.by_input ? " by input" : "", c.bias ? " bias" : "",
          c.residual ? " residual" : "", c.in_place ? " in place" : "", c.panel ? " panel" : "",
          c.parts);
    int64_t col0 = c.panel ? c.n / THIN_COLS / 2 * THIN_COLS : 0, cols = c.n - col0;
    if (c.panel && cols > 2 * THIN_COLS)
        cols = THIN_COLS;
    Matrix m = matrix(&c);
    Weight *w = pack(&c, &m);
    Mat x = mat_in(K_F32, c.rows, c.k, c.pad), r = {0};
    Mat y =
        c.in_place ? mat_inout(K_F32, c.rows, cols, c.pad) : mat_out(K_F32, c.rows, cols, c.pad);
    Mat rows = mat_twin(&y), panels = mat_twin(&y), threads = mat_twin(&y);
    if (c.residual)
        r = c.in_place ? y : mat_in(K_F32, c.rows, cols, c.pad);
    double *z = wants(c.rows * cols), *want = wants(c.rows * cols);
    double *scale = wants(c.rows * cols);
    product(&c, &m, &x, col0, cols, z);
    for (int64_t i = 0; i < c.rows * cols; i++) {
        double more = c.residual ? mat_at(&r, i / cols, i % cols) : 0;
        double bias = (double)m.bias[col0 + i % cols];
        want[i] = activation(z[i], c.act) + more;
        scale[i] = fmax(1, 1.2 * fmax(fabs(z[i]), fabs(bias)) + fabs(more)); /* slopes are < 1.2 */
    }
    if (w) {
        int64_t all = (cols + THIN_COLS - 1) / THIN_COLS;
        Linear a = {.x = x.v, .w = w, .col0 = col0, .cols = cols, .act = c.act, .r = r.v};
        Linear whole = onto(a, &y, &c);
        if (col0 == 0 && cols == c.n)
            whole.cols = 0;
        run(stage_linear, &whole);
        expect(&y, want, scale, (Bound){1e-12, 1e-5, 0});
        a = onto(a, &rows, &c);
        run_parts(c.rows, 1 + c.n % 7, linear_rows, &a);
        expect_same(&y, &rows);
        a = onto(a, &panels, &c);
        run_parts(all, 2, linear_panels, &a);
        expect_same(&y, &panels);
        a = onto(a, &threads, &c);
        run_threads(3, EACH_COLS, &(Batch){.cols = all}, linear_panels, &a);
        expect_same(&y, &threads);
    }
    dev->unpack(dev, w);
    free(m.given);
    free(m.bias);
    end();
}

/* What THIN_I8 costs: linear.h says so much of normal numbers. */
static void bytes_cost(int64_t k)
{
    enum { ROWS = 5, N = 70 };
    Case c = {.rows = ROWS, .n = N, .k = k, .form = THIN_F32, .parts = 1};
    begin("linear", "thin i8 of [%d, %lld] by [%d], against the numbers given", ROWS, (long long)k,
          N);
    Matrix m = matrix(&c);
    Mat x = mat_in(K_F32, ROWS, k, 0), y = mat_out(K_F32, ROWS, N, 0);
    double *want = wants(ROWS * N);
    product(&c, &m, &x, 0, N, want);
    c.form = THIN_I8;
    Weight *w = pack(&c, &m);
    must(w ? 0 : -1, "pack_thin gives nothing");
    run(stage_linear, &(Linear){.x = x.v, .w = w, .y = y.v});
    expect(&y, want, NULL, (Bound){4e-4, 0.2, 0});
    dev->unpack(dev, w);
    free(m.given);
    free(m.bias);
    end();
}

/* Rows and outputs that no scale fits. */
static void odd_numbers(void)
{
    enum { ROWS = 4, N = 40, K = 20 };
    Case c = {.rows = ROWS, .n = N, .k = K, .form = THIN_I8, .bias = true, .parts = 1};
    begin("linear", "thin i8, zeros, numbers close to it, infinite ones and NaN");
    Matrix m = matrix(&c);
    m.given[3 * K + 2] = INFINITY;
    for (int a = 0; a < K; a++)
        m.given[a] = 1e-38f;
    Mat x = mat_in(K_F32, ROWS, K, 0), y = mat_out(K_F32, ROWS, N, 0);
    for (int a = 0; a < K; a++)
        mat_set(&x, 1, a, a % 2 ? 1e-40 : 0);
    mat_set(&x, 2, 7, NAN);
    Weight *w = pack(&c, &m);
    must(w ? 0 : -1, "pack_thin gives nothing");
    run(stage_linear, &(Linear){.x = x.v, .w = w, .y = y.v});
    float got[ROWS * N];
    fetch(y.v.p, got, sizeof got);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < N; j++) {
            bool nan = i == 2 || j == 3, only_bias = i == 1 || j == 0;
            if (nan != (bool)isnan(got[i * N + j]))
                fail("[%d, %d] is %g", i, j, (double)got[i * N + j]);
            else if (!nan && only_bias != (got[i * N + j] == m.bias[j]))
                fail("[%d, %d] is %g, the bias %g", i, j, (double)got[i * N + j],
                     (double)m.bias[j]);
        }
    dev->unpack(dev, w);
    free(m.given);
    free(m.bias);
    end();
}

static const int64_t shape[][3] = {
    {0, 40, 16},   {1, 1, 1},  {1, 32, 64},   {1, 100, 770}, {2, 33, 83},    {3, 96, 257},
    {8, 130, 301}, {33, 7, 5}, {33, 65, 100}, {200, 34, 3},  {200, 33, 144}, {11, 31, 1100},
};
enum { SHAPES = sizeof shape / sizeof *shape };

void ops_thin(void)
{
    for (int s = 0; s < SHAPES; s++)
        for (ThinForm form = 0; form < THIN_FORMS; form++) {
            Case c = {
                .rows = shape[s][0], .n = shape[s][1], .k = shape[s][2], .form = form, .parts = 1};
            if (on_cpu())
                thin(c);
            c.bias = true;
            c.parts = c.n >= 3 ? 1 + s % 3 : 1;
            c.by_input = s % 2;
            c.pad = 2 * (s % 3) + 3;
            thin(c);
            c.act = (Act)(s % ACT_COUNT);
            c.residual = true;
            c.by_input = !c.by_input;
            thin(c);
            c.in_place = c.panel = true;
            c.parts = c.n >= 3 ? 3 : 1;
            thin(c);
        }
    for (int i = 0; i < (on_cpu() ? 60 : 12); i++) { /* the stand-in for CUDA takes its time */
        Case c = {.rows = any(1, 20),
                  .n = any(1, on_cpu() ? 150 : 50),
                  .k = any(1, 400),
                  .pad = any(0, 5),
                  .form = (ThinForm)any(0, THIN_FORMS - 1),
                  .by_input = any(0, 1),
                  .bias = any(0, 1),
                  .residual = any(0, 1),
                  .panel = any(0, 1),
                  .act = (Act)any(0, ACT_COUNT - 1),
                  .parts = 1};
        c.parts = c.n >= 3 ? (int)any(1, 3) : 1;
        thin(c);
    }
    for (int64_t k = 64; k <= 1024; k *= 4)
        bytes_cost(k);
    odd_numbers();
}
