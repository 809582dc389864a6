/* What runs over a vocabulary in panels: lse, lse_bwd, topk. */
#include "tests/ops/ops.h"

#include <math.h>
#include <stdlib.h>

STAGE(lse)
STAGE(lse_bwd)
STAGE(topk)

/* Columns [from, to) of a view, as a panel. */
static View panel(View v, int64_t from, int64_t to)
{
    return view_cols(v, from, to);
}

/* lse.h: top and seen exact, log sum within 1e-6. */
static void lse(KType type, int64_t rows, int64_t cols, int64_t wide, int64_t pad)
{
    begin("lse", "%s [%lld, %lld] in panels of %lld, pad %lld", type_name(type), (long long)rows,
          (long long)cols, (long long)wide, (long long)pad);
    Mat x = mat_in(type, rows, cols, pad);
    Mat top = mat_out(K_F32, 1, rows, 0), seen = mat_out(K_F32, 1, rows, 0);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    double *want_top = wants(rows), *want_seen = wants(rows), *sum = mem_zero((size_t)rows, 8);
    double *dev_sum = dev->alloc(dev, (size_t)rows * 8);
    mat_scale(&x, 3);
    if (rows > 1) { /* far above the others, in the last panel */
        mat_set(&x, 1, cols - 1, 200);
        mat_set(&x, 0, 0, -1000);
    }
    for (int64_t i = 0; i < rows; i++) {
        target[i] = (int32_t)any(0, cols - 1);
        want_top[i] = -INFINITY;
        for (int64_t c = 0; c < cols; c++)
            want_top[i] = fmax(want_top[i], mat_at(&x, i, c));
        want_seen[i] = mat_at(&x, i, target[i]);
    }
    const int32_t *dev_target = DEV_COPY(target, rows);
    for (int64_t at = 0; at < cols; at += wide)
        run(stage_lse, &(Lse){.x = panel(x.v, at, at + wide < cols ? at + wide : cols),
                              .col0 = at,
                              .begin = at == 0,
                              .target = dev_target,
                              .top = top.v.p,
                              .seen = seen.v.p,
                              .sum = dev_sum});
    expect(&top, want_top, NULL, (Bound){0, 0, 0});
    expect(&seen, want_seen, NULL, (Bound){0, 0, 0});
    fetch(dev_sum, sum, (size_t)rows * 8);
    for (int64_t i = 0; i < rows; i++) {
        double want = 0;
        for (int64_t c = 0; c < cols; c++)
            want += exp(mat_at(&x, i, c) - want_top[i]);
        if (!(fabs(log(sum[i]) - log(want)) <= 1e-6))
            fail("row %lld: log sum %.9g, not %.9g", (long long)i, log(sum[i]), log(want));
    }
    dev->free(dev, dev_sum);
    free(target);
    free(sum);
    end();
}

static void lse_bwd_rows(Piece *p, void *args)
{
    LseBwd a = *(LseBwd *)args;
    a.x = view_rows(a.x, p->lo, p->hi);
    a.dx = view_rows(a.dx, p->lo, p->hi);
    a.target += p->lo;
    a.weight = a.weight ? a.weight + p->lo : NULL;
    a.top += p->lo;
    a.sum += p->lo;
    p->dev->lse_bwd(p, &a);
}

/* What lse leaves after the last panel. */
static void tops(const Mat *x, double *top, double *sum)
{
    for (int64_t i = 0; i < x->v.rows; i++) {
        top[i] = -INFINITY;
        for (int64_t c = 0; c < x->v.cols; c++)
            top[i] = fmax(top[i], mat_at(x, i, c));
        for (int64_t c = 0; c < x->v.cols; c++)
            sum[i] += exp(mat_at(x, i, c) - top[i]);
    }
}

/* lse_bwd.h: 2e-6 max(1, |weight|). In panels; one row at a time: the same bits. */
static void lse_bwd(KType type, KType out, int64_t rows, int64_t cols, int64_t wide, int64_t pad,
                    float smooth, bool weighted)
{
    begin("lse_bwd", "%s to %s [%lld, %lld] in panels of %lld, pad %lld, smooth %g%s",
          type_name(type), type_name(out), (long long)rows, (long long)cols, (long long)wide,
          (long long)pad, (double)smooth, weighted ? " weighted" : "");
    bool in_place = type == out && cols % 2;
    Mat x = in_place ? mat_inout(type, rows, cols, pad) : mat_in(type, rows, cols, pad);
    Mat dx = in_place ? x : mat_out(out, rows, cols, pad), weight = mat_in(K_F32, 1, rows, 0);
    Mat top = mat_in(K_F32, 1, rows, 0);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    double *want = wants(rows * cols), *scale = wants(rows * cols);
    double *know_top = wants(rows), *know_sum = wants(rows);
    mat_scale(&x, 3);
    if (rows > 1 && cols > 2) { /* two far above the others, about as large as each other */
        mat_set(&x, 1, cols - 1, 200.125);
        mat_set(&x, 1, 0, 200);
    }
    if (weighted && rows > 2)
        mat_set(&weight, 0, 2, 0);
    tops(&x, know_top, know_sum);
    mat_fill(&top, know_top);
    for (int64_t i = 0; i < rows; i++) {
        target[i] = i == 3 ? -1 : (int32_t)any(0, cols - 1);
        double w = target[i] < 0 ? 0 : weighted ? mat_at(&weight, 0, i) : 1;
        for (int64_t c = 0; c < cols; c++) {
            double q = (double)smooth / (double)cols + (c == target[i] ? 1 - (double)smooth : 0);
            want[i * cols + c] = w * (exp(mat_at(&x, i, c) - know_top[i]) / know_sum[i] - q);
            scale[i * cols + c] = fmax(1, fabs(w));
        }
    }
    LseBwd a = {.x = x.v,
                .dx = dx.v,
                .whole = cols,
                .target = DEV_COPY(target, rows),
                .weight = weighted ? weight.v.p : NULL,
                .top = top.v.p,
                .sum = DEV_COPY(know_sum, rows),
                .smooth = smooth};
    Mat cut = mat_twin(&dx);
    for (int64_t at = 0; at < cols; at += wide) {
        int64_t to = at + wide < cols ? at + wide : cols;
        LseBwd part = a;
        part.x = panel(x.v, at, to);
        part.dx = panel(dx.v, at, to);
        part.col0 = at;
        LseBwd again = part;
        again.dx = panel(cut.v, at, to);
        again.x = in_place ? again.dx : part.x;
        run_parts(rows, 1, lse_bwd_rows, &again);
        run(stage_lse_bwd, &part);
    }
    expect(&dx, want, scale, (Bound){1e-11, 2e-6, 0});
    expect_same(&dx, &cut);
    free(target);
    end();
}

