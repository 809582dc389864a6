#include "tests/ops/ops.h"

STAGE(norm)
STAGE(norm_bwd)

typedef struct Case {
    int64_t rows, cols, pad;
    KType in, out;
    bool rms, residual, sum, second, beta, in_place;
} Case;

static View some(View v, const Piece *p)
{
    return v.p ? view_rows(v, p->lo, p->hi) : v;
}

static void norm_rows(Piece *p, void *args)
{
    Norm a = *(Norm *)args;
    a.x = some(a.x, p);
    a.r = some(a.r, p);
    a.sum = some(a.sum, p);
    a.y = some(a.y, p);
    a.y2 = some(a.y2, p);
    a.stats = a.stats ? a.stats + 2 * p->lo : NULL;
    p->dev->norm(p, &a);
}

/* norm.h: 1e-5 of the result; the sum is one rounding. Also in parts: the same bits. */
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
    Mat stats = mat_out(K_F32, c.rows, 2, 0), cut_stats = mat_twin(&stats), cut = {0};
    double *want = wants(c.rows * c.cols), *s = wants(c.rows * c.cols);
    double *want_stats = wants(2 * c.rows);
    if (!c.in_place)
        cut = mat_twin(&y);
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
        want_stats[2 * i] = mean;
        want_stats[2 * i + 1] = 1 / sqrt(square + 1e-5);
        for (int64_t j = 0; j < c.cols; j++)
            want[i * c.cols + j] = (row[j] - mean) / sqrt(square + 1e-5) * mat_at(&gamma, 0, j) +
                                   (c.beta ? mat_at(&beta, 0, j) : 0);
    }
    Norm a = {.x = x.v,
              .r = r.v,
              .sum = sum.v,
              .y = y.v,
              .y2 = y2.v,
              .gamma = gamma.v.p,
              .beta = c.beta ? beta.v.p : NULL,
              .eps = 1e-5f,
              .rms = c.rms,
              .stats = stats.v.p};
    run(stage_norm, &a);
    expect(&y, want, NULL, (Bound){1e-12, 1e-5, 0});
    expect(&stats, want_stats, NULL, (Bound){1e-12, 1e-6, 0});
    if (c.second)
        expect(&y2, want, NULL, (Bound){1e-12, 1e-5, 0});
    if (c.sum)
        expect(&sum, s, NULL, (Bound){1e-14, 2e-7, 0});
    if (!c.in_place) {
        a.y = cut.v;
        a.stats = cut_stats.v.p;
        run_parts(c.rows, 3, norm_rows, &a);
        expect_same(&y, &cut);
        expect_same(&stats, &cut_stats);
    }
    end();
}

static void norm_bwd_rows(Piece *p, void *args)
{
    NormBwd a = *(NormBwd *)args;
    a.dy = some(a.dy, p);
    a.s = some(a.s, p);
    a.r = some(a.r, p);
    a.dx = some(a.dx, p);
    a.dx2 = some(a.dx2, p);
    a.stats += 2 * p->lo;
    p->dev->norm_bwd(p, &a);
}

enum { APART, OVER_DY, OVER_R }; /* where dx goes */

static void norm_bwd_want(const Mat *dy, const Mat *s, const Mat *r, const Mat *stats,
                          const Mat *gamma, bool rms, double *want)
{
    int64_t cols = dy->v.cols;
    for (int64_t i = 0; i < dy->v.rows; i++) {
        double mean = mat_at(stats, i, 0), scale = mat_at(stats, i, 1), plain = 0, along = 0;
        for (int64_t j = 0; j < cols; j++) {
            double g = mat_at(dy, i, j) * mat_at(gamma, 0, j);
            plain += g / (double)cols;
            along += g * (mat_at(s, i, j) - mean) * scale / (double)cols;
        }
        for (int64_t j = 0; j < cols; j++) {
            double g = mat_at(dy, i, j) * mat_at(gamma, 0, j);
            double n = (mat_at(s, i, j) - mean) * scale;
            want[i * cols + j] = scale * (g - (rms ? 0 : plain) - n * along);
            if (r->v.p)
                want[i * cols + j] += mat_at(r, i, j);
        }
    }
}

/* norm.h: 1e-5. Also in parts and by threads: the same bits. */
static void norm_bwd(int64_t rows, int64_t cols, int64_t pad, bool rms, bool residual, bool second,
                     int over)
{
    begin("norm_bwd", "[%lld, %lld]%s%s%s, over %d, pad %lld", (long long)rows, (long long)cols,
          rms ? " rms" : "", residual ? " residual" : "", second ? " dx2" : "", over,
          (long long)pad);
    Mat dy = over == OVER_DY ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    Mat s = mat_in(K_F32, rows, cols, pad), stats = mat_in(K_F32, rows, 2, 0), r = {0}, dx2 = {0};
    Mat gamma = mat_in(K_F32, 1, cols, 0);
    double *want = wants(rows * cols), *known = wants(2 * rows);
    if (residual)
        r = over == OVER_R ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    for (int64_t i = 0; i < rows; i++) { /* of one column: a scale like that of no variance */
        known[2 * i] = rms ? 0 : mat_at(&stats, i, 0);
        known[2 * i + 1] = fmin(3, fabs(mat_at(&stats, i, 1)) + 0.1);
    }
    mat_fill(&stats, known);
    norm_bwd_want(&dy, &s, &r, &stats, &gamma, rms, want);
    Mat dx = over == OVER_DY ? dy : over == OVER_R ? r : mat_out(K_F32, rows, cols, pad);
    if (second)
        dx2 = mat_out(half(), rows, cols, pad);
    Mat cut = mat_twin(&dx), threads = mat_twin(&dx);
    NormBwd a = {.dy = dy.v,
                 .s = s.v,
                 .r = r.v,
                 .dx = dx.v,
                 .dx2 = dx2.v,
                 .stats = stats.v.p,
                 .gamma = gamma.v.p,
                 .rms = rms};
    run(stage_norm_bwd, &a);
    expect(&dx, want, NULL, (Bound){1e-12, 1e-5, 0});
    if (second)
        expect(&dx2, want, NULL, (Bound){1e-12, 1e-5, 0});
    for (int n = 0; n < 2; n++) {
        NormBwd again = a;
        again.dx = n ? threads.v : cut.v;
        again.dy = over == OVER_DY ? again.dx : a.dy;
        again.r = over == OVER_R ? again.dx : a.r;
        if (n)
            run_threads(3, EACH_ROWS, &(Batch){.tokens = rows}, norm_bwd_rows, &again);
        else
            run_parts(rows, 3, norm_bwd_rows, &again);
    }
    expect_same(&dx, &cut);
    expect_same(&dx, &threads);
    end();
}

void ops_norm(void)
{
    static const int64_t shape[][2] = {{0, 64},  {1, 1},   {1, 384},  {512, 36}, {17, 83},
                                       {40, 33}, {9, 768}, {5, 1030}, {3, 1028}, {260, 388}};
    for (int s = 0; s < 10; s++)
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
    for (int i = 0; i < 8; i++)
        for (int bits = 0; bits < 8; bits++) {
            const int64_t *n = shape[i];
            int64_t pad = bits % 3 ? 4 * (bits % 3) : any(1, 9);
            norm_bwd(n[0], n[1], i % 2 ? 0 : pad, bits & 1, bits & 2, bits & 4, APART);
            norm_bwd(n[0], n[1], i % 2 ? pad : 0, bits & 1, bits & 2, bits & 4,
                     bits & 2 ? OVER_R : OVER_DY);
        }
}
