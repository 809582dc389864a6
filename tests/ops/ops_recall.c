/* recall: also each row alone, each token alone and by several threads, with the same bits. */
#include "tests/ops/ops.h"

STAGE(recall)

enum { ROWS = 5 };

typedef struct Case {
    int64_t rows, n[ROWS], len[ROWS]; /* queries; keys */
    int heads, size;
    KType in, store;
    bool given, causal, bias, shared, joined; /* joined: k and v are views of one matrix each */
    int64_t reach;
    int each; /* heads that look at one that is kept; 0: one */
    /* Made of these: */
    int64_t starts[ROWS + 1], at[ROWS + 1], slots;
    int32_t *slot;
    Batch batch;
    Mat table, qkv, kept[2]; /* kept: keys, values; or both twice */
} Case;

static int64_t cols_of(const Case *c)
{
    return (int64_t)c->heads * c->size;
}

/* What is kept of a token's keys, or of its values. */
static int64_t kept_cols(const Case *c)
{
    return cols_of(c) / (c->each ? c->each : 1);
}

/* Every key of a row has a slot of its own, anywhere; but old ones may be other rows' too. */
static void take_slots(Case *c)
{
    c->slots = c->at[c->rows] + 3;
    c->slot = mem_array((size_t)c->slots, sizeof *c->slot);
    for (int64_t i = 0; i < c->slots; i++) {
        int64_t j = any(0, i);
        c->slot[i] = c->slot[j];
        c->slot[j] = (int32_t)i;
    }
    for (int64_t r = 1; c->shared && r < c->rows; r++) {
        int64_t old = c->len[r] - (c->given ? c->n[r] : 0);
        int64_t others = c->len[0] - (c->given ? c->n[0] : 0);
        for (int64_t j = 0; j < old && j < others; j++)
            c->slot[c->at[r] + j] = c->slot[j];
    }
}

/* The slot of a new token. */
static int64_t slot_of(const Case *c, int64_t row, int64_t t)
{
    return c->slot[c->at[row] + c->len[row] - c->n[row] + t];
}

/* A column of keys (which: 0) or values (1) in what is kept. */
static int64_t kept_col(const Case *c, int which, int64_t j)
{
    return j + (c->joined ? which * kept_cols(c) : 0);
}

/* What is kept once all is there: [slots, cols of that matrix]. */
static double *after(const Case *c, int which)
{
    const Mat *m = &c->kept[which];
    double *to = wants(m->v.rows * m->v.cols);
    for (int64_t i = 0; i < m->v.rows; i++)
        for (int64_t j = 0; j < m->v.cols; j++)
            to[i * m->v.cols + j] = mat_at(m, i, j);
    for (int w = 0; c->given && w < 2; w++)
        for (int64_t r = 0; (c->joined || w == which) && r < c->rows; r++)
            for (int64_t t = 0; t < c->n[r]; t++)
                for (int64_t j = 0; j < cols_of(c); j++)
                    to[slot_of(c, r, t) * m->v.cols + kept_col(c, w, j)] = rounded(
                        c->store, mat_at(&c->qkv, c->starts[r] + t, (w + 1) * cols_of(c) + j));
    return to;
}

/* Slots that are to be written begin as NaN. */
static void poison(const Case *c, int which)
{
    const Mat *m = &c->kept[which];
    double *x = wants(m->v.rows * m->v.cols);
    for (int64_t i = 0; i < m->v.rows; i++)
        for (int64_t j = 0; j < m->v.cols; j++)
            x[i * m->v.cols + j] = mat_at(m, i, j);
    for (int64_t r = 0; r < c->rows; r++)
        for (int64_t t = 0; t < c->n[r]; t++)
            for (int64_t j = 0; j < m->v.cols; j++)
                x[slot_of(c, r, t) * m->v.cols + j] = (double)NAN;
    mat_fill(m, x);
}

static Case prepared(Case c)
{
    for (int64_t r = 0; r < c.rows; r++) {
        c.starts[r + 1] = c.starts[r] + c.n[r];
        c.at[r + 1] = c.at[r] + c.len[r];
    }
    begin("recall",
          "%lld rows, %lld tokens, %lld keys, %d heads of %d, %s over %s%s%s%s%s%s, reach %lld, %d "
          "a kept head",
          (long long)c.rows, (long long)c.starts[c.rows], (long long)c.at[c.rows], c.heads, c.size,
          type_name(c.in), type_name(c.store), c.given ? " given" : "", c.causal ? " causal" : "",
          c.bias ? " bias" : "", c.shared ? " shared" : "", c.joined ? " joined" : "",
          (long long)c.reach, c.each);
    take_slots(&c);
    c.table = mat_in(K_F32, c.bias ? c.heads : 0, 2 * c.reach + 1, 0);
    c.qkv = mat_in(c.in, c.starts[c.rows], 3 * cols_of(&c), c.joined ? 0 : 1);
    if (c.joined)
        c.kept[0] = c.kept[1] = mat_inout(c.store, c.slots, 2 * kept_cols(&c), 0);
    else
        for (int w = 0; w < 2; w++)
            c.kept[w] = mat_inout(c.store, c.slots, kept_cols(&c), 1 + 2 * w);
    for (int w = 0; c.given && w < 2 - c.joined; w++)
        poison(&c, w);
    return c;
}

