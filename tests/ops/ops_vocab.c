/* What runs over a vocabulary in panels: lse, topk. */
#include "tests/ops/ops.h"

#include <math.h>
#include <stdlib.h>

STAGE(lse)
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
    topk(3, 1000, 1000, 5, 0);
    topk(4, 700, 256, 9, 1);
    topk(2, 33, 16, 1, 0);
    topk(2, 5, 2, 8, 0);
    topk(0, 5, 5, 2, 0);
}
