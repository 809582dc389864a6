#include "kernels/vec.h"

/* Sum of f over a row, sixteen lanes in two strands: fixed order, short chains. */
#define ROW_SUM(total, n, expr)                                                                    \
    do {                                                                                           \
        vf even = vset(0), odd = vset(0);                                                          \
        int64_t j = 0;                                                                             \
        for (; j + 2 * VN <= (n); j += 2 * VN) {                                                   \
            vf v = vload(s + j);                                                                   \
            even += (expr);                                                                        \
            v = vload(s + j + VN);                                                                 \
            odd += (expr);                                                                         \
        }                                                                                          \
        for (; j + VN <= (n); j += VN) {                                                           \
            vf v = vload(s + j);                                                                   \
            even += (expr);                                                                        \
        }                                                                                          \
        total = vsum(even + odd);                                                                  \
        for (; j < (n); j++) {                                                                     \
            vf v = vset(s[j]);                                                                     \
            total += (expr)[0];                                                                    \
        }                                                                                          \
    } while (0)

/* s = x + r as f32, into `sum` too where that is wanted. */
static void row_in(const Norm *a, int64_t i, float *s)
{
    int64_t n = a->x.cols;
    const void *x = VROW(a->x, i), *r = a->r.p ? VROW(a->r, i) : NULL;
    for (int64_t j = 0; j < n; j += VN) {
        int64_t left = n - j;
        vf v = vget(x, a->x.type, j, left);
        if (r)
            v += vget(r, a->r.type, j, left);
        vput(s, K_F32, j, v, left);
        if (a->sum.p)
            vput(VROW(a->sum, i), a->sum.type, j, v, left);
    }
}

static void row_out(const Norm *a, int64_t i, const float *s, float mean, float scale)
{
    int64_t n = a->x.cols;
    vf m = vset(mean), k = vset(scale);
    for (int64_t j = 0; j < n; j += VN) {
        int64_t left = n - j;
        vf v = (vget(s, K_F32, j, left) - m) * k * vget(a->gamma, K_F32, j, left);
        if (a->beta)
            v += vget(a->beta, K_F32, j, left);
        vput(VROW(a->y, i), a->y.type, j, v, left);
        if (a->y2.p)
            vput(VROW(a->y2, i), a->y2.type, j, v, left);
    }
}

void K(norm)(Piece *p, const Norm *a)
{
    int64_t n = a->x.cols;
    float *s = p->dev->temp(p, (size_t)n * sizeof *s);

    for (int64_t i = 0; i < a->x.rows; i++) {
        float mean = 0, square;
        row_in(a, i, s);
        if (!a->rms) {
            ROW_SUM(mean, n, v);
            mean /= (float)n;
        }
        vf m = vset(mean);
        ROW_SUM(square, n, (v - m) * (v - m));
        float scale = 1.0f / __builtin_sqrtf(square / (float)n + a->eps);
        row_out(a, i, s, mean, scale);
        if (a->stats) {
            a->stats[2 * i] = mean;
            a->stats[2 * i + 1] = scale;
        }
    }
}
