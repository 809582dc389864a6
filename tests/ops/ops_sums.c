/* Sums over rows: colsum, norm_dw. Of some of the columns; the others stay. In panels and by
 * several threads the bits are the same. */
#include "tests/ops/ops.h"

STAGE(colsum)
STAGE(norm_dw)

static double root(int64_t rows)
{
    return fmax(1, sqrt((double)rows));
}

/* Of all columns the panel [lo, hi). */
static void colsum_panel(Piece *p, void *args)
{
    Colsum a = *(Colsum *)args;
    a.lo = p->lo;
    a.hi = p->hi;
    p->dev->colsum(p, &a);
}

/* colsum.h: 5e-6 max(1, |y|) times the root of rows. */
static void colsum(KType type, int64_t rows, int64_t cols, int64_t pad, bool add)
{
    begin("colsum", "%s [%lld, %lld]%s, pad %lld", type_name(type), (long long)rows,
          (long long)cols, add ? " added" : "", (long long)pad);
    int64_t lo = pad % 2 ? cols / 4 : 0, hi = pad % 2 ? cols - cols / 5 : cols;
    Mat x = mat_in(type, rows, cols, pad), y = mat_inout(K_F32, 1, cols, 0);
    Mat whole = mat_twin(&y), cut = mat_twin(&y), threads = mat_twin(&y);
    double *want = wants(cols), *scale = wants(cols);
    for (int64_t c = 0; c < cols; c++) {
        bool ours = c >= lo && c < hi;
        want[c] = add || !ours ? mat_at(&y, 0, c) : 0;
        for (int64_t i = 0; i < rows && ours; i++)
            want[c] += mat_at(&x, i, c);
        scale[c] = fmax(1, fabs(want[c])) * root(rows);
    }
    Colsum a = {.x = x.v, .y = y.v.p, .lo = lo, .hi = hi, .add = add};
    run(stage_colsum, &a);
    expect(&y, want, scale, (Bound){1e-11, 5e-6, 0});
    Batch b = {.cols = cols};
    run_parts(1, 1, stage_colsum, &(Colsum){.x = x.v, .y = whole.v.p, .hi = cols, .add = add});
    run_parts(cols, 13, colsum_panel, &(Colsum){.x = x.v, .y = cut.v.p, .add = add});
    run_threads(5, EACH_COLS, &b, colsum_panel, &(Colsum){.x = x.v, .y = threads.v.p, .add = add});
    expect_same(&whole, &cut);
    expect_same(&whole, &threads);
    end();
}

static void norm_dw_panel(Piece *p, void *args)
{
    NormDw a = *(NormDw *)args;
    a.lo = p->lo;
    a.hi = p->hi;
    p->dev->norm_dw(p, &a);
}

/* norm.h: as colsum. */
static void norm_dw(int64_t rows, int64_t cols, int64_t pad, bool add, bool beta)
{
    begin("norm_dw", "[%lld, %lld]%s%s, pad %lld", (long long)rows, (long long)cols,
          add ? " added" : "", beta ? " beta" : "", (long long)pad);
    int64_t lo = pad % 2 ? cols / 4 : 0, hi = pad % 2 ? cols - cols / 5 : cols;
    Mat dy = mat_in(K_F32, rows, cols, pad), s = mat_in(K_F32, rows, cols, pad);
    Mat stats = mat_in(K_F32, rows, 2, 0), got[4][2];
    double *want[2], *scale[2];
    for (int k = 0; k < 2; k++) {
        got[0][k] = mat_inout(K_F32, 1, cols, 0);
        want[k] = wants(cols);
        scale[k] = wants(cols);
        for (int n = 1; n < 4; n++)
            got[n][k] = mat_twin(&got[0][k]);
    }
    for (int64_t c = 0; c < cols; c++)
        for (int k = 0; k < 2; k++) {
            bool ours = c >= lo && c < hi && (k == 0 || beta);
            double size = 1;
            want[k][c] = add || !ours ? mat_at(&got[0][k], 0, c) : 0;
            for (int64_t i = 0; i < rows && ours; i++) {
                double n = (mat_at(&s, i, c) - mat_at(&stats, i, 0)) * mat_at(&stats, i, 1);
                want[k][c] += mat_at(&dy, i, c) * (k ? 1 : n);
                size = fmax(size, k ? 1 : fabs(n));
            }
            scale[k][c] = fmax(1, fabs(want[k][c])) * root(rows) * size;
        }
    NormDw a = {.dy = dy.v, .s = s.v, .stats = stats.v.p, .lo = lo, .hi = hi, .add = add};
    NormDw by[4] = {a, a, a, a};
    for (int n = 0; n < 4; n++) {
        by[n].dgamma = got[n][0].v.p;
        by[n].dbeta = beta ? got[n][1].v.p : NULL;
    }
    Batch b = {.cols = cols};
    by[1].lo = 0;
    by[1].hi = cols;
    run(stage_norm_dw, &by[0]);
    run(stage_norm_dw, &by[1]);
    run_parts(cols, 13, norm_dw_panel, &by[2]);
    run_threads(5, EACH_COLS, &b, norm_dw_panel, &by[3]);
    for (int k = 0; k < 2; k++) {
        expect(&got[0][k], want[k], scale[k], (Bound){1e-11, 5e-6, 0});
        expect_same(&got[1][k], &got[2][k]);
        expect_same(&got[1][k], &got[3][k]);
    }
    end();
}

void ops_sums(void)
{
    static const int64_t shape[][3] = {{0, 7, 0},   {1, 1, 0},    {3, 384, 0},  {33, 84, 4},
                                       {70, 37, 3}, {600, 40, 0}, {1100, 9, 5}, {9, 1030, 1}};
    for (int s = 0; s < 8; s++) {
        const int64_t *n = shape[s];
        for (int bits = 0; bits < 4; bits++) {
            colsum(bits & 1 ? half() : K_F32, n[0], n[1], n[2], bits & 2);
            norm_dw(n[0], n[1], n[2], bits & 1, bits & 2);
        }
    }
}
