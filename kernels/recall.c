/* Some queries of a row's head at a time: their scores, sixteen keys after the other; softmax;
 * their values, sixteen after the other again. What is read of the store serves all of them. The
 * sums of a query run over columns and keys in an order that knows of no other query, so it does
 * not matter how many there are.
 *
 * A score is summed along the key, which lies in one piece: to turn keys, as attend.c does, pays
 * where many queries come, but here it is mostly one. */
#include "kernels/attend_tile.h"

enum { KEYS = VN, MOST = 32, SCORES = 1 << 16, OFTEN = 3, REGISTERS = RN < 16 ? 8 : 4 };

typedef float v4 __attribute__((vector_size(16)));
typedef float v8 __attribute__((vector_size(32)));

typedef struct Head {
    const Recall *a;
    View q, y, k, v, keys, values; /* of the row's tokens, of the head's columns */
    const int32_t *slot;
    const float *bias;
    int64_t n, len;             /* tokens in the batch; keys */
    int64_t deep, wide;         /* size of the head, rounded up; floats from a query's scores on */
    int64_t most;               /* queries at a time */
    float *qs, *s, *out, *tile; /* [most, deep], [most, wide], [most, deep], [KEYS, deep] */
} Head;

/* Rows of the store as f32, `deep` columns each. */
typedef struct Rows {
    const float *row[KEYS];
} Rows;

static void keep_new(const Head *h)
{
    for (int64_t t = 0; t < h->n; t++) {
        int64_t slot = h->slot[h->len - h->n + t], size = h->a->size;
        for (int64_t c = 0; c < size; c += VN) {
            vput(VROW(h->keys, slot), h->keys.type, c, vget(VROW(h->k, t), h->k.type, c, size - c),
                 size - c);
            vput(VROW(h->values, slot), h->values.type, c,
                 vget(VROW(h->v, t), h->v.type, c, size - c), size - c);
        }
    }
}

/* Slots lie anywhere, too far for the hardware to foresee. Rows [i, end) of those from key j on; a
 * few at a time, for many at once would be waited for. */
VFN void fetch_rows(const Head *h, View store, int64_t j, int64_t i, int64_t end)
{
    size_t bytes = (size_t)h->a->size * ktype_size(store.type);
    for (; i < end && j + i < h->len; i++) {
        const char *row = VROW(store, h->slot[j + i]);
        for (size_t at = 0; at < bytes; at += 64)
            __builtin_prefetch(row + at);
    }
}

/* Those of the keys from j on, the last one again where there are no more. They stay in the store
 * if they are as we want them and few queries look: many do better with them side by side. */
VFN Rows rows_at(const Head *h, View store, int64_t j, int64_t count)
{
    Rows r;
    bool plain = store.type == K_F32 && h->deep == h->a->size;
    for (int64_t i = 0; i < KEYS; i++) {
        const void *x = VROW(store, h->slot[j + i < h->len ? j + i : h->len - 1]);
        float *to = h->tile + i * h->deep;
        r.row[i] = plain && count < OFTEN ? x : to;
        if (!plain)
            tile_row(x, store.type, h->a->size, to, h->deep);
        else if (count >= OFTEN)
            for (int64_t c = 0; c < h->deep; c += VN)
                memcpy(to + c, (const float *)x + c, VN * sizeof *to);
    }
    return r;
}

