#include "tests/ops/ops.h"

STAGE(attend)

typedef struct Case {
    int64_t rows, len[6];
    int heads, size;
    KType in;
    bool causal, probs, apart, bias;
    int64_t reach;
} Case;

static int64_t clamp(int64_t x, int64_t most)
{
    return x < -most ? -most : x > most ? most : x;
}

/* One head of one row into want [tokens, heads * size], the same of |v| into size, and, where
 * wanted, probs [len, len]. `bias`: the head's, NULL: none. */
static void head(const Case *c, const Mat *q, const Mat *k, const Mat *v, int64_t qcol,
                 int64_t kcol, int64_t vcol, int64_t from, int64_t len, const float *bias,
                 double *want, double *size, double *probs)
{
    double *w = mem_array((size_t)len + 1, sizeof *w);
    for (int64_t i = 0; i < len; i++) {
        int64_t seen = c->causal ? i + 1 : len;
        double top = -INFINITY, sum = 0;
        for (int64_t j = 0; j < seen; j++) {
            w[j] = 0;
            for (int s = 0; s < c->size; s++)
                w[j] += mat_at(q, from + i, qcol + s) * mat_at(k, from + j, kcol + s);
            w[j] /= sqrt(c->size);
            if (bias)
                w[j] += (double)bias[c->reach + clamp(j - i, c->reach)];
            top = fmax(top, w[j]);
        }
        for (int64_t j = 0; j < seen; j++)
            sum += w[j] = exp(w[j] - top);
        for (int64_t j = 0; j < seen; j++) {
            w[j] /= sum;
            probs[i * len + j] = w[j];
            for (int s = 0; s < c->size; s++) {
                int64_t at = (from + i) * c->heads * c->size + s;
                want[at] += w[j] * mat_at(v, from + j, vcol + s);
                size[at] += w[j] * fabs(mat_at(v, from + j, vcol + s));
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

static void attend(const Case *c)
{
    int64_t wide = c->heads * c->size, starts[7] = {0}, at[7] = {0};
    for (int64_t i = 0; i < c->rows; i++) {
        starts[i + 1] = starts[i] + c->len[i];
        at[i + 1] = at[i] + c->heads * c->len[i] * c->len[i];
    }
    int64_t tokens = starts[c->rows];
    begin("attend", "%lld rows, %lld tokens, %d heads of %d %s%s%s%s%s", (long long)c->rows,
          (long long)tokens, c->heads, c->size, type_name(c->in), c->causal ? " causal" : "",
          c->probs ? " probs" : "", c->apart ? " apart" : "", c->bias ? " bias" : "");
    Mat qkv = mat_in(c->in, tokens, 3 * wide, 0), k = qkv, v = qkv;
    Mat y = mat_out(c->in, tokens, wide, c->apart ? 3 : 0);
    Mat probs = mat_out(K_F32, 1, c->probs ? at[c->rows] : 0, 0);
    View vq = view_cols(qkv.v, 0, wide), vk = view_cols(qkv.v, wide, 2 * wide);
    View vv = view_cols(qkv.v, 2 * wide, 3 * wide);
    int64_t kcol = wide, vcol = 2 * wide;
    if (c->apart) {
        k = mat_in(c->in, tokens, wide, 1);
        v = mat_in(c->in, tokens, wide, 5);
        vk = k.v;
        vv = v.v;
        kcol = vcol = 0;
    }
    double *want = wants(tokens * wide), *size = wants(tokens * wide);
    Mat bias = mat_in(K_F32, c->bias ? c->heads : 0, 2 * c->reach + 1, 0);
    const float *table = (const float *)(const void *)(bias.host + bias.at);
    double *weights = wants(at[c->rows]);
    for (int64_t i = 0; i < c->rows; i++)
        for (int64_t h = 0; h < c->heads; h++)
            head(c, &qkv, &k, &v, h * c->size, kcol + h * c->size, vcol + h * c->size, starts[i],
                 c->len[i], c->bias ? table + h * (2 * c->reach + 1) : NULL, want + h * c->size,
                 size + h * c->size, weights + at[i] + h * c->len[i] * c->len[i]);
    Batch b = {.tokens = tokens,
               .rows = c->rows,
               .starts = DEV_COPY(starts, c->rows + 1),
               .host_starts = starts,
               .heads = c->heads};
    run_each(EACH_SEQS, &b, stage_attend,
             &(Attend){.q = vq,
                       .k = vk,
                       .v = vv,
                       .y = y.v,
                       .batch = &b,
                       .size = c->size,
                       .scale = (float)(1 / sqrt(c->size)),
                       .causal = c->causal,
                       .bias = c->bias ? bias.v.p : NULL,
                       .reach = c->reach,
                       .probs = c->probs ? probs.v.p : NULL,
                       .probs_at = c->probs ? DEV_COPY(at, c->rows + 1) : NULL});
    for (int64_t i = 0; i < tokens * wide; i++)
        size[i] = fmax(1, size[i]);
    expect(&y, want, size, bound(c));
    if (c->probs)
        expect(&probs, weights, NULL, (Bound){1e-11, 5e-6, 0});
    end();
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
        {.rows = 2, .len = {18, 3}, .heads = 1, .size = 40},
        {.rows = 1, .len = {9}, .heads = 4, .size = 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bits = 0; bits < 16; bits++) {
            Case c = cases[i];
            c.in = bits & 1 ? half() : K_F32;
            c.causal = bits & 2;
            c.probs = bits & 4;
            c.apart = bits & 8;
            c.bias = any(0, 1);
            c.reach = any(0, 70);
            attend(&c);
        }
    attend(&(Case){.rows = 1, .len = {512}, .heads = 1, .size = 32});
    attend(
        &(Case){.rows = 2, .len = {3, 512}, .heads = 1, .size = 64, .in = K_BF16, .causal = true});
    for (KType in = 0; in < K_TYPES; in++)
        if (takes(in))
            attend(&(Case){.rows = 1, .len = {512}, .heads = 1, .size = 128, .in = in});
}
