/* Four queries at a time against all keys of the row: scores, softmax, weighted values. The keys
 * are turned (size x len) and both keys and values are widened into temporary memory once a
 * head; scores of four queries stay in the first cache. */
#include "kernels/vec.h"

enum { QUERIES = 4 };

typedef struct Head {
    int64_t len, wide;  /* tokens; the same rounded up to VN */
    int64_t size, deep; /* size of the head; rounded up */
    float *q, *kt, *v;  /* [QUERIES, size], [size, wide], [len, deep] */
    float *s;           /* [QUERIES, wide] */
} Head;

static void widen_row(const void *x, KType type, int64_t n, float *to, int64_t room)
{
    for (int64_t j = 0; j < room; j += VN)
        vstore(to + j, j < n ? vget(x, type, j, n - j) : vset(0));
}

/* The next head's numbers stand beside ours, a long way from one token to the next: too far for
 * the hardware to foresee. */
VFN void fetch_next(const Head *h, View v, int64_t j)
{
    size_t bytes = (size_t)h->size * ktype_size(v.type);
    const char *next = (const char *)VROW(v, j) + bytes;
    for (size_t at = 0; at < bytes; at += 64)
        __builtin_prefetch(next + at);
}

static void load_keys(Head *h, View q, View k, View v, float *row)
{
    for (int64_t j = 0; j < h->len; j++) {
        fetch_next(h, q, j);
        fetch_next(h, k, j);
        fetch_next(h, v, j);
        widen_row(VROW(k, j), k.type, h->size, row, h->deep);
        for (int64_t c = 0; c < h->size; c++)
            h->kt[c * h->wide + j] = row[c];
        widen_row(VROW(v, j), v.type, h->size, h->v + j * h->deep, h->deep);
    }
    for (int64_t c = 0; c < h->size; c++)
        for (int64_t j = h->len; j < h->wide; j++)
            h->kt[c * h->wide + j] = 0;
}

/* s[0..4][j .. j + n * VN) = q kt, n vectors of keys at a time. */
#define SCORES(n)                                                                                  \
    VFN void scores##n(const Head *h, int64_t j)                                                   \
    {                                                                                              \
        vf sum[QUERIES][n];                                                                        \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int b = 0; b < n; b++)                                                            \
                sum[r][b] = vset(0);                                                               \
        for (int64_t c = 0; c < h->size; c++)                                                      \
            for (int b = 0; b < n; b++) {                                                          \
                vf k = vload(h->kt + c * h->wide + j + b * VN);                                    \
                for (int r = 0; r < QUERIES; r++)                                                  \
                    sum[r][b] += vset(h->q[r * h->size + c]) * k;                                  \
            }                                                                                      \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int b = 0; b < n; b++)                                                            \
                vstore(h->s + r * h->wide + j + b * VN, sum[r][b]);                                \
    }
SCORES(1)
SCORES(2)
SCORES(4)

/* out[0..4][c .. c + n * VN) = s v over the first `seen` keys. */
#define VALUES(n)                                                                                  \
    VFN void values##n(const Head *h, int64_t c, int64_t seen, float *out)                         \
    {                                                                                              \
        vf sum[QUERIES][n];                                                                        \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int b = 0; b < n; b++)                                                            \
                sum[r][b] = vset(0);                                                               \
        for (int64_t j = 0; j < seen; j++)                                                         \
            for (int b = 0; b < n; b++) {                                                          \
                vf v = vload(h->v + j * h->deep + c + b * VN);                                     \
                for (int r = 0; r < QUERIES; r++)                                                  \
                    sum[r][b] += vset(h->s[r * h->wide + j]) * v;                                  \
            }                                                                                      \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int b = 0; b < n; b++)                                                            \
                vstore(out + r * h->deep + c + b * VN, sum[r][b]);                                 \
    }
VALUES(1)
VALUES(2)
VALUES(4)

/* s[j] += bias[clamp(j - i, -reach, reach) + reach] for the first n scores of query i. */
static void add_bias(float *s, int64_t i, int64_t n, const float *bias, int64_t reach)
{
    int64_t from = i - reach < 0 ? 0 : i - reach < n ? i - reach : n;
    int64_t to = i + reach + 1 < n ? i + reach + 1 : n;
    for (int64_t j = 0; j < from; j++)
        s[j] += bias[0];
    for (int64_t j = from; j < to; j++)
        s[j] += bias[j - i + reach];
    for (int64_t j = to; j < n; j++)
        s[j] += bias[2 * reach];
}

