#include "kernels/vec.h"

#include <math.h>

static void one_row(const LseBwd *a, int64_t i)
{
    int64_t cols = a->x.cols, target = a->target[i] - a->col0;
    const void *x = VROW(a->x, i);
    void *dx = VROW(a->dx, i);
    float weight = a->target[i] < 0 ? 0 : a->weight ? a->weight[i] : 1;
    vf lse = vset(a->top[i] + (float)log(a->sum[i])), even = vset(a->smooth / (float)a->whole);
    for (int64_t j = 0; j < cols; j += VN) {
        int64_t n = cols - j;
        vf g = vexp(vmin(vget(x, a->x.type, j, n) - lse, vset(0))) - even;
        if (target >= j && target < j + VN)
            g[target - j] -= 1 - a->smooth;
        vput(dx, a->dx.type, j, weight == 0 ? vset(0) : g * vset(weight), n);
    }
}

static float loss_of(const LseBwd *a, int64_t i)
{
    if (a->target[i] < 0)
        return 0;
    double nll = (double)a->top[i] + log(a->sum[i]), smooth = (double)a->smooth;
    nll -= (1 - smooth) * (double)a->seen[i];
    if (smooth > 0)
        nll -= smooth / (double)a->whole * a->all[i];
    return (float)(nll * (a->weight ? (double)a->weight[i] : 1));
}

void K(lse_bwd)(Piece *p, const LseBwd *a)
{
    (void)p;
    for (int64_t i = 0; i < a->x.rows; i++) {
        one_row(a, i);
        if (a->loss)
            a->loss[i] = loss_of(a, i);
    }
}
