#include "tests/ops/ops.h"

STAGE(linear_dx)
STAGE(linear_dw)

#define PRODUCT ((Bound){1e-12, 1e-5, 0}) /* linear.h */

/* Also row by row: the same bits. */
static void linear_dx(int64_t rows, int64_t n, int64_t k, int64_t pad, bool add)
{
    begin("linear_dx", "[%lld, %lld] by [%lld]%s, pad %lld", (long long)rows, (long long)n,
          (long long)k, add ? " added" : "", (long long)pad);
    Mat dy = mat_in(K_F32, rows, n, pad), w = mat_in(K_F32, n, k, pad);
    Mat dx = add ? mat_inout(K_F32, rows, k, pad) : mat_out(K_F32, rows, k, pad);
    double *want = wants(rows * k);
    mat_scale(&w, 1 / sqrt((double)n));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < k; c++) {
            double sum = add ? mat_at(&dx, i, c) : 0;
            for (int64_t j = 0; j < n; j++)
                sum += mat_at(&dy, i, j) * mat_at(&w, j, c);
            want[i * k + c] = sum;
        }
    Mat alone = mat_twin(&dx);
    Weight *weight = dev->refer(dev, w.v, NULL);
    run(stage_linear_dx, &(LinearDx){.dy = dy.v, .w = weight, .dx = dx.v, .add = add});
    expect(&dx, want, NULL, PRODUCT);
    for (int64_t i = 0; i < rows; i++)
        run(stage_linear_dx, &(LinearDx){.dy = view_rows(dy.v, i, i + 1),
                                         .w = weight,
                                         .dx = view_rows(alone.v, i, i + 1),
                                         .add = add});
    expect_same(&dx, &alone);
    dev->unpack(dev, weight);
    end();
}

/* Rows [lo, hi) of dW alone; the others stay. Also, on the CPU, which cuts them, some rows at a
 * time: the same bits. */
static void linear_dw(int64_t rows, int64_t n, int64_t k, int64_t pad, bool add, bool bias)
{
    begin("linear_dw", "%lld tokens, [%lld, %lld]%s%s, pad %lld", (long long)rows, (long long)n,
          (long long)k, add ? " added" : "", bias ? " bias" : "", (long long)pad);
    int64_t lo = pad ? n / 4 : 0, hi = pad ? n - n / 4 : n;
    Mat dy = mat_in(K_F32, rows, n, pad), x = mat_in(K_F32, rows, k, pad);
    Mat dw = mat_inout(K_F32, n, k, pad), db = mat_inout(K_F32, 1, n, 0);
    double *want = wants(n * k), *want_b = wants(n);
    mat_scale(&dy, 1 / sqrt((double)rows + 1));
    Mat cut_dw = mat_twin(&dw), cut_db = mat_twin(&db);
    for (int64_t j = 0; j < n; j++) {
        bool ours = j >= lo && j < hi;
        want_b[j] = add || !ours || !bias ? mat_at(&db, 0, j) : 0;
        for (int64_t t = 0; t < rows && ours && bias; t++)
            want_b[j] += mat_at(&dy, t, j);
        for (int64_t c = 0; c < k; c++) {
            double sum = add || !ours ? mat_at(&dw, j, c) : 0;
            for (int64_t t = 0; t < rows && ours; t++)
                sum += mat_at(&dy, t, j) * mat_at(&x, t, c);
            want[j * k + c] = sum;
        }
    }
    LinearDw a = {.dy = dy.v,
                  .x = x.v,
                  .dw = dw.v,
                  .db = bias ? db.v.p : NULL,
                  .lo = lo,
                  .hi = hi,
                  .add = add};
    run(stage_linear_dw, &a);
    expect(&dw, want, NULL, PRODUCT);
    expect(&db, want_b, NULL, PRODUCT);
    if (strcmp(dev->name, "cpu") == 0) {
        a.dw = cut_dw.v;
        a.db = bias ? cut_db.v.p : NULL;
        for (; a.lo < hi; a.lo = a.hi) {
            a.hi = a.lo + 3 < hi ? a.lo + 3 : hi;
            run(stage_linear_dw, &a);
        }
        expect_same(&dw, &cut_dw);
        expect_same(&db, &cut_db);
    }
    end();
}

void ops_gradients(void)
{
    for (int add = 0; add < 2; add++)
        for (int64_t pad = 0; pad < 6; pad += 5) {
            linear_dx(0, 3, 5, pad, add);
            linear_dx(1, 1, 1, pad, add);
            linear_dx(7, 5, 83, pad, add);
            linear_dx(9, 33, 64, pad, add);
            linear_dx(9, 33, 83, pad, add);
            linear_dx(70, 5, 130, pad, add);
            linear_dx(33, 260, 64, pad, add);
            for (int bias = 0; bias < 2; bias++) {
                linear_dw(0, 3, 5, pad, add, bias);
                linear_dw(1, 1, 1, pad, add, bias);
                linear_dw(7, 5, 83, pad, add, bias);
                linear_dw(512, 9, 64, pad, add, bias);
                linear_dw(1100, 6, 20, pad, add, bias);
                linear_dw(40, 70, 130, pad, add, bias);
            }
        }
}