static Recall args_of(const Case *c, const Mat kept[2], const Mat *y)
{
    int64_t cols = cols_of(c);
    Recall a = {.q = view_cols(c->qkv.v, 0, cols),
                .y = y->v,
                .batch = &c->batch,
                .slot = DEV_COPY(c->slot, c->at[c->rows]),
                .at = DEV_COPY(c->at, c->rows + 1),
                .host_at = c->at,
                .size = c->size,
                .scale = (float)(1 / sqrt(c->size)),
                .causal = c->causal,
                .bias = c->bias ? c->table.v.p : NULL,
                .reach = c->reach};
    View *store[] = {&a.keys, &a.values};
    for (int w = 0; w < 2; w++)
        *store[w] = view_cols(kept[w].v, kept_col(c, w, 0), kept_col(c, w, kept_cols(c)));
    if (c->given) {
        a.k = view_cols(c->qkv.v, cols, 2 * cols);
        a.v = view_cols(c->qkv.v, 2 * cols, 3 * cols);
    }
    return a;
}

/* y and, of |v| instead of v, its size. */
static void head(const Case *c, double *kept[2], int64_t row, int64_t head, double *y, double *size)
{
    int64_t n = c->n[row], len = c->len[row], cols = cols_of(c);
    int64_t away = (head - head / (c->each ? c->each : 1)) * c->size; /* of what it looks at */
    double *w = mem_array((size_t)len + 1, sizeof *w);
    for (int64_t t = 0; t < n; t++) {
        int64_t own = len - n + t, seen = c->causal ? own + 1 : len;
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < seen; j++) {
            const double *k = kept[0] + c->slot[c->at[row] + j] * c->kept[0].v.cols;
            w[j] = 0;
            for (int64_t s = head * c->size; s < (head + 1) * c->size; s++)
                w[j] += mat_at(&c->qkv, c->starts[row] + t, s) * k[kept_col(c, 0, s - away)];
            w[j] /= sqrt(c->size);
            int64_t far = j - own < -c->reach ? -c->reach : j - own > c->reach ? c->reach : j - own;
            w[j] += c->bias ? mat_at(&c->table, head, c->reach + far) : 0;
            top = fmax(top, w[j]);
        }
        for (int64_t j = 0; j < seen; j++)
            sum += w[j] = exp(w[j] - top);
        for (int64_t s = head * c->size; s < (head + 1) * c->size; s++) {
            int64_t to = (c->starts[row] + t) * cols + s;
            for (int64_t j = 0; j < seen; j++) {
                double v =
                    kept[1][c->slot[c->at[row] + j] * c->kept[1].v.cols + kept_col(c, 1, s - away)];
                y[to] += w[j] / sum * v;
                size[to] += w[j] / sum * fabs(v);
            }
            size[to] = fmax(1, size[to]);
        }
    }
    free(w);
}

/* Tokens [from, from + n) of a row by themselves, over its keys up to the last of them. */
typedef struct Alone {
    int64_t row, from, n;
    int64_t starts[2], at[2];
    Batch batch;
} Alone;

static void run_alone(const Case *c, Recall a, Alone *o, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t row = o[i].row, end = o[i].from + o[i].n;
        o[i].starts[1] = o[i].n;
        o[i].at[0] = c->at[row];
        o[i].at[1] = c->at[row + 1] - (c->causal ? c->n[row] - end : 0);
    }
    const Alone *there = DEV_COPY(o, count);
    for (int64_t i = 0; i < count; i++) {
        Recall b = a;
        View *view[] = {&b.q, &b.y, &b.k, &b.v};
        for (int k = 0; k < (c->given ? 4 : 2); k++) {
            int64_t from = c->starts[o[i].row] + o[i].from;
            *view[k] = view_rows(*view[k], from, from + o[i].n);
        }
        o[i].batch = (Batch){.tokens = o[i].n,
                             .rows = 1,
                             .starts = there[i].starts,
                             .host_starts = o[i].starts,
                             .heads = c->heads};
        b.batch = &o[i].batch;
        b.at = there[i].at;
        b.host_at = o[i].at;
        run_each(EACH_SEQS, &o[i].batch, stage_recall, &b);
    }
}

