#include "kernels/vec.h"

/* The sum over a head's places, `times` of them from column `from` on. */
VFN vf summed(const RotateBwd *a, const void *dy, int64_t from, int64_t times, int64_t n)
{
    vf s = vget(dy, a->dy.type, from, n);
    for (int64_t k = 1; k < times; k++)
        s += vget(dy, a->dy.type, from + k * a->size, n);
    return s;
}

static void back_head(const RotateBwd *a, const void *dy, int64_t from, int64_t times, void *dx,
                      int64_t to, const float *turn)
{
    int64_t turned = turn ? a->turned : 0, half = turned / 2;
    for (int64_t i = 0; i < half; i += VN) {
        int64_t n = half - i;
        vf u = summed(a, dy, from + i, times, n), v = summed(a, dy, from + half + i, times, n);
        vf c = vget(turn, K_F32, i, n), s = vget(turn, K_F32, half + i, n);
        vput(dx, a->dx.type, to + i, u * c + v * s, n);
        vput(dx, a->dx.type, to + half + i, v * c - u * s, n);
    }
    for (int64_t i = turned; i < a->size; i += VN)
        vput(dx, a->dx.type, to + i, summed(a, dy, from + i, times, a->size - i), a->size - i);
}

void K(rotate_bwd)(Piece *p, const RotateBwd *a)
{
    int64_t size = a->size, q = a->heads, kv = a->kv;
    int64_t times = a->dy.cols == (q + 2 * kv) * size ? 1 : q / kv;
    (void)p;
    for (int64_t t = 0; t < a->dx.rows; t++) {
        const float *turn = a->turns + (int64_t)a->place[t] * a->turned;
        const void *dy = VROW(a->dy, t);
        void *dx = VROW(a->dx, t);
        for (int64_t i = 0; i < q; i++)
            back_head(a, dy, i * size, 1, dx, i * size, turn);
        for (int64_t i = 0; i < kv; i++)
            back_head(a, dy, (q + i * times) * size, times, dx, (q + i) * size, turn);
        for (int64_t i = 0; i < kv; i++)
            back_head(a, dy, (q + (kv + i) * times) * size, times, dx, (q + kv + i) * size, NULL);
    }
}
