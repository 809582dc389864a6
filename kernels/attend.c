/* Four queries at a time against all keys of the row: scores, softmax, weighted values. The keys
 * are turned (size x len) and both keys and values are widened into temporary memory once a
 * head; scores of four queries stay in the first cache. */
#include "kernels/attend_far.h"
#include "kernels/drop.h"

#include <math.h>

typedef struct Head {
    int64_t len, wide;  /* tokens; the same rounded up to VN */
    int64_t size, deep; /* size of the head; rounded up */
    int64_t from;       /* its row's first token */
    int head;
    float *q, *kt, *v; /* [QUERIES, size], [size, wide], [len, deep] */
    float *s, *out;    /* [QUERIES, wide], [QUERIES, deep] */
    Far far;
} Head;

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
        tile_row(VROW(k, j), k.type, h->size, row, h->deep);
        for (int64_t c = 0; c < h->size; c++)
            h->kt[c * h->wide + j] = row[c];
        tile_row(VROW(v, j), v.type, h->size, h->v + j * h->deep, h->deep);
    }
    for (int64_t c = 0; c < h->size; c++)
        for (int64_t j = h->len; j < h->wide; j++)
            h->kt[c * h->wide + j] = 0;
}

static void drop_weights(const Attend *a, const Head *h, int64_t query, float *s, int64_t wide)
{
    uint64_t row = (uint64_t)a->numbers[h->from + query];
    Dropper d = drop_begin(a->drop, a->seed, a->site + (uint32_t)h->head, row);
    vf k = vset(1 / (1 - a->drop));
    for (int64_t j = 0; j < wide; j += VN)
        vstore(s + j, drop_kept(&d, vload(s + j), j) * k);
}

static void four_queries(const Head *h, const Attend *a, View q, View y, int64_t i,
                         const float *bias, float *probs)
{
    int64_t count = h->len - i < QUERIES ? h->len - i : QUERIES;
    float inverse[QUERIES];
    /* Keys that none of the four sees are left out (unless their weights are looked at); what is
     * left out would add zeros. */
    int64_t keys = a->causal && !probs ? i + count : h->len, wide = whole_vectors(keys);

    four_rows(q, i, h->size, a->scale, h->q);
    tile(h->q, h->size, h->kt, h->wide, h->size, wide, h->s, h->wide);
    if (a->far)
        far_add(&h->far, h->q, i, h->s);
    for (int64_t r = 0; r < QUERIES; r++) {
        float *s = h->s + r * h->wide, top;
        int64_t seen = a->causal && r < count ? i + r + 1 : keys;
        if (bias)
            tile_bias(s, i + r, seen, bias, a->reach);
        float sum = soften(s, seen, wide, &top);
        inverse[r] = 1.0f / sum;
        if (a->lse && r < count)
            a->lse[(h->from + i + r) * a->batch->heads + h->head] = top + logf(sum);
        if (a->drop > 0 && r < count)
            drop_weights(a, h, i + r, s, wide);
    }
    tile(h->s, h->wide, h->v, h->deep, keys, h->deep, h->out, h->deep);
    for (int64_t r = 0; r < count; r++) {
        vf k = vset(inverse[r]);
        for (int64_t n = 0; n < h->size; n += VN)
            vput(VROW(y, i + r), y.type, n, vload(h->out + r * h->deep + n) * k, h->size - n);
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
                  .wide = whole_vectors(len),
                  .size = a->size,
                  .deep = whole_vectors(a->size),
                  .from = from,
                  .head = (int)head};
        View part[4] = {a->q, a->k, a->v, a->y};
        for (int i = 0; i < 4; i++)
            part[i] = view_cols(view_rows(part[i], from, from + len), head * a->size,
                                (head + 1) * a->size);
        size_t far = far_begin(&h.far, a->far, len, a->size);
        size_t need = (size_t)(QUERIES * h.size + VN + h.size * h.wide + len * h.deep +
                               QUERIES * h.wide + (QUERIES + 1) * h.deep) +
                      far;
        if (need > have) {
            have = need;
            memory = p->dev->temp(p, need * sizeof *memory);
        }
        h.q = memory;
        h.kt = h.q + whole_vectors(QUERIES * h.size);
        h.v = h.kt + h.size * h.wide;
        h.s = h.v + len * h.deep;
        h.out = h.s + QUERIES * h.wide;
        float *spare = h.out + QUERIES * h.deep;
        load_keys(&h, part[0], part[1], part[2], spare);
        if (far)
            far_use(&h.far, spare + h.deep, head);
        float *probs = a->probs ? a->probs + a->probs_at[row] + head * len * len : NULL;
        const float *bias = a->bias ? a->bias + head * (2 * a->reach + 1) : NULL;
        for (int64_t i = 0; i < len; i += QUERIES) {
            if (far && i % BLOCK == 0)
                far_keys(&h.far, part[1], a->scale, i);
            four_queries(&h, a, part[0], part[3], i, bias, probs);
        }
    }
}
