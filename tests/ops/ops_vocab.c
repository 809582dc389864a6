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

/* lse.h: log sum within 1e-6. The plain sum is one in double of what is f32: of a few thousand. */
static void expect_sums(const Mat *x, const double *top, const double *sum, const double *all)
{
    for (int64_t i = 0; i < x->v.rows; i++) {
        double want = 0, want_all = 0;
        for (int64_t c = 0; c < x->v.cols; c++) {
            want += exp(mat_at(x, i, c) - top[i]);
            want_all += mat_at(x, i, c);
        }
        if (!(fabs(log(sum[i]) - log(want)) <= 1e-6))
            fail("row %lld: log sum %.9g, not %.9g", (long long)i, log(sum[i]), log(want));
        if (all && !(fabs(all[i] - want_all) <= 1e-6 * fmax(1000, fabs(want_all))))
            fail("row %lld: sum %.9g, not %.9g", (long long)i, all[i], want_all);
    }
}

/* lse.h: top and seen exact. */
static void lse(KType type, int64_t rows, int64_t cols, int64_t wide, int64_t pad, bool plain)
{
    begin("lse", "%s [%lld, %lld] in panels of %lld, pad %lld%s", type_name(type), (long long)rows,
          (long long)cols, (long long)wide, (long long)pad, plain ? ", plain sum" : "");
    Mat x = mat_in(type, rows, cols, pad);
    Mat top = mat_out(K_F32, 1, rows, 0), seen = mat_inout(K_F32, 1, rows, 0);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    int32_t *where = mem_zero((size_t)rows, sizeof *where);
    int32_t *dev_where = dev->alloc(dev, (size_t)rows * sizeof *where);
    double *want_top = wants(rows), *want_seen = wants(rows);
    double *sum = mem_zero((size_t)rows, 8), *all = mem_zero((size_t)rows, 8);
    double *dev_sum = dev->alloc(dev, (size_t)rows * 8);
    double *dev_all = dev->alloc(dev, (size_t)rows * 8);
    mat_scale(&x, 3);
    if (rows > 1) { /* far above the others, in the last panel */
        mat_set(&x, 1, cols - 1, 200);
        mat_set(&x, 0, 0, -1000);
    }
    for (int64_t i = 2; i < rows; i++) { /* the largest twice */
        mat_set(&x, i, any(0, cols - 1), 100);
        mat_set(&x, i, any(0, cols - 1), 100);
    }
    for (int64_t i = 0; i < rows; i++) {
        target[i] = i == 2 ? -1 : (int32_t)any(0, cols - 1);
        want_top[i] = -INFINITY;
        for (int64_t c = 0; c < cols; c++)
            want_top[i] = fmax(want_top[i], mat_at(&x, i, c));
        want_seen[i] = target[i] < 0 ? mat_at(&seen, 0, i) : mat_at(&x, i, target[i]);
    }
    const int32_t *dev_target = DEV_COPY(target, rows);
    for (int64_t at = 0; at < cols; at += wide)
        run(stage_lse, &(Lse){.x = panel(x.v, at, at + wide < cols ? at + wide : cols),
                              .col0 = at,
                              .begin = at == 0,
                              .target = dev_target,
                              .top = top.v.p,
                              .seen = seen.v.p,
                              .sum = dev_sum,
                              .all = plain ? dev_all : NULL,
                              .where = dev_where});
    expect(&top, want_top, NULL, (Bound){0, 0, 0});
    expect(&seen, want_seen, NULL, (Bound){0, 0, 0});
    fetch(dev_sum, sum, (size_t)rows * 8);
    fetch(dev_all, all, (size_t)rows * 8);
    expect_sums(&x, want_top, sum, plain ? all : NULL);
    fetch(dev_where, where, (size_t)rows * sizeof *where);
    for (int64_t i = 0; i < rows; i++) {
        int64_t c = 0;
        while (mat_at(&x, i, c) < want_top[i])
            c++;
        if (where[i] != c)
            fail("row %lld: the largest is in column %d, not %lld", (long long)i, where[i],
                 (long long)c);
    }
    free(where);
    dev->free(dev, dev_where);
    dev->free(dev, dev_all);
    dev->free(dev, dev_sum);
    free(target);
    free(sum);
    free(all);
    end();
}