typedef struct Place {
    double x;
    int32_t c;
} Place;

static int by_value(const void *a, const void *b)
{
    const Place *p = a, *q = b;
    if (p->x != q->x)
        return p->x > q->x ? -1 : 1;
    return p->c < q->c ? -1 : 1;
}

static void topk(int64_t rows, int64_t cols, int64_t wide, int k, int64_t pad)
{
    begin("topk", "%d of [%lld, %lld] in panels of %lld, pad %lld", k, (long long)rows,
          (long long)cols, (long long)wide, (long long)pad);
    Mat x = mat_in(K_F32, rows, cols, pad);
    for (int64_t i = 0; i < rows; i++) /* many are equal */
        for (int64_t c = 0; c < cols; c++)
            mat_set(&x, i, c, i == 1 && c % 3 == 0 ? (double)NAN : (double)any(-9, 9));
    size_t n = (size_t)(rows * k);
    float *value = mem_array(n, 4), *dev_value = dev->alloc(dev, n * 4);
    int32_t *index = mem_array(n, 4), *dev_index = dev->alloc(dev, n * 4);
    for (int64_t at = 0; at < cols; at += wide)
        run(stage_topk, &(Topk){.x = panel(x.v, at, at + wide < cols ? at + wide : cols),
                                .col0 = at,
                                .begin = at == 0,
                                .k = k,
                                .value = dev_value,
                                .index = dev_index});
    fetch(dev_value, value, n * 4);
    fetch(dev_index, index, n * 4);
    Place *place = mem_array((size_t)cols, sizeof *place);
    for (int64_t i = 0; i < rows; i++) {
        int64_t there = 0;
        for (int64_t c = 0; c < cols; c++)
            if (!isnan(mat_at(&x, i, c)))
                place[there++] = (Place){mat_at(&x, i, c), (int32_t)c};
        qsort(place, (size_t)there, sizeof *place, by_value);
        for (int c = 0; c < k; c++) {
            Place want = c < there ? place[c] : (Place){-INFINITY, -1};
            if (index[i * k + c] != want.c || (double)value[i * k + c] != want.x)
                fail("row %lld, number %d: %g at %d, not %g at %d", (long long)i, c,
                     (double)value[i * k + c], index[i * k + c], want.x, want.c);
        }
    }
    dev->free(dev, dev_value);
    dev->free(dev, dev_index);
    free(place);
    free(value);
    free(index);
    end();
}

void ops_vocab(void)
{
    lse(K_F32, 3, 1000, 1000, 0);
    lse(K_F32, 5, 5003, 1024, 1);
    lse(half(), 4, 300, 128, 0);
    lse(half(), 2, 37, 16, 3);
    lse(K_F32, 1, 1, 1, 0);
    lse(K_F32, 0, 40, 40, 0);
    for (int bits = 0; bits < 8; bits++) {
        KType in = bits & 1 ? half() : K_F32, out = bits & 2 ? half() : K_F32;
        float smooth = bits & 4 ? 0.3f : 0;
        lse_bwd(in, out, 3, 1000, 1000, 0, smooth, bits & 1);
        lse_bwd(in, out, 5, 1003, 256, 1, smooth, bits & 2);
        lse_bwd(in, out, 4, 300, 128, 4, smooth, true);
        lse_bwd(in, out, 2, 37, 16, 3, smooth, false);
        lse_bwd(in, out, 1, 1, 1, 0, smooth, true);
        lse_bwd(in, out, 0, 40, 40, 0, smooth, true);
    }
    topk(3, 1000, 1000, 5, 0);
    topk(4, 700, 256, 9, 1);
    topk(2, 33, 16, 1, 0);
    topk(2, 5, 2, 8, 0);
    topk(0, 5, 5, 2, 0);
}