VFN v4 fold(const vr *s)
{
#if defined __AVX512F__
    v8 h = __builtin_shufflevector(s[0], s[0], 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(s[0], s[0], 8, 9, 10, 11, 12, 13, 14, 15);
    return __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
#elif defined __AVX__
    v8 h = s[0] + s[1];
    return __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
#else
    return (s[0] + s[2]) + (s[1] + s[3]);
#endif
}

/* a[0] + a[2] .. b[1] + b[3]; then the sums of neighbours. */
VFN v4 fold_far(v4 a, v4 b)
{
    return __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
}
VFN v4 fold_near(v4 a, v4 b)
{
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
}

VFN void scores_of(const float *q, const Rows *r, int64_t deep, float *to)
{
    for (int k = 0; k < KEYS; k += 4) {
        vr s[4][VN / RN] = {{{0}}};
        for (int64_t c = 0; c < deep; c += VN)
            for (int i = 0; i < VN / RN; i++) {
                vr x = rload(q + c + i * RN);
                for (int n = 0; n < 4; n++)
                    s[n][i] += x * rload(r->row[k + n] + c + i * RN);
            }
        v4 sum = fold_near(fold_far(fold(s[0]), fold(s[1])), fold_far(fold(s[2]), fold(s[3])));
        memcpy(to + k, &sum, sizeof sum);
    }
}

/* s[0..16) = q times each of the rows. */
static void scores(const float *q, const Rows *r, int64_t deep, float *s)
{
    if (deep == 64)
        scores_of(q, r, 64, s);
    else
        scores_of(q, r, deep, s);
}

/* out[c ..] += w[i] times row i for the first `keys` rows, in order; n registers at a time. */
VFN void add(int n, const float *w, const Rows *r, int64_t keys, int64_t c, float *out)
{
    vr sum[REGISTERS];
    for (int v = 0; v < n; v++)
        sum[v] = rload(out + c + v * RN);
    for (int64_t i = 0; i < keys; i++)
        for (int v = 0; v < n; v++)
            sum[v] += w[i] * rload(r->row[i] + c + v * RN);
    for (int v = 0; v < n; v++)
        memcpy(out + c + v * RN, &sum[v], sizeof sum[v]);
}

static void add_values(const float *w, const Rows *r, int64_t keys, int64_t deep, float *out)
{
    int64_t c = 0;
    for (; c + REGISTERS * RN <= deep; c += REGISTERS * RN)
        add(REGISTERS, w, r, keys, c, out);
    for (; c < deep; c += RN)
        add(1, w, r, keys, c, out);
}

/* How many keys the row's token t sees. */
static int64_t seen_by(const Head *h, int64_t t)
{
    int64_t seen = h->a->causal ? h->len - h->n + t + 1 : h->len;
    return seen > 0 ? seen : 0;
}

/* Tokens [from, from + count) of the row. */
static void some_queries(const Head *h, int64_t from, int64_t count)
{
    int64_t all = seen_by(h, from + count - 1), size = h->a->size;
    for (int64_t t = 0; t < count; t++)
        for (int64_t c = 0; c < h->deep; c += VN) {
            vf q = c < size ? vget(VROW(h->q, from + t), h->q.type, c, size - c) : vset(0);
            vstore(h->qs + t * h->deep + c, q * vset(h->a->scale));
            vstore(h->out + t * h->deep + c, vset(0));
        }
    for (int64_t j = 0; j < all; j += KEYS) {
        Rows r = rows_at(h, h->keys, j, count);
        for (int64_t t = 0; t < count; t++) {
            fetch_rows(h, h->keys, j + KEYS, t * KEYS / count, (t + 1) * KEYS / count);
            if (j < seen_by(h, from + t))
                scores(h->qs + t * h->deep, &r, h->deep, h->s + t * h->wide + j);
        }
    }
    float inverse[MOST], top;
    for (int64_t t = 0; t < count; t++) {
        int64_t seen = seen_by(h, from + t);
        float *s = h->s + t * h->wide;
        if (h->bias)
            tile_bias(s, h->len - h->n + from + t, seen, h->bias, h->a->reach);
        inverse[t] = seen ? 1.0f / soften(s, seen, whole_vectors(seen), &top) : 0;
    }
    for (int64_t j = 0; j < all; j += KEYS) {
        Rows r = rows_at(h, h->values, j, count);
        for (int64_t t = 0; t < count; t++) {
            int64_t left = seen_by(h, from + t) - j;
            fetch_rows(h, h->values, j + KEYS, t * KEYS / count, (t + 1) * KEYS / count);
            add_values(h->s + t * h->wide + j, &r, left < KEYS ? left : KEYS, h->deep,
                       h->out + t * h->deep);
        }
    }
    for (int64_t t = 0; t < count; t++)
        for (int64_t c = 0; c < size; c += VN)
            vput(VROW(h->y, from + t), h->y.type, c,
                 vload(h->out + t * h->deep + c) * vset(inverse[t]), size - c);
}

static Head head_at(const Recall *a, int64_t row, int64_t head)
{
    const Batch *b = a->batch;
    int64_t from = b->starts[row], to = b->starts[row + 1], col = head * a->size;
    int64_t kept = head / (a->q.cols / a->keys.cols) * a->size;
    Head h = {.a = a,
              .q = a->q,
              .y = a->y,
              .k = a->k,
              .v = a->v,
              .keys = view_cols(a->keys, kept, kept + a->size),
              .values = view_cols(a->values, kept, kept + a->size),
              .slot = a->slot + a->at[row],
              .bias = a->bias ? a->bias + head * (2 * a->reach + 1) : NULL,
              .n = to - from,
              .len = a->at[row + 1] - a->at[row],
              .deep = whole_vectors(a->size)};
    View *mine[] = {&h.q, &h.y, &h.k, &h.v};
    for (int i = 0; i < 4; i++)
        if (mine[i]->p)
            *mine[i] = view_cols(view_rows(*mine[i], from, to), col, col + a->size);
    h.wide = whole_vectors(h.len) + VN; /* never whole pages apart */
    h.most = SCORES / h.wide < OFTEN + 1 ? OFTEN + 1 : SCORES / h.wide;
    h.most = h.most < MOST ? h.most : MOST;
    h.most = h.most < h.n ? h.most : h.n;
    return h;
}

void K(recall)(Piece *p, const Recall *a)
{
    float *memory = NULL;
    size_t have = 0;

    for (int64_t at = p->lo; at < p->hi; at++) {
        Head h = head_at(a, at / a->batch->heads, at % a->batch->heads);
        size_t need = (size_t)(h.most * (h.deep + h.wide + h.deep) + KEYS * h.deep);
        if (need > have) {
            have = need;
            memory = p->dev->temp(p, need * sizeof *memory);
        }
        h.qs = memory;
        h.s = h.qs + h.most * h.deep;
        h.out = h.s + h.most * h.wide;
        h.tile = h.out + h.most * h.deep;
        if (h.k.p)
            keep_new(&h);
        for (int64_t t = 0; t < h.n; t += h.most)
            some_queries(&h, t, h.n - t < h.most ? h.n - t : h.most);
    }
}
