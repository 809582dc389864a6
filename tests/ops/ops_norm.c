#include "tests/ops/ops.h"

STAGE(norm)
STAGE(act)
STAGE(act_bwd)
STAGE(mix)

typedef struct Case {
    int64_t rows, cols, pad;
    KType in, out;
    bool rms, residual, sum, second, beta, in_place;
} Case;

/* norm.h: 1e-5 of the result; the sum is one rounding. */
static void norm(Case c)
{
    begin("norm", "[%lld, %lld] %s to %s%s%s%s%s%s%s, pad %lld", (long long)c.rows,
          (long long)c.cols, type_name(c.in), type_name(c.out), c.rms ? " rms" : "",
          c.residual ? " residual" : "", c.sum ? " sum" : "", c.second ? " y2" : "",
          c.beta ? " beta" : "", c.in_place ? " in place" : "", (long long)c.pad);
    Mat x =
        c.in_place ? mat_inout(c.in, c.rows, c.cols, c.pad) : mat_in(c.in, c.rows, c.cols, c.pad);
    Mat r = {0}, sum = {0}, y2 = {0}, y = c.in_place ? x : mat_out(c.out, c.rows, c.cols, c.pad);
    Mat gamma = mat_in(K_F32, 1, c.cols, 0), beta = mat_in(K_F32, 1, c.cols, 0);
    double *want = wants(c.rows * c.cols), *s = wants(c.rows * c.cols);
    if (c.residual)
        r = mat_in(c.out, c.rows, c.cols, c.pad);
    if (c.sum)
        sum = mat_out(K_F32, c.rows, c.cols, c.pad);
    if (c.second)
        y2 = mat_out(c.out == K_F32 ? half() : K_F32, c.rows, c.cols, c.pad);
    for (int64_t i = 0; i < c.rows; i++) {
        double mean = 0, square = 0, *row = s + i * c.cols;
        for (int64_t j = 0; j < c.cols; j++) {
            row[j] = mat_at(&x, i, j) + (c.residual ? mat_at(&r, i, j) : 0);
            mean += c.rms ? 0 : row[j] / (double)c.cols;
        }
        for (int64_t j = 0; j < c.cols; j++)
            square += (row[j] - mean) * (row[j] - mean) / (double)c.cols;
        for (int64_t j = 0; j < c.cols; j++)
            want[i * c.cols + j] = (row[j] - mean) / sqrt(square + 1e-5) * mat_at(&gamma, 0, j) +
                                   (c.beta ? mat_at(&beta, 0, j) : 0);
    }
    run(stage_norm, &(Norm){.x = x.v,
                            .r = r.v,
                            .sum = sum.v,
                            .y = y.v,
                            .y2 = y2.v,
                            .gamma = gamma.v.p,
                            .beta = c.beta ? beta.v.p : NULL,
                            .eps = 1e-5f,
                            .rms = c.rms});
    expect(&y, want, NULL, (Bound){1e-12, 1e-5, 0});
    if (c.second)
        expect(&y2, want, NULL, (Bound){1e-12, 1e-5, 0});
    if (c.sum)
        expect(&sum, s, NULL, (Bound){1e-14, 2e-7, 0});
    end();
}

void ops_norm(void)
{
    static const int64_t shape[][2] = {{0, 64},  {1, 1},   {1, 384}, {512, 36},
                                       {17, 83}, {40, 33}, {9, 768}, {5, 1030}};
    for (int s = 0; s < 8; s++)
        for (int bits = 0; bits < 8; bits++) {
            Case c = {.rows = shape[s][0],
                      .cols = shape[s][1],
                      .rms = bits & 1,
                      .in = bits & 2 ? half() : K_F32,
                      .out = bits & 4 ? half() : K_F32};
            norm(c);
            c.residual = c.beta = true;
            c.pad = any(1, 9);
            norm(c);
            c.sum = c.second = true;
            norm(c);
            c.pad = 0;
            c.in_place = c.in == c.out;
            norm(c);
        }
}

/* act.h: within 1e-6 max(1, |x|). */
static void act(int64_t rows, int64_t cols, int64_t pad, KType in, KType out, Act f, bool gated)
{
    begin("act", "%d of [%lld, %lld] %s to %s, pad %lld%s", f, (long long)rows, (long long)cols,
          type_name(in), type_name(out), (long long)pad, gated ? ", gated" : "");
    bool in_place = in == out && cols % 2;
    Mat x = in_place ? mat_inout(in, rows, cols, pad) : mat_in(in, rows, cols, pad);
    Mat y = in_place ? x : mat_out(out, rows, cols, pad);
    Mat gate = mat_in(in, gated ? rows : 0, cols, pad);
    double *want = wants(rows * cols), *scale = wants(rows * cols);
    mat_scale(&x, 4);
    if (rows > 2 && cols > 2) { /* far out, and near 0 */
        mat_set(&x, 0, 0, 90);
        mat_set(&x, 0, 1, -90);
        mat_set(&x, 1, 0, 1e-4);
        mat_set(&x, 1, 1, -1e-30);
    }
    for (int64_t i = 0; i < rows * cols; i++) {
        double a = mat_at(&x, i / cols, i % cols);
        double g = gated ? mat_at(&gate, i / cols, i % cols) : 1;
        want[i] = activation(a, f) * g;
        scale[i] = fmax(1, fabs(a)) * fmax(1, fabs(g));
    }
    run(stage_act, &(Activate){.x = x.v, .y = y.v, .gate = gated ? gate.v : (View){0}, .act = f});
    expect(&y, want, scale, (Bound){1e-12, 1e-6, 0});
    end();
}

