#include "kernels/vec.h"

typedef struct Row {
    const float *dy, *s, *gamma;
    vf mean, scale;
} Row;

VFN vf normed(const Row *w, int64_t j, int64_t n)
{
    return (vget(w->s, K_F32, j, n) - w->mean) * w->scale;
}

VFN vf graded(const Row *w, int64_t j, int64_t n)
{
    return vget(w->dy, K_F32, j, n) * vget(w->gamma, K_F32, j, n);
}

static void one_row(const NormBwd *a, int64_t i)
{
    int64_t cols = a->dy.cols;
    Row w = {VROW(a->dy, i), VROW(a->s, i), a->gamma, vset(a->stats[2 * i]),
             vset(a->stats[2 * i + 1])};
    vf plain = vset(0), along = vset(0);
    /* Columns beyond the last have a g of 0. */
    for (int64_t j = 0; j < cols; j += VN) {
        vf g = graded(&w, j, cols - j);
        plain += g;
        along += g * normed(&w, j, cols - j);
    }
    vf shift = vset(a->rms ? 0 : vsum(plain) / (float)cols), tilt = vset(vsum(along) / (float)cols);
    for (int64_t j = 0; j < cols; j += VN) {
        int64_t n = cols - j;
        vf d = w.scale * (graded(&w, j, n) - shift - normed(&w, j, n) * tilt);
        if (a->r.p)
            d += vget(VROW(a->r, i), a->r.type, j, n);
        vput(VROW(a->dx, i), K_F32, j, d, n);
        if (a->dx2.p)
            vput(VROW(a->dx2, i), a->dx2.type, j, d, n);
    }
}

void K(norm_bwd)(Piece *p, const NormBwd *a)
{
    (void)p;
    for (int64_t i = 0; i < a->dy.rows; i++)
        one_row(a, i);
}
