#include "tests/ops/ops_attend.h"

STAGE(attend)

static int64_t clamp(int64_t x, int64_t most)
{
    return x < -most ? -most : x > most ? most : x;
}

static double scale_of(const Case *c)
{
    return 1 / sqrt(c->size * (1 + (c->far & 1) + (c->far >> 1)));
}

/* Entries that some distances share. */
static void far_begin(Case *c)
{
    int64_t distances = 2 * c->reach + 1, entries = 1;
    c->entry = mem_zero((size_t)distances, sizeof *c->entry);
    for (int64_t i = 1; i < distances; i++)
        c->entry[i] = (int32_t)(entries += any(0, 3) > 0 ? 1 : 0) - 1;
    c->far_key = mat_in(K_F32, entries, c->heads * c->size, 3);
    c->far_query = mat_in(K_F32, entries, c->heads * c->size, 0);
    c->far_args = (AttendFar){.key = c->far & 1 ? c->far_key.v : (View){0},
                              .query = c->far & 2 ? c->far_query.v : (View){0},
                              .entry = DEV_COPY(c->entry, distances),
                              .reach = c->reach};
}

void attend_begin(const char *op, Case *c)
{
    c->starts[0] = 0;
    for (int64_t i = 0; i < c->rows; i++)
        c->starts[i + 1] = c->starts[i] + c->len[i];
    c->tokens = c->starts[c->rows];
    begin(op, "%lld rows, %lld tokens, %d heads of %d %s%s%s%s%s%s far %d, drop %g",
          (long long)c->rows, (long long)c->tokens, c->heads, c->size, type_name(c->in),
          c->causal ? " causal" : "", c->probs ? " probs" : "", c->apart ? " apart" : "",
          c->bias ? " bias" : "", c->in_place ? " in place" : "", c->far, (double)c->drop);
    c->number = mem_array((size_t)c->tokens, sizeof *c->number);
    for (int64_t i = 0; i < c->tokens; i++)
        c->number[i] = any(0, (int64_t)1 << 40);
    c->seed = rand_u64(&rng);
    c->site = (uint32_t)any(0, 99);
    c->table = mat_in(K_F32, c->bias ? c->heads : 0, 2 * c->reach + 1, 0);
    if (c->far)
        far_begin(c);
    c->batch = (Batch){.tokens = c->tokens,
                       .rows = c->rows,
                       .starts = DEV_COPY(c->starts, c->rows + 1),
                       .host_starts = c->starts,
                       .heads = c->heads};
}

void attend_end(Case *c)
{
    end();
    free(c->number);
    free(c->entry);
    c->entry = NULL;
}

Attend attend_args(const Case *c)
{
    return (Attend){.batch = &c->batch,
                    .size = c->size,
                    .scale = (float)scale_of(c),
                    .causal = c->causal,
                    .bias = c->bias ? c->table.v.p : NULL,
                    .reach = c->reach,
                    .far = c->far ? &c->far_args : NULL,
                    .drop = c->drop,
                    .seed = c->seed,
                    .site = c->site,
                    .numbers = c->drop > 0 ? DEV_COPY(c->number, c->tokens) : NULL};
}

Attend attend_alone(const Case *c, Attend a, int64_t row, Batch *one)
{
    int64_t from = c->starts[row], to = c->starts[row + 1];
    View *view[] = {&a.q, &a.k, &a.v, &a.y};
    static int64_t starts[2];
    starts[1] = to - from;
    *one = (Batch){.tokens = to - from,
                   .rows = 1,
                   .starts = DEV_COPY(starts, 2),
                   .host_starts = starts,
                   .heads = c->heads};
    for (int i = 0; i < 4; i++)
        *view[i] = view_rows(*view[i], from, to);
    a.batch = one;
    a.probs = NULL;
    a.lse = a.lse ? a.lse + from * c->heads : NULL;
    a.numbers = a.numbers ? a.numbers + from : NULL;
    return a;
}

