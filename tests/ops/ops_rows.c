#include "tests/ops/ops.h"

STAGE(embed)
STAGE(gather)
STAGE(segmax)

static void embed(int64_t rows, int64_t cols, int tables, KType out, int64_t pad)
{
    begin("embed", "[%lld, %lld] of %d tables%s, pad %lld", (long long)rows, (long long)cols,
          tables, out ? " to bf16" : "", (long long)pad);
    Embed a = {0};
    Mat y = mat_out(out, rows, cols, pad);
    double *want = wants(rows * cols);
    int32_t *index = mem_array((size_t)rows, sizeof *index);
    a.y = y.v;
    for (int t = 0; t < tables; t++) {
        Mat table = mat_in(K_F32, any(1, 50), cols, t == 1 ? pad : 0);
        for (int64_t i = 0; i < rows; i++) {
            index[i] = (int32_t)any(0, table.v.rows - 1);
            for (int64_t j = 0; j < cols; j++)
                want[i * cols + j] += mat_at(&table, index[i], j);
        }
        a.table[t] = table.v;
        a.index[t] = DEV_COPY(index, rows);
    }
    run(stage_embed, &a);
    expect(&y, want, NULL, (Bound){1e-13, 1e-6, 0});
    free(index);
    end();
}

/* Ends of `rows` segments of 0 to `most` items. */
static int64_t *segments(int64_t rows, int64_t most)
{
    int64_t *starts = mem_array((size_t)rows + 1, sizeof *starts);
    starts[0] = rows ? any(0, 3) : 0;
    for (int64_t i = 0; i < rows; i++)
        starts[i + 1] = starts[i] + (i == 1 ? 0 : any(i == 0, most));
    return starts;
}

typedef struct Case {
    int64_t rows, cols, most, pad;
    KType in, out;
    bool starts, index, weight, scatter, add;
} Case;

/* Where each of n rows goes, of n + 3: in any order, none twice. */
static int64_t *places(int64_t n)
{
    int64_t *to = mem_array((size_t)n + 3, sizeof *to);
    for (int64_t i = 0; i < n + 3; i++) {
        int64_t j = any(0, i);
        to[i] = to[j];
        to[j] = i;
    }
    return to;
}

/* Segments [lo, hi), as whoever cuts them does. */
static void gather_part(Piece *p, void *args)
{
    Gather a = *(Gather *)args;
    int64_t lo = p->lo;
    a.index = !a.starts && a.index ? a.index + lo : a.index;
    a.starts = a.starts ? a.starts + lo : NULL;
    a.weight = a.weight ? a.weight + lo : NULL;
    a.rows = p->hi - lo;
    if (a.out)
        a.out += lo;
    else
        a.y = view_rows(a.y, lo, p->hi);
    if (!a.starts && !a.index)
        a.x = view_rows(a.x, lo, p->hi);
    p->dev->gather(p, &a);
}

/* gather.h: 5e-6 times the root of the segment's length. Also in parts and by threads: the same
 * bits. */
