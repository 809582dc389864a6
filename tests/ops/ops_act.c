#include "tests/ops/ops.h"

STAGE(act)
STAGE(act_bwd)

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

/* act.h: within 3e-6 max(1, |dy|). On a grid, x goes far out on both sides, by steps past 0. */
static void act_bwd(int64_t rows, int64_t cols, int64_t pad, Act f, bool in_place, bool grid)
{
    begin("act_bwd", "%d of [%lld, %lld], pad %lld%s", f, (long long)rows, (long long)cols,
          (long long)pad, grid ? ", on a grid" : "");
    const double h = 1e-5;
    Mat x = mat_in(K_F32, rows, cols, pad);
    Mat dy = in_place ? mat_inout(K_F32, rows, cols, pad) : mat_in(K_F32, rows, cols, pad);
    Mat dx = in_place ? dy : mat_out(K_F32, rows, cols, pad);
    double *want = wants(rows * cols), *scale = wants(rows * cols);
    mat_scale(&x, 3);
    for (int64_t i = 0; grid && i < rows * cols; i++)
        mat_set(&x, i / cols, i % cols, (double)(i - rows * cols / 2) * 0.11 + 0.013);
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
            act_bwd(n[0], n[1], n[2], f, false, false);
            act_bwd(n[0], n[1], n[2], f, true, false);
            act_bwd(n[0], n[1], n[2], f, false, true);
        }
}
