#include "kernels/vec.h"

#include <math.h>

VFN vf row_top(const void *x, KType t, int64_t n)
{
    vf top = vset(-INFINITY);
    for (int64_t j = 0; j + VN <= n; j += VN)
        top = vmax(top, vget(x, t, j, VN));
    int64_t rest = n % VN;
    for (int64_t j = n - rest; j < n; j++)
        top = vmax(top, vset(vget(x, t, j, 1)[0]));
    return top;
}

/* Sums of sixteen columns apart, added up in double: a vocabulary has 50,000 of them. */
VFN double row_sum(const void *x, KType t, int64_t n, float top)
{
    enum { BLOCK = 64 * VN };
    double sum = 0;
    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t to = at + BLOCK < n ? at + BLOCK : n, j = at;
        vf s = vset(0);
        for (; j + VN <= to; j += VN)
            s += vexp(vget(x, t, j, VN) - vset(top));
        if (j < to) {
            vf e = vexp(vget(x, t, j, to - j) - vset(top));
            for (int64_t k = to - j; k < VN; k++)
                e[k] = 0;
            s += e;
        }
        sum += (double)vsum(s);
    }
    return sum;
}

static double plain_sum(const void *x, KType t, int64_t n)
{
    double sum = 0;
    for (int64_t j = 0; j < n; j += VN)
        sum += (double)vsum(vget(x, t, j, n - j));
    return sum;
}

/* The first column that holds top; -1: none. */
static int32_t row_where(const void *x, KType t, int64_t n, float top)
{
    for (int64_t j = 0; j < n && top > -INFINITY; j += VN) {
        int64_t count = n - j < VN ? n - j : VN;
        vf v = vget(x, t, j, count);
        vi hit = v == vset(top);
        if (vtop(vpick(hit, vset(1), vset(0))) == 0)
            continue;
        for (int64_t k = 0; k < count; k++)
            if (v[k] == top)
                return (int32_t)(j + k);
    }
    return -1;
}

void K(lse)(Piece *p, const Lse *a)
{
    (void)p;
    int64_t n = a->x.cols;
    KType t = a->x.type;
    for (int64_t i = 0; i < a->x.rows; i++) {
        const void *x = VROW(a->x, i);
        float top = vtop(row_top(x, t, n));
        int64_t target = a->target && a->target[i] >= 0 ? a->target[i] - a->col0 : -1;
        if (target >= 0 && target < n)
            a->seen[i] = vget(x, t, target, 1)[0];
        if (a->where && (a->begin || top > a->top[i])) {
            int32_t at = row_where(x, t, n, top);
            a->where[i] = at < 0 ? -1 : (int32_t)a->col0 + at;
        }
        if (!a->begin && top < a->top[i])
            top = a->top[i];
        double sum = row_sum(x, t, n, top);
        if (!a->begin)
            sum += a->sum[i] * exp((double)a->top[i] - (double)top);
        a->top[i] = top;
        a->sum[i] = sum;
        if (a->all)
            a->all[i] = (a->begin ? 0 : a->all[i]) + plain_sum(x, t, n);
    }
}