/* No targets; rows that have no largest, or only in the second panel. */
static void lse_nowhere(void)
{
    enum { ROWS = 3, COLS = 40, WIDE = 20 };
    begin("lse", "nothing but -infinity, no targets");
    Mat x = mat_in(K_F32, ROWS, COLS, 0), top = mat_out(K_F32, 1, ROWS, 0);
    int32_t where[ROWS], want[ROWS] = {-1, WIDE + 3, WIDE - 1};
    int32_t *dev_where = dev->alloc(dev, sizeof where);
    double *sum = dev->alloc(dev, ROWS * sizeof *sum);
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t c = 0; c < COLS; c++)
            mat_set(&x, i, c, c == want[i] || (i == 2 && c > WIDE) ? 5 : (double)-INFINITY);
    for (int64_t at = 0; at < COLS; at += WIDE)
        run(stage_lse, &(Lse){.x = panel(x.v, at, at + WIDE),
                              .col0 = at,
                              .begin = at == 0,
                              .top = top.v.p,
                              .sum = sum,
                              .where = dev_where});
    fetch(dev_where, where, sizeof where);
    for (int64_t i = 0; i < ROWS; i++)
        if (where[i] != want[i])
            fail("row %lld: the largest is in column %d, not %d", (long long)i, where[i], want[i]);
    dev->free(dev, sum);
    dev->free(dev, dev_where);
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
    a.seen = a.seen ? a.seen + p->lo : NULL;
    a.all = a.all ? a.all + p->lo : NULL;
    a.loss = a.loss ? a.loss + p->lo : NULL;
    p->dev->lse_bwd(p, &a);
}

/* What lse leaves after the last panel. */
typedef struct Known {
    double *top, *seen, *sum, *all;
} Known;

static Known known(const Mat *x, const int32_t *target)
{
    int64_t rows = x->v.rows;
    Known k = {wants(rows), wants(rows), wants(rows), wants(rows)};
    for (int64_t i = 0; i < rows; i++) {
        k.top[i] = -INFINITY;
        for (int64_t c = 0; c < x->v.cols; c++)
            k.top[i] = fmax(k.top[i], mat_at(x, i, c));
        for (int64_t c = 0; c < x->v.cols; c++) {
            k.sum[i] += exp(mat_at(x, i, c) - k.top[i]);
            k.all[i] += mat_at(x, i, c);
        }
        k.seen[i] = target[i] < 0 ? (double)NAN : mat_at(x, i, target[i]);
    }
    return k;
}

/* lse_bwd.h's formulas, of a row of weight w. */
static double one_row(const Mat *x, const Known *k, int64_t i, int32_t target, double w,
                      double smooth, double *dx)
{
    int64_t cols = x->v.cols;
    double loss = 0;
    for (int64_t c = 0; c < cols && target >= 0; c++) {
        double q = smooth / (double)cols + (c == target ? 1 - smooth : 0);
        double log_p = mat_at(x, i, c) - k->top[i] - log(k->sum[i]);
        dx[c] = w * (exp(log_p) - q);
        loss -= q > 0 ? w * q * log_p : 0;
    }
    return loss;
}