void attend_weights(const Case *c, Side q, Side k, int64_t row, int64_t head, double *w, double *m,
                    double *lse)
{
    int64_t from = c->starts[row], len = c->len[row];
    for (int64_t i = 0; i < len; i++) {
        int64_t seen = c->causal ? i + 1 : len;
        double *wi = w + i * len, *mi = m + i * len, top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < len; j++)
            wi[j] = mi[j] = 0;
        for (int64_t j = 0; j < seen; j++) {
            int64_t e = c->far ? c->entry[clamp(i - j, c->reach) + c->reach] : 0;
            for (int s = 0; s < c->size; s++) {
                double qi = side_at(q, c, from + i, head, s), kj = side_at(k, c, from + j, head, s);
                wi[j] += qi * kj;
                if (c->far & 1)
                    wi[j] += qi * mat_at(&c->far_key, e, head * c->size + s);
                if (c->far & 2)
                    wi[j] += kj * mat_at(&c->far_query, e, head * c->size + s);
            }
            wi[j] *= scale_of(c);
            if (c->bias)
                wi[j] += mat_at(&c->table, head, c->reach + clamp(j - i, c->reach));
            top = fmax(top, wi[j]);
            mi[j] = c->drop > 0 && dropped(c->drop, c->seed, c->site + (uint32_t)head,
                                           (uint64_t)c->number[from + i], j)
                        ? 0
                        : 1 / (1 - (double)c->drop);
        }
        for (int64_t j = 0; j < seen; j++)
            sum += wi[j] = exp(wi[j] - top);
        for (int64_t j = 0; j < seen; j++)
            wi[j] /= sum;
        lse[i] = top + log(sum);
    }
}

/* y and, of |v| instead of v, its size; lse and, where wanted, probs from `at` on. */
typedef struct Want {
    double *y, *size, *lse, *probs;
} Want;

static void head(const Case *c, Side q, Side k, Side v, int64_t row, int64_t head, const Want *want,
                 int64_t at)
{
    int64_t from = c->starts[row], len = c->len[row], wide = c->heads * c->size;
    double *w = mem_array((size_t)(2 * len * len + len), sizeof *w), *m = w + len * len;
    double *lse = m + len * len;
    attend_weights(c, q, k, row, head, w, m, lse);
    for (int64_t i = 0; i < len; i++) {
        want->lse[(from + i) * c->heads + head] = lse[i];
        for (int64_t j = 0; j < len; j++) {
            want->probs[at + i * len + j] = w[i * len + j];
            for (int s = 0; s < c->size; s++) {
                int64_t to = (from + i) * wide + head * c->size + s;
                double x = w[i * len + j] * m[i * len + j] * side_at(v, c, from + j, head, s);
                want->y[to] += x;
                want->size[to] += fabs(x);
            }
        }
    }
    free(w);
}

/* attend.h: by tensor cores or in f32, and within what. */
static Bound bound(const Case *c)
{
    bool cuda = dev->f16 == K_F16;
    return (Bound){1e-11, 5e-6, cuda && c->in != K_F32 && c->size % 8 == 0 ? 2 : 1};
}

