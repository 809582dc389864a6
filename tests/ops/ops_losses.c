/* Losses and their gradients: xent, point_loss. */
#include "tests/ops/ops.h"

STAGE(xent)
STAGE(point_loss)

/* xent.h: 2e-6. */
static void xent(int64_t rows, int64_t cols, int64_t pad, float smooth, bool weighted,
                 bool by_class, bool way_back)
{
    begin("xent", "[%lld, %lld], smooth %g%s%s%s, pad %lld", (long long)rows, (long long)cols,
          (double)smooth, weighted ? " weighted" : "", by_class ? " by class" : "",
          way_back ? " dx" : "", (long long)pad);
    bool in_place = way_back && smooth > 0;
    Mat x = in_place ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    Mat dx = {0}, loss = mat_out(K_F32, 1, rows, 0);
    Mat weight = mat_in(K_F32, 1, rows, 0), classes = mat_in(K_F32, 1, cols, 0);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    double *want = wants(rows * cols), *want_loss = wants(rows);
    mat_scale(&x, 3);
    if (rows > 1) /* e^x is no float */
        mat_set(&x, 1, cols / 2, 200);
    if (weighted && rows > 3)
        mat_set(&weight, 0, 3, 0);
    for (int64_t c = 0; c < cols; c++)
        mat_set(&classes, 0, c, c == 4 ? 0 : fabs(mat_at(&classes, 0, c)));
    if (way_back)
        dx = in_place ? x : mat_out(K_F32, rows, cols, pad);
    for (int64_t i = 0; i < rows; i++) {
        target[i] = i == 2 ? -1 : (int32_t)any(0, cols - 1);
        if (i == 0 && target[i] == 4) /* the class that weighs nothing: one row is to count */
            target[i] = 0;
        double top = -INFINITY, sum = 0, all = 0, w = weighted ? mat_at(&weight, 0, i) : 1;
        for (int64_t c = 0; c < cols; c++)
            top = fmax(top, mat_at(&x, i, c));
        for (int64_t c = 0; c < cols; c++)
            sum += exp(mat_at(&x, i, c) - top);
        for (int back = 0; back < 2; back++)
            for (int64_t c = 0; c < cols && target[i] >= 0; c++) {
                double log_p = mat_at(&x, i, c) - top - log(sum);
                double q =
                    (double)smooth / (double)cols + (c == target[i] ? 1 - (double)smooth : 0);
                q *= by_class ? mat_at(&classes, 0, c) : 1;
                want_loss[i] -= !back && q > 0 ? w * q * log_p : 0;
                all += back ? 0 : q;
                want[i * cols + c] = w * (all * exp(log_p) - q);
            }
    }
    run(stage_xent, &(Xent){.x = x.v,
                            .dx = dx.v,
                            .target = DEV_COPY(target, rows),
                            .weight = weighted ? weight.v.p : NULL,
                            .smooth = smooth,
                            .loss = loss.v.p,
                            .classes = by_class ? classes.v.p : NULL});
    expect(&loss, want_loss, NULL, (Bound){1e-12, 2e-6, 0});
    if (way_back)
        expect(&dx, want, NULL, (Bound){1e-11, 2e-6, 0});
    free(target);
    end();
}

/* The loss of one number, and its slope. */
static double point(PointKind kind, double x, double t, double *slope)
{
    switch (kind) {
    case POINT_SQUARE: *slope = 2 * (x - t); return (x - t) * (x - t);
    case POINT_BINARY:
        *slope = 1 / (1 + exp(-x)) - t;
        return (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))) - x * t;
    case POINT_SHARES:
    case POINT_KINDS: break;
    }
    return NAN;
}

/* The loss of a row of logits by shares, and its gradient. */
static double shares(const Mat *x, const Mat *t, int64_t row, double *slope)
{
    int64_t n = x->v.cols;
    double top = -INFINITY, sum = 0, all = 0, loss = 0;
    for (int64_t c = 0; c < n; c++)
        top = fmax(top, mat_at(x, row, c));
    for (int64_t c = 0; c < n; c++)
        sum += exp(mat_at(x, row, c) - top);
    for (int64_t c = 0; c < n; c++) {
        all += mat_at(t, row, c);
        loss -= mat_at(t, row, c) * (mat_at(x, row, c) - top - log(sum));
    }
    for (int64_t c = 0; c < n; c++)
        slope[c] = all * exp(mat_at(x, row, c) - top) / sum - mat_at(t, row, c);
    return loss;
}

