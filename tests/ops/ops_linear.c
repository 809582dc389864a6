#include "tests/ops/ops.h"

STAGE(linear)

typedef struct Case {
    int64_t rows, n, k, pad;
    KType type, out; /* of the weight; of y, r and pre */
    bool packed, by_input, bias, residual, in_place, pre, panel;
    int parts;
    Act act;
} Case;

typedef struct Matrix {
    float *w, *b; /* [n, k], [n] */
} Matrix;

static Matrix matrix(const Case *c)
{
    Matrix m = {mem_array((size_t)(c->n * c->k), sizeof(float)),
                mem_array((size_t)c->n, sizeof(float))};
    for (int64_t i = 0; i < c->n * c->k; i++)
        m.w[i] = (float)(rand_normal(&rng) / sqrt((double)c->k));
    for (int64_t i = 0; i < c->n; i++)
        m.b[i] = (float)rand_normal(&rng);
    return m;
}

/* In parts of which each begins where the last ended; the second's bias is missing, if there
 * are three. */
static Weight *pack(const Case *c, Matrix m)
{
    View part[3];
    const float *bias[3];
    float *turned = mem_array((size_t)(c->n * c->k), sizeof *turned);
    int64_t at = 0;
    for (int64_t i = 0; i < c->n * c->k; i++)
        turned[i % c->k * c->n + i / c->k] = m.w[i];
    for (int i = 0; i < c->parts; i++) {
        int64_t to = c->n * (i + 1) / c->parts;
        part[i] = c->by_input ? view_cols(view_of(turned, K_F32, c->k, c->n), at, to)
                              : view_rows(view_of(m.w, K_F32, c->n, c->k), at, to);
        bias[i] = i == 1 && c->parts == 3 ? NULL : m.b + at;
        if (!bias[i])
            memset(m.b + at, 0, (size_t)(to - at) * sizeof *m.b);
        at = to;
    }
    Weight *w = dev->pack(dev, part, c->bias ? bias : NULL, c->parts, c->by_input, c->type);
    free(turned);
    if (!w)
        fail("pack gives nothing");
    return w;
}

/* The matrix as a view of more columns, as a part of a larger one would be. */
static Weight *refer(const Case *c, Matrix m)
{
    Mat w = mat_in(K_F32, c->n, c->k, c->pad);
    for (int64_t i = 0; i < c->n * c->k; i++)
        memcpy(w.host + w.at + (size_t)(i / c->k * w.v.stride + i % c->k) * 4, m.w + i, 4);
    mat_scale(&w, 1);
    return dev->refer(dev, w.v, c->bias ? DEV_COPY(m.b, c->n) : NULL);
}

static void product(const Case *c, Matrix m, const Mat *x, int64_t col0, int64_t cols, double *z)
{
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const float *w = m.w + (col0 + j) * c->k;
            double sum = c->bias ? (double)m.b[col0 + j] : 0;
            for (int64_t a = 0; a < c->k; a++)
                sum += mat_at(x, i, a) * rounded(c->type, (double)w[a]);
            z[i * cols + j] = sum;
        }
}

static void linear(Case c)
{
    begin("linear", "[%lld, %lld] by [%lld] %s to %s%s, act %d, pad %lld%s%s%s%s, %d parts",
          (long long)c.rows, (long long)c.k, (long long)c.n, type_name(c.type), type_name(c.out),
          c.packed ? " packed" : "", c.act, (long long)c.pad, c.bias ? " bias" : "",
          c.residual ? " residual" : "", c.in_place ? " in place" : "", c.pre ? " pre" : "",
          c.parts);
    int64_t col0 = c.panel ? c.n / 3 : 0, cols = c.panel ? c.n - col0 - c.n / 4 : c.n;
    Matrix m = matrix(&c);
    Weight *w = c.packed ? pack(&c, m) : refer(&c, m);
    KType in = c.type == K_F16 ? dev->f16 : c.type == K_BF16 ? dev->bf16 : K_F32;
    Mat x = mat_in(in, c.rows, c.k, c.pad), r = {0}, pre = {0};
    Mat y =
        c.in_place ? mat_inout(c.out, c.rows, cols, c.pad) : mat_out(c.out, c.rows, cols, c.pad);
    if (c.residual)
        r = c.in_place ? y : mat_in(c.out, c.rows, cols, c.pad);
    if (c.pre)
        pre = mat_out(c.out, c.rows, cols, c.pad);
    double *z = wants(c.rows * cols), *want = wants(c.rows * cols);
    double *scale = wants(c.rows * cols);
    product(&c, m, &x, col0, cols, z);
    for (int64_t i = 0; i < c.rows * cols; i++) {
        double more = c.residual ? mat_at(&r, i / cols, i % cols) : 0;
        double bias = c.bias ? (double)m.b[col0 + i % cols] : 0;
        want[i] = activation(z[i], c.act) + more;
        scale[i] = fmax(1, 1.2 * fmax(fabs(z[i]), fabs(bias)) + fabs(more)); /* slopes are < 1.2 */
    }
    if (w)
        run(stage_linear, &(Linear){.x = x.v,
                                    .w = w,
                                    .col0 = col0,
                                    .cols = c.panel ? cols : 0,
                                    .act = c.act,
                                    .r = r.v,
                                    .y = y.v,
                                    .pre = pre.v});
    Bound b = {in == K_F32 ? 1e-12 : 1e-11, 1e-5, 0}; /* linear.h: tensor cores cut digits off */
    if (c.pre)
        expect(&pre, z, NULL, b);
    b.roundings = 1 + (c.act != ACT_NONE) + c.residual + c.bias; /* linear.h: each may be */
    expect(&y, want, scale, b);
    dev->unpack(dev, w);
    free(m.w);
    free(m.b);
    end();
}

static const int64_t shape[][3] = {
    {0, 8, 16},    {1, 1, 1},   {1, 5, 7},    {1, 384, 384},  {3, 33, 83},   {64, 64, 64},
    {65, 100, 36}, {130, 3, 5}, {200, 96, 1}, {300, 48, 128}, {512, 36, 64}, {7, 130, 1100},
};
enum { SHAPES = sizeof shape / sizeof *shape };
_Static_assert((int)SHAPES >= (int)ACT_COUNT, "each activation has a shape");

void ops_linear(void)
{
    for (int s = 0; s < SHAPES; s++)
        for (int packed = 0; packed < 2; packed++)
            for (KType type = K_F32; type < (packed ? K_TYPES : K_BF16); type++) {
                Case c = {.rows = shape[s][0],
                          .n = shape[s][1],
                          .k = shape[s][2],
                          .packed = packed,
                          .type = type,
                          .parts = 1};
                linear(c);
                c.bias = true;
                c.parts = c.packed && c.n >= 3 ? 3 : 1;
                c.act = s % 2 ? ACT_GELU : ACT_GELU_TANH;
                c.by_input = s % 3 == 0;
                c.out = type == K_F16 ? dev->f16 : type;
                linear(c);
                c.residual = true;
                c.pad = 2 * (s % 3) + 3;
                c.by_input = !c.by_input;
                linear(c);
                c.in_place = true;
                c.act = (Act)(s % ACT_COUNT);
                c.out = s % 2 ? half() : K_F32;
                linear(c);
                c.in_place = false;
                c.pre = c.out == K_F32; /* a rounded one would be what is activated */
                c.panel = !packed && c.n >= 12;
                linear(c);
                c.residual = false;
                c.pad = 0;
                linear(c);
            }
}