/* Also each row alone, and by several threads: the same bits. */
static void attend(Case c)
{
    int64_t wide = c.heads * c.size, at[ATTEND_ROWS + 1] = {0};
    c.probs = c.probs && c.drop == 0;
    attend_begin("attend", &c);
    for (int64_t i = 0; i < c.rows; i++)
        at[i + 1] = at[i] + c.heads * c.len[i] * c.len[i];
    Mat qkv = mat_in(c.in, c.tokens, 3 * wide, 0), km = qkv, vm = qkv;
    Mat y = mat_out(c.in, c.tokens, wide, c.apart ? 3 : 0), alone = mat_twin(&y);
    Mat lse = mat_out(K_F32, c.tokens, c.heads, 0), lse_alone = mat_twin(&lse);
    Mat probs = mat_out(K_F32, 1, c.probs ? at[c.rows] : 0, 0), threads = mat_twin(&y);
    Side q = {&qkv, 0}, k = {&qkv, wide}, v = {&qkv, 2 * wide};
    Attend a = attend_args(&c);
    a.q = view_cols(qkv.v, 0, wide);
    a.k = view_cols(qkv.v, wide, 2 * wide);
    a.v = view_cols(qkv.v, 2 * wide, 3 * wide);
    if (c.apart) {
        km = mat_in(c.in, c.tokens, wide, 1);
        vm = mat_in(c.in, c.tokens, wide, 5);
        k = (Side){&km, 0};
        v = (Side){&vm, 0};
        a.k = km.v;
        a.v = vm.v;
    }
    a.y = y.v;
    a.lse = lse.v.p;
    a.probs = c.probs ? probs.v.p : NULL;
    a.probs_at = c.probs ? DEV_COPY(at, c.rows + 1) : NULL;
    Want want = {wants(c.tokens * wide), wants(c.tokens * wide), wants(c.tokens * c.heads),
                 wants(at[c.rows])};
    for (int64_t i = 0; i < c.rows; i++)
        for (int64_t h = 0; h < c.heads; h++)
            head(&c, q, k, v, i, h, &want, at[i] + h * c.len[i] * c.len[i]);
    run_each(EACH_SEQS, &c.batch, stage_attend, &a);
    for (int64_t i = 0; i < c.tokens * wide; i++)
        want.size[i] = fmax(1, want.size[i]);
    expect(&y, want.y, want.size, bound(&c));
    expect(&lse, want.lse, NULL, (Bound){1e-11, 5e-6, 0});
    if (c.probs)
        expect(&probs, want.probs, NULL, (Bound){1e-11, 5e-6, 0});
    a.y = alone.v;
    a.lse = lse_alone.v.p;
    a.probs = NULL;
    for (int64_t i = 0; i < c.rows; i++) {
        Batch one;
        Attend b = attend_alone(&c, a, i, &one);
        run_each(EACH_SEQS, &one, stage_attend, &b);
    }
    expect_same(&lse, &lse_alone);
    if (!c.probs) /* the CPU computes more then, and rounds otherwise */
        expect_same(&y, &alone);
    a.y = threads.v;
    run_threads(5, EACH_SEQS, &c.batch, stage_attend, &a);
    expect_same(&alone, &threads);
    attend_end(&c);
}

void ops_attend(void)
{
    static const Case cases[] = {
        {.rows = 0, .heads = 2, .size = 32},
        {.rows = 1, .len = {1}, .heads = 1, .size = 32},
        {.rows = 6, .len = {5, 1, 0, 17, 31, 2}, .heads = 3, .size = 12},
        {.rows = 3, .len = {33, 64, 4}, .heads = 2, .size = 32},
        {.rows = 2, .len = {100, 3}, .heads = 2, .size = 64},
        {.rows = 2, .len = {7, 65}, .heads = 2, .size = 80},
        {.rows = 1, .len = {66}, .heads = 2, .size = 96},
        {.rows = 2, .len = {40, 129}, .heads = 1, .size = 128},
        {.rows = 2, .len = {150, 20}, .heads = 2, .size = 64},
        {.rows = 2, .len = {18, 3}, .heads = 1, .size = 40},
        {.rows = 1, .len = {9}, .heads = 4, .size = 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bits = 0; bits < 32; bits++) {
            Case c = cases[i];
            c.in = bits & 1 ? half() : K_F32;
            c.causal = bits & 2;
            c.probs = bits & 4;
            c.apart = bits & 8;
            c.drop = bits & 16 ? 0.3f : 0;
            c.bias = any(0, 1);
            c.reach = any(0, 70);
            attend(c);
            c.far = (int)any(1, 3);
            c.reach = any(0, 1) ? c.reach : any(0, 5);
            attend(c);
        }
    Case many = {.rows = ATTEND_ROWS, .heads = 3, .size = 32, .in = half()};
    for (int i = 0; i < ATTEND_ROWS; i++)
        many.len[i] = any(0, 40);
    attend(many);
    for (int far = 1; far < 4; far++)
        attend(
            (Case){.rows = 2, .len = {300, 67}, .heads = 2, .size = 64, .far = far, .reach = 299});
    attend((Case){.rows = 1, .len = {512}, .heads = 1, .size = 32, .drop = 0.1f});
    attend(
        (Case){.rows = 2, .len = {3, 512}, .heads = 1, .size = 64, .in = K_BF16, .causal = true});
    for (KType in = 0; in < K_TYPES; in++)
        if (takes(in))
            attend((Case){.rows = 1, .len = {512}, .heads = 1, .size = 128, .in = in});
}