/* Softmax of the first n scores of a row; the rest become 0. Returns 1 / sum. */
static float soften(float *s, int64_t n, int64_t wide)
{
    for (int64_t j = n; j < wide; j++)
        s[j] = -1e30f;
    vf top = vload(s), sum = vset(0);
    for (int64_t j = VN; j < wide; j += VN)
        top = vmax(vload(s + j), top);
    vf t = vset(vtop(top));
    for (int64_t j = 0; j < wide; j += VN) {
        vf e = vexp(vload(s + j) - t);
        vstore(s + j, e);
        sum += e;
    }
    return 1.0f / vsum(sum);
}

static void four_queries(const Head *h, const Attend *a, View q, View y, int64_t i,
                         const float *bias, float *out, float *probs)
{
    int64_t j = 0, c = 0, count = h->len - i < QUERIES ? h->len - i : QUERIES;
    float inverse[QUERIES];
    /* Keys that none of the four sees are left out (unless their weights are looked at); what is
     * left out would add zeros. */
    int64_t keys = a->causal && !probs ? i + count : h->len, wide = (keys + VN - 1) / VN * VN;

    for (int64_t r = 0; r < QUERIES; r++) { /* a short last group repeats its last query */
        const void *x = VROW(q, i + (r < count ? r : count - 1));
        for (int64_t k = 0; k < h->size; k += VN)
            vput(h->q + r * h->size, K_F32, k, vget(x, q.type, k, h->size - k) * vset(a->scale),
                 h->size - k);
    }
    for (; j + 4 * VN <= wide; j += 4 * VN)
        scores4(h, j);
    for (; j + 2 * VN <= wide; j += 2 * VN)
        scores2(h, j);
    for (; j < wide; j += VN)
        scores1(h, j);
    for (int64_t r = 0; r < QUERIES; r++) {
        int64_t seen = a->causal && r < count ? i + r + 1 : keys;
        if (bias)
            add_bias(h->s + r * h->wide, i + r, seen, bias, a->reach);
        inverse[r] = soften(h->s + r * h->wide, seen, wide);
    }
    for (; c + 4 * VN <= h->deep; c += 4 * VN)
        values4(h, c, keys, out);
    for (; c + 2 * VN <= h->deep; c += 2 * VN)
        values2(h, c, keys, out);
    for (; c < h->deep; c += VN)
        values1(h, c, keys, out);
    for (int64_t r = 0; r < count; r++) {
        vf k = vset(inverse[r]);
        for (int64_t n = 0; n < h->size; n += VN)
            vput(VROW(y, i + r), y.type, n, vload(out + r * h->deep + n) * k, h->size - n);
        for (int64_t n = 0; probs && n < h->len; n++)
            probs[(i + r) * h->len + n] = h->s[r * h->wide + n] * inverse[r];
    }
}

void K(attend)(Piece *p, const Attend *a)
{
    const Batch *b = a->batch;
    float *memory = NULL;
    size_t have = 0;

    for (int64_t at = p->lo; at < p->hi; at++) {
        int64_t row = at / b->heads, head = at % b->heads;
        int64_t from = b->starts[row], len = b->starts[row + 1] - from;
        Head h = {.len = len,
                  .wide = (len + VN - 1) / VN * VN,
                  .size = a->size,
                  .deep = (a->size + VN - 1) / VN * VN};
        View part[4] = {a->q, a->k, a->v, a->y};
        for (int i = 0; i < 4; i++)
            part[i] = view_cols(view_rows(part[i], from, from + len), head * a->size,
                                (head + 1) * a->size);
        size_t need = (size_t)(QUERIES * h.size + VN + h.size * h.wide + len * h.deep +
                               QUERIES * h.wide + (QUERIES + 1) * h.deep);
        if (need > have) {
            have = need;
            memory = p->dev->temp(p, need * sizeof *memory);
        }
        h.q = memory;
        h.kt = h.q + (QUERIES * h.size + VN - 1) / VN * VN;
        h.v = h.kt + h.size * h.wide;
        h.s = h.v + len * h.deep;
        float *out = h.s + QUERIES * h.wide, *row_buf = out + QUERIES * h.deep;
        load_keys(&h, part[0], part[1], part[2], row_buf);
        float *probs = a->probs ? a->probs + a->probs_at[row] + head * len * len : NULL;
        const float *bias = a->bias ? a->bias + head * (2 * a->reach + 1) : NULL;
        for (int64_t i = 0; i < len; i += QUERIES)
            four_queries(&h, a, part[0], part[3], i, bias, out, probs);
    }
}
