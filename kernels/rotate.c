#include "kernels/vec.h"

#include <math.h>

/* A head: its first column in x and in y. */
typedef struct Head {
    const void *x;
    void *y;
    int64_t from, to;
} Head;

static float size_of(const Rotate *a, const Head *h)
{
    vf s = vset(0);
    for (int64_t i = 0; i < a->size; i += VN) {
        vf x = vget(h->x, a->x.type, h->from + i, a->size - i);
        s += x * x;
    }
    return 1.0f / sqrtf(vsum(s) / (float)a->size + a->eps);
}

/* Columns i and on of the head, `n` at most, as they go into the turn. */
VFN vf column(const Rotate *a, const Head *h, int64_t i, int64_t n, const float *gamma, float by)
{
    vf x = vget(h->x, a->x.type, h->from + i, n);
    return gamma ? x * vset(by) * vget(gamma, K_F32, i, n) : x;
}

static void turn_head(const Rotate *a, const Head *h, const float *turn, const float *gamma)
{
    int64_t half = a->turned / 2;
    float by = gamma ? size_of(a, h) : 1;
    for (int64_t i = 0; i < half; i += VN) {
        int64_t n = half - i;
        vf u = column(a, h, i, n, gamma, by), v = column(a, h, half + i, n, gamma, by);
        vf c = vget(turn, K_F32, i, n), s = vget(turn, K_F32, half + i, n);
        vput(h->y, a->y.type, h->to + i, u * c - v * s, n);
        vput(h->y, a->y.type, h->to + half + i, v * c + u * s, n);
    }
    for (int64_t i = a->turned; i < a->size; i += VN)
        vput(h->y, a->y.type, h->to + i, column(a, h, i, a->size - i, gamma, by), a->size - i);
}

static void copy_head(const Rotate *a, const Head *h)
{
    for (int64_t i = 0; i < a->size; i += VN)
        vput(h->y, a->y.type, h->to + i, vget(h->x, a->x.type, h->from + i, a->size - i),
             a->size - i);
}

void K(rotate)(Piece *p, const Rotate *a)
{
    int64_t size = a->size, q = a->heads, kv = a->kv;
    int64_t times = a->y.cols == (q + 2 * kv) * size ? 1 : q / kv;
    (void)p;
    for (int64_t t = 0; t < a->x.rows; t++) {
        const float *turn = a->turns + (int64_t)a->place[t] * a->turned;
        Head h = {.x = VROW(a->x, t), .y = VROW(a->y, t)};
        for (int64_t i = 0; i < q; i++) {
            h.from = h.to = i * size;
            turn_head(a, &h, turn, a->query_gamma);
        }
        for (int64_t i = 0; i < kv * times; i++) {
            h.from = (q + i / times) * size;
            h.to = (q + i) * size;
            turn_head(a, &h, turn, a->key_gamma);
        }
        for (int64_t i = 0; i < kv * times; i++) {
            h.from = (q + kv + i / times) * size;
            h.to = (q + kv * times + i) * size;
            copy_head(a, &h);
        }
    }
}
