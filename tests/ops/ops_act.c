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

enum { APART, OVER_DY, OVER_X, OVER_GATE }; /* where dx goes */

typedef struct Back {
    int64_t rows, cols, pad;
    Act act;
    KType x, dy, dx;
    bool gated, grid;
    int over;
} Back;

static void act_bwd_rows(Piece *p, void *args)
{
    ActivateBwd a = *(ActivateBwd *)args;
    a.x = view_rows(a.x, p->lo, p->hi);
    a.dy = view_rows(a.dy, p->lo, p->hi);
    a.dx = view_rows(a.dx, p->lo, p->hi);
    if (a.gate.p)
        a.gate = view_rows(a.gate, p->lo, p->hi);
    p->dev->act_bwd(p, &a);
}

static Mat operand(const Back *c, KType type, int which)
{
    return c->over == which ? mat_inout(type, c->rows, c->cols, c->pad)
                            : mat_in(type, c->rows, c->cols, c->pad);
}

/* act.h: within 3e-6 max(1, |dy|), with a gate times max(1, |gate|). On a grid, x goes far out on
 * both sides, by steps past 0. Also in parts: the same bits. */
static void act_bwd(Back c)
{
    begin("act_bwd", "%d of [%lld, %lld] %s by %s to %s, over %d, pad %lld%s%s", c.act,
          (long long)c.rows, (long long)c.cols, type_name(c.x), type_name(c.dy), type_name(c.dx),
          c.over, (long long)c.pad, c.gated ? ", gated" : "", c.grid ? ", on a grid" : "");
    const double h = 1e-5;
    Mat x = operand(&c, c.x, OVER_X), dy = operand(&c, c.dy, OVER_DY), gate = {0};
    if (c.gated)
        gate = operand(&c, c.dy, OVER_GATE);
    Mat dx = c.over == OVER_X      ? x
             : c.over == OVER_DY   ? dy
             : c.over == OVER_GATE ? gate
                                   : mat_out(c.dx, c.rows, c.cols, c.pad);
    double *want = wants(c.rows * c.cols), *scale = wants(c.rows * c.cols);
    double *at = wants(c.rows * c.cols);
    for (int64_t i = 0; i < c.rows * c.cols; i++)
        at[i] = c.grid ? (double)(i - c.rows * c.cols / 2) * 0.11 + 0.013
                       : 3 * mat_at(&x, i / c.cols, i % c.cols);
    mat_fill(&x, at);
    for (int64_t i = 0; i < c.rows * c.cols; i++) {
        double a = mat_at(&x, i / c.cols, i % c.cols), d = mat_at(&dy, i / c.cols, i % c.cols);
        double g = c.gated ? mat_at(&gate, i / c.cols, i % c.cols) : 1;
        want[i] = (activation(a + h, c.act) - activation(a - h, c.act)) / (2 * h) * d * g;
        if (c.act == ACT_RELU)
            want[i] = a > 0 ? d * g : 0;
        scale[i] = fmax(1, fabs(d)) * fmax(1, fabs(g));
    }
    Mat cut = c.over == APART ? mat_twin(&dx) : (Mat){0};
    ActivateBwd a = {.x = x.v, .dy = dy.v, .dx = dx.v, .gate = gate.v, .act = c.act};
    run(stage_act_bwd, &a);
    expect(&dx, want, scale, (Bound){1e-11, 3e-6, 0});
    if (c.over == APART) {
        a.dx = cut.v;
        run_parts(c.rows, 3, act_bwd_rows, &a);
        expect_same(&dx, &cut);
    }
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
            for (int bits = 0; bits < 8; bits++) {
                Back b = {.rows = n[0],
                          .cols = n[1],
                          .pad = n[2],
                          .act = f,
                          .x = bits & 1 ? half() : K_F32,
                          .dx = bits & 2 ? half() : K_F32,
                          .gated = bits & 4};
                act_bwd(b);
                b.grid = true;
                b.dy = bits & 2 ? half() : K_F32;
                act_bwd(b);
                b.over = bits & 4 ? OVER_GATE : bits & 1 ? OVER_X : OVER_DY;
                b.dx = b.over == OVER_X ? b.x : b.dy;
                act_bwd(b);
            }
        }
}