/* lse_bwd.h: 2e-6 max(1, |weight|). In panels; one row at a time: the same bits. */
static void lse_bwd(KType type, KType out, int64_t rows, int64_t cols, int64_t wide, int64_t pad,
                    float smooth, bool weighted)
{
    begin("lse_bwd", "%s to %s [%lld, %lld] in panels of %lld, pad %lld, smooth %g%s",
          type_name(type), type_name(out), (long long)rows, (long long)cols, (long long)wide,
          (long long)pad, (double)smooth, weighted ? " weighted" : "");
    bool in_place = type == out && cols % 2, wants_loss = rows != 4;
    Mat x = in_place ? mat_inout(type, rows, cols, pad) : mat_in(type, rows, cols, pad);
    Mat dx = in_place ? x : mat_out(out, rows, cols, pad), weight = mat_in(K_F32, 1, rows, 0);
    Mat top = mat_in(K_F32, 1, rows, 0), seen = mat_in(K_F32, 1, rows, 0);
    Mat loss = mat_out(K_F32, 1, rows, 0), cut_loss = mat_twin(&loss);
    int32_t *target = mem_array((size_t)rows, sizeof *target);
    double *want = wants(rows * cols), *scale = wants(rows * cols);
    double *want_loss = wants(rows), *loss_scale = wants(rows);
    mat_scale(&x, 3);
    if (rows > 1 && cols > 2) { /* two far above the others, about as large as each other */
        mat_set(&x, 1, cols - 1, 200.125);
        mat_set(&x, 1, 0, 200);
    }
    if (weighted && rows > 2)
        mat_set(&weight, 0, 2, 0);
    for (int64_t i = 0; i < rows; i++)
        target[i] = i == 3 ? -1 : (int32_t)any(0, cols - 1);
    Known k = known(&x, target);
    mat_fill(&top, k.top);
    mat_fill(&seen, k.seen);
    for (int64_t i = 0; i < rows; i++) {
        double w = weighted ? mat_at(&weight, 0, i) : 1;
        want_loss[i] = one_row(&x, &k, i, target[i], w, (double)smooth, want + i * cols);
        loss_scale[i] = fmax(fmax(1, fabs(w)), fabs(want_loss[i]));
        for (int64_t c = 0; c < cols; c++)
            scale[i * cols + c] = fmax(1, fabs(w));
    }
    LseBwd a = {.x = x.v,
                .dx = dx.v,
                .whole = cols,
                .target = DEV_COPY(target, rows),
                .weight = weighted ? weight.v.p : NULL,
                .top = top.v.p,
                .seen = seen.v.p,
                .sum = DEV_COPY(k.sum, rows),
                .all = smooth > 0 ? DEV_COPY(k.all, rows) : NULL,
                .smooth = smooth};
    Mat cut = mat_twin(&dx);
    for (int64_t at = 0; at < cols; at += wide) {
        int64_t to = at + wide < cols ? at + wide : cols;
        LseBwd part = a;
        part.x = panel(x.v, at, to);
        part.dx = panel(dx.v, at, to);
        part.col0 = at;
        part.loss = at == 0 && wants_loss ? loss.v.p : NULL;
        if (!wants_loss)
            part.seen = NULL;
        LseBwd again = part;
        again.dx = panel(cut.v, at, to);
        again.x = in_place ? again.dx : part.x;
        again.loss = part.loss ? cut_loss.v.p : NULL;
        run_parts(rows, 1, lse_bwd_rows, &again);
        run(stage_lse_bwd, &part);
    }
    expect(&dx, want, scale, (Bound){1e-11, 2e-6, 0});
    expect_same(&dx, &cut);
    if (wants_loss)
        expect(&loss, want_loss, loss_scale, (Bound){1e-11, 2e-6, 0});
    expect_same(&loss, &cut_loss);
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
    for (int plain = 0; plain < 2; plain++) {
        lse(K_F32, 3, 1000, 1000, 0, plain);
        lse(K_F32, 5, 5003, 1024, 1, plain);
        lse(half(), 4, 300, 128, 0, plain);
        lse(half(), 2, 37, 16, 3, plain);
        lse(K_F32, 1, 1, 1, 0, plain);
        lse(K_F32, 0, 40, 40, 0, plain);
    }
    lse_nowhere();
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
    topk(2, 2100, 2100, 3, 0);
    topk(1, 4200, 2100, 3, 1);
    topk(2, 5, 2, 8, 0);
    topk(0, 5, 5, 2, 0);
}