/* Each row alone, and then a token at a time where a token's own place stays what it is. */
static void by_themselves(const Case *c, const Mat before[2], const Mat *y, const Mat *fresh)
{
    Alone *o = mem_zero((size_t)(c->starts[c->rows] + c->rows + 1), sizeof *o);
    Mat rows[2] = {mat_twin(&before[0])}, steps[2] = {mat_twin(&before[0])};
    rows[1] = c->joined ? rows[0] : mat_twin(&before[1]);
    steps[1] = c->joined ? steps[0] : mat_twin(&before[1]);
    Mat row_y = mat_twin(fresh), step_y = mat_twin(fresh);
    int64_t count = 0;
    for (int64_t r = 0; r < c->rows; r++)
        o[count++] = (Alone){.row = r, .n = c->n[r]};
    run_alone(c, args_of(c, rows, &row_y), o, count);
    expect_same(y, &row_y);
    expect_same(&c->kept[0], &rows[0]);
    expect_same(&c->kept[1], &rows[1]);
    if (c->causal || (!c->given && !c->bias)) {
        count = 0;
        for (int64_t r = 0; r < c->rows; r++)
            for (int64_t t = 0; t < c->n[r]; t++)
                o[count++] = (Alone){.row = r, .from = t, .n = 1};
        run_alone(c, args_of(c, steps, &step_y), o, count);
        expect_same(y, &step_y);
        expect_same(&c->kept[0], &steps[0]);
        expect_same(&c->kept[1], &steps[1]);
    }
    free(o);
}

static void recall(Case given)
{
    Case c = prepared(given);
    int64_t tokens = c.starts[c.rows], cols = cols_of(&c);
    c.batch = (Batch){.tokens = tokens,
                      .rows = c.rows,
                      .starts = DEV_COPY(c.starts, c.rows + 1),
                      .host_starts = c.starts,
                      .heads = c.heads};
    Mat y = mat_out(c.in, tokens, cols, c.joined ? 0 : 3), fresh = mat_twin(&y);
    Mat before[2] = {mat_twin(&c.kept[0])}, threads = mat_twin(&y);
    before[1] = c.joined ? before[0] : mat_twin(&c.kept[1]);
    double *kept[2] = {after(&c, 0), after(&c, 1)};
    double *want = wants(tokens * cols), *size = wants(tokens * cols);
    for (int64_t r = 0; r < c.rows; r++)
        for (int64_t h = 0; h < c.heads; h++)
            head(&c, kept, r, h, want, size);
    Recall a = args_of(&c, c.kept, &y);
    run_each(EACH_SEQS, &c.batch, stage_recall, &a);
    expect(&y, want, size, (Bound){1e-11, 5e-6, 1});
    expect(&c.kept[0], kept[0], NULL, (Bound){0});
    expect(&c.kept[1], kept[1], NULL, (Bound){0});
    by_themselves(&c, before, &y, &fresh);
    a = args_of(&c, before, &threads);
    run_threads(5, EACH_SEQS, &c.batch, stage_recall, &a);
    expect_same(&y, &threads);
    free(c.slot);
    end();
}

void ops_recall(void)
{
    static const Case cases[] = {
        {.rows = 0, .heads = 2, .size = 8},
        {.rows = 1, .n = {1}, .len = {1}, .heads = 1, .size = 64},
        {.rows = 5, .n = {1, 1, 1, 1, 1}, .len = {1, 15, 16, 17, 33}, .heads = 2, .size = 64},
        {.rows = 5, .n = {3, 0, 1, 5, 2}, .len = {3, 4, 9, 5, 37}, .heads = 3, .size = 10},
        {.rows = 2, .n = {4, 2}, .len = {34, 2}, .heads = 16, .size = 8},
        {.rows = 2, .n = {6, 1}, .len = {6, 40}, .heads = 2, .size = 80},
        {.rows = 2, .n = {2, 3}, .len = {66, 31}, .heads = 1, .size = 128},
        {.rows = 1, .n = {37}, .len = {37}, .heads = 1, .size = 64},
        {.rows = 2, .n = {34, 3}, .len = {50, 20}, .heads = 1, .size = 7},
        {.rows = 1, .n = {5}, .len = {8}, .heads = 1, .size = 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bits = 0; bits < 32; bits++) {
            Case c = cases[i];
            c.given = bits & 1;
            c.causal = bits & 2;
            c.in = bits & 4 ? half() : K_F32;
            c.joined = bits & 8;
            c.shared = bits & 16;
            c.store = any(0, 2) ? c.in : any(0, 1) ? half() : K_F32;
            c.bias = any(0, 1);
            c.reach = any(0, 40);
            if (!c.given && c.heads % 2 == 0)
                c.each = (int)any(1, 2);
            recall(c);
        }
    recall(
        (Case){.rows = 2, .n = {1, 1}, .len = {1024, 1}, .heads = 2, .size = 64, .joined = true});
    recall((Case){.rows = 1,
                  .n = {40},
                  .len = {530},
                  .heads = 1,
                  .size = 64,
                  .given = true,
                  .causal = true,
                  .bias = true,
                  .reach = 127});
}