/* act.h: within 3e-6 max(1, |dy|). */
static void act_bwd(int64_t rows, int64_t cols, int64_t pad, Act f, bool in_place)
{
    begin("act_bwd", "%d of [%lld, %lld], pad %lld", f, (long long)rows, (long long)cols,
          (long long)pad);
    const double h = 1e-5;
    Mat x = mat_in(K_F32, rows, cols, pad);
    Mat dy = in_place ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    Mat dx = in_place ? dy : mat_out(K_F32, rows, cols, pad);
    double *want = wants(rows * cols), *scale = wants(rows * cols);
    mat_scale(&x, 3);
    for (int64_t i = 0; i < rows * cols; i++) {
        double a = mat_at(&x, i / cols, i % cols), d = mat_at(&dy, i / cols, i % cols);
        want[i] = (activation(a + h, f) - activation(a - h, f)) / (2 * h) * d;
        if (f == ACT_RELU)
            want[i] = a > 0 ? d : 0;
        scale[i] = fmax(1, fabs(d));
    }
    run(stage_act_bwd, &(ActivateBwd){.x = x.v, .dy = dy.v, .dx = dx.v, .act = f});
    expect(&dx, want, scale, (Bound){1e-11, 3e-6, 0});
    end();
}

void ops_act(void)
{
    static const int64_t shape[][3] = {{0, 7, 0}, {1, 1, 0}, {3, 101, 0}, {20, 64, 3}, {512, 5, 7}};
    for (Act f = 0; f < ACT_COUNT; f++)
        for (int s = 0; s < 5; s++) {
            const int64_t *n = shape[s];
            for (int types = 0; types < 8; types++)
                act(n[0], n[1], n[2], types & 1 ? half() : K_F32, types & 2 ? half() : K_F32, f,
                    types & 4);
            act_bwd(n[0], n[1], n[2], f, false);
            act_bwd(n[0], n[1], n[2], f, true);
        }
}

/* mix.h: which elements are kept, from the generator itself. */
static bool dropped(const Mix *a, uint64_t row, int64_t col)
{
    uint32_t c[4] = {(uint32_t)(col / 64 * 16 + col % 16), a->site, (uint32_t)row,
                     (uint32_t)(row >> 32)};
    uint32_t key[2] = {(uint32_t)a->seed, (uint32_t)(a->seed >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xd2511f53 * c[0], q = (uint64_t)0xcd9e8d57 * c[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ key[0], (uint32_t)q,
                            (uint32_t)(p >> 32) ^ c[3] ^ key[1], (uint32_t)p};
        memcpy(c, next, sizeof c);
        key[0] += 0x9e3779b9;
        key[1] += 0xbb67ae85;
    }
    return c[col / 16 % 4] < (uint32_t)((double)a->drop * 4294967296.0);
}

static void mix(int64_t rows, int64_t cols, int64_t pad, int types, float drop, bool residual)
{
    KType tx = types & 1 ? half() : K_F32, tr = types & 2 ? half() : K_F32;
    KType ty = types & 4 ? half() : K_F32;
    begin("mix", "[%lld, %lld], %s to %s, drop %g%s%s, pad %lld", (long long)rows, (long long)cols,
          type_name(tx), type_name(ty), (double)drop, residual ? " and " : "",
          residual ? type_name(tr) : "", (long long)pad);
    bool in_place = tx == ty && cols % 3 == 0, numbered = cols % 2;
    Mat x = in_place ? mat_inout(tx, rows, cols, pad) : mat_in(tx, rows, cols, pad), r = {0};
    Mat y = in_place ? x : mat_out(ty, rows, cols, pad);
    double *want = wants(rows * cols);
    int64_t *number = mem_array((size_t)rows, sizeof *number);
    if (residual)
        r = mat_in(tr, rows, cols, pad);
    Mix a = {.x = x.v,
             .y = y.v,
             .r = r.v,
             .a = 1.5f,
             .b = -0.5f,
             .drop = drop,
             .seed = rand_u64(&rng),
             .site = (uint32_t)any(0, 99),
             .row0 = 5000000000};
    for (int64_t i = 0; i < rows; i++) {
        number[i] = numbered ? any(0, (int64_t)1 << 40) : (int64_t)a.row0 + i;
        for (int64_t j = 0; j < cols; j++) {
            double v = mat_at(&x, i, j) / (1 - (double)drop);
            if (drop > 0 && dropped(&a, (uint64_t)number[i], j))
                v = 0;
            want[i * cols + j] = 1.5 * v - (residual ? 0.5 * mat_at(&r, i, j) : 0);
        }
    }
    if (numbered)
        a.rows = DEV_COPY(number, rows);
    run(stage_mix, &a);
    expect(&y, want, NULL, (Bound){1e-13, 1e-6, 0});
    free(number);
    end();
}

void ops_mix(void)
{
    static const int64_t shape[][3] = {{0, 8, 0},   {1, 1, 0},  {512, 6, 5},
                                       {3, 100, 0}, {9, 83, 1}, {40, 384, 0}};
    for (int s = 0; s < 6; s++)
        for (int types = 0; types < 8; types++)
            for (int residual = 0; residual < 2; residual++) {
                const int64_t *n = shape[s];
                mix(n[0], n[1], n[2], types, 0, residual);
                mix(n[0], n[1], n[2], types, 0.25f, residual);
            }
}