static void gather(Case c)
{
    begin("gather", "[%lld, %lld], up to %lld, %s to %s%s%s%s%s%s, pad %lld", (long long)c.rows,
          (long long)c.cols, (long long)c.most, type_name(c.in), type_name(c.out),
          c.starts ? " starts" : "", c.index ? " index" : "", c.weight ? " weight" : "",
          c.scatter ? " out" : "", c.add ? " added" : "", (long long)c.pad);
    int64_t *starts = segments(c.rows, c.most), items = c.starts ? starts[c.rows] : c.rows;
    int64_t *index = mem_array((size_t)items, sizeof *index), *out = places(c.rows);
    int64_t tall = c.rows + (c.scatter ? 3 : 0);
    Mat x = mat_in(c.in, items + 7, c.cols, c.pad), weight = mat_in(K_F32, 1, c.rows, 0);
    Mat y = c.scatter || c.add ? mat_inout(c.out, tall, c.cols, c.pad)
                               : mat_out(c.out, tall, c.cols, c.pad);
    double *want = wants(tall * c.cols), *scale = wants(tall * c.cols);
    for (int64_t k = 0; k < items; k++)
        index[k] = c.index ? any(0, items + 6) : k;
    for (int64_t i = 0; i < tall * c.cols; i++) { /* rows that nothing goes to stay */
        want[i] = c.scatter || c.add ? mat_at(&y, i / c.cols, i % c.cols) : 0;
        scale[i] = fmax(1, fabs(want[i]));
    }
    for (int64_t i = 0; i < c.rows; i++) {
        int64_t lo = c.starts ? starts[i] : i, hi = c.starts ? starts[i + 1] : i + 1;
        for (int64_t j = 0; j < c.cols; j++) {
            int64_t at = (c.scatter ? out[i] : i) * c.cols + j;
            double sum = 0, by = c.weight ? mat_at(&weight, 0, i) : 1;
            for (int64_t k = lo; k < hi; k++)
                sum += mat_at(&x, index[k], j);
            want[at] = (c.add ? want[at] : 0) + sum * by;
            scale[at] = fmax(1, fabs(sum)) * fmax(1, sqrt((double)(hi - lo))) * fmax(1, fabs(by)) +
                        (c.add ? scale[at] : 0);
        }
    }
    Gather a = {.x = x.v,
                .y = y.v,
                .starts = c.starts ? DEV_COPY(starts, c.rows + 1) : NULL,
                .index = c.index ? DEV_COPY(index, items) : NULL,
                .weight = c.weight ? weight.v.p : NULL,
                .out = c.scatter ? DEV_COPY(out, c.rows) : NULL,
                .rows = c.rows,
                .add = c.add};
    Gather again = a;
    Mat cut = mat_twin(&y), threads = mat_twin(&y);
    run(stage_gather, &a);
    expect(&y, want, scale, (Bound){c.most > 1000 ? 1e-11 : 1e-12, 5e-6, 0});
    again.y = cut.v;
    run_parts(c.rows, 5, gather_part, &again);
    expect_same(&y, &cut);
    again.y = threads.v;
    run_threads(3, EACH_COLS, &(Batch){.cols = c.rows}, gather_part, &again);
    expect_same(&y, &threads);
    free(starts);
    free(index);
    free(out);
    end();
}

/* segmax.h: exact; NaN wins. */
static void segmax(int64_t rows, int64_t cols, int64_t most, KType type, int64_t pad)
{
    begin("segmax", "[%lld, %lld], up to %lld%s, pad %lld", (long long)rows, (long long)cols,
          (long long)most, type ? " bf16" : "", (long long)pad);
    int64_t *starts = segments(rows, most);
    Mat x = mat_in(type, starts[rows] + 3, cols, pad), y = mat_out(type, rows, cols, pad);
    double *want = wants(rows * cols);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++)
            for (int64_t k = starts[i]; k < starts[i + 1]; k++) {
                double v = mat_at(&x, k, j), *w = &want[i * cols + j];
                *w = k == starts[i] || v > *w ? v : *w;
            }
    Segmax a = {.x = x.v, .y = y.v, .starts = DEV_COPY(starts, rows + 1)};
    run(stage_segmax, &a);
    expect(&y, want, NULL, (Bound){0, 0, 0});
    if (rows > 0 && type == K_F32) { /* the first row's last token */
        float got = 0;
        mat_set(&x, starts[1] - 1, 0, NAN);
        run(stage_segmax, &a);
        fetch(y.v.p, &got, sizeof got);
        if (!isnan(got))
            fail("NaN gave %g", (double)got);
    }
    free(starts);
    end();
}

void ops_rows(void)
{
    static const int64_t shape[][4] = {{0, 8, 4, 0},  {1, 1, 1, 0},    {1, 384, 512, 0},
                                       {3, 83, 9, 1}, {40, 36, 60, 7}, {512, 5, 4, 0}};
    for (int s = 0; s < 6; s++) {
        const int64_t *n = shape[s];
        for (int bits = 0; bits < 6; bits++)
            embed(n[0], n[1], bits % 3 + 1, bits / 3 ? half() : K_F32, n[3]);
        for (int bits = 0; bits < 64; bits++)
            gather((Case){.rows = n[0],
                          .cols = n[1],
                          .most = n[2],
                          .pad = n[3],
                          .in = bits & 1 ? half() : K_F32,
                          .out = bits & 2 ? half() : K_F32,
                          .starts = bits & 4,
                          .index = bits & 8,
                          .weight = bits & 16,
                          .scatter = bits & 32,
                          .add = any(0, 1)});
        segmax(n[0], n[1], n[2], K_F32, n[3]);
        segmax(n[0], n[1], n[2], half(), n[3]);
    }
    for (int bits = 0; bits < 4; bits++) /* many items, and several such rows side by side */
        gather((Case){.rows = 6,
                      .cols = bits & 1 ? 20 : 7,
                      .most = 2600,
                      .in = bits & 2 ? half() : K_F32,
                      .starts = true,
                      .index = true,
                      .scatter = true,
                      .add = bits & 1});
    gather((Case){.rows = 4, .cols = 4, .most = 40000, .starts = true, .index = true});
}