/* point_loss.h: 2e-6. Also in parts: the same bits. */
static void point_loss(PointKind kind, int64_t rows, int64_t cols, int64_t pad, bool weighted,
                       bool way_back, bool in_place)
{
    begin("point_loss", "%d of [%lld, %lld]%s%s%s, pad %lld", kind, (long long)rows,
          (long long)cols, weighted ? " weighted" : "", way_back ? " dx" : "",
          in_place ? " in place" : "", (long long)pad);
    in_place = in_place && way_back;
    Mat x = in_place ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    Mat t = mat_in(K_F32, rows, cols, pad), weight = mat_in(K_F32, 1, rows, 0);
    Mat loss = mat_out(K_F32, 1, rows, 0), dx = {0};
    double *want = wants(rows * cols), *want_loss = wants(rows), *scale = wants(rows);
    mat_scale(&x, 3);
    if (rows > 1 && cols > 1) { /* e^x is no float */
        mat_set(&x, 0, 0, 200);
        mat_set(&x, 1, 1, -200);
    }
    for (int64_t i = 0; i < rows; i++) {
        double w = weighted ? mat_at(&weight, 0, i) : 1, sum = 0;
        if (kind == POINT_SHARES)
            sum = shares(&x, &t, i, want + i * cols);
        else
            w /= (double)cols;
        for (int64_t c = 0; c < cols; c++) {
            if (kind != POINT_SHARES)
                sum += point(kind, mat_at(&x, i, c), mat_at(&t, i, c), &want[i * cols + c]);
            want[i * cols + c] *= w;
        }
        want_loss[i] = w * sum;
        scale[i] = fmax(1, fabs(want_loss[i]));
    }
    if (way_back)
        dx = in_place ? x : mat_out(K_F32, rows, cols, pad);
    PointLoss a = {.kind = kind,
                   .x = x.v,
                   .t = t.v,
                   .dx = dx.v,
                   .weight = weighted ? weight.v.p : NULL,
                   .loss = loss.v.p};
    Mat cut_loss = mat_twin(&loss), cut = way_back && !in_place ? mat_twin(&dx) : (Mat){0};
    run(stage_point_loss, &a);
    expect(&loss, want_loss, scale, (Bound){1e-12, 2e-6, 0});
    if (way_back)
        expect(&dx, want, NULL, (Bound){1e-11, 2e-6, 0});
    for (int64_t i = 0; i < rows && !in_place; i++) {
        PointLoss one = a;
        one.x = view_rows(a.x, i, i + 1);
        one.t = view_rows(a.t, i, i + 1);
        one.dx = way_back ? view_rows(cut.v, i, i + 1) : (View){0};
        one.weight = a.weight ? a.weight + i : NULL;
        one.loss = (float *)cut_loss.v.p + i;
        run(stage_point_loss, &one);
    }
    if (!in_place)
        expect_same(&loss, &cut_loss);
    if (cut.v.p)
        expect_same(&dx, &cut);
    end();
}

void ops_losses(void)
{
    static const int64_t shape[][3] = {{0, 3, 0}, {1, 1, 0}, {5, 7, 3}, {70, 2, 0}, {9, 1030, 1}};
    for (int s = 0; s < 5; s++) {
        const int64_t *n = shape[s];
        for (int bits = 0; bits < 8; bits++) {
            for (int by_class = 0; by_class < 2; by_class++)
                xent(n[0], n[1], n[2], bits & 1 ? 0.3f : 0, bits & 2, by_class, bits & 4);
            for (PointKind kind = 0; kind < POINT_KINDS; kind++)
                point_loss(kind, n[0], n[1], n[2], bits & 1, bits & 2, bits & 4);
        }
    }
}
