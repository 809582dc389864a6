#include "tests/ops/ops.h"

STAGE(norm)

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
