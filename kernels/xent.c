#include "kernels/vec.h"

#include <math.h>

static float largest(const float *x, int64_t n)
{
    float top = x[0];
    for (int64_t c = 1; c < n; c++)
        if (x[c] > top)
            top = x[c];
    return top;
}

/* log of the sum of e^x, and the sum of x. */
static double log_sum(const float *x, int64_t n, double *plain)
{
    double top = largest(x, n), sum = 0;
    *plain = 0;
    for (int64_t c = 0; c < n; c++) {
        sum += exp(x[c] - top);
        *plain += x[c];
    }
    return top + log(sum);
}

static void gradient(const float *x, float *dx, int64_t n, int32_t target, double weight,
                     double smooth, double lse)
{
    double even = smooth / (double)n;
    for (int64_t c = 0; c < n; c++) {
        double q = c == target ? 1 - smooth + even : even;
        dx[c] = (float)(weight * (exp(x[c] - lse) - q));
    }
}

void K(xent)(Piece *p, const Xent *a)
{
    (void)p;
    int64_t n = a->x.cols;
    for (int64_t i = 0; i < a->x.rows; i++) {
        const float *x = (const float *)VROW(a->x, i);
        float *dx = a->dx.p ? (float *)VROW(a->dx, i) : NULL;
        int32_t target = a->target[i];
        if (target < 0) {
            a->loss[i] = 0;
            if (dx)
                memset(dx, 0, (size_t)n * sizeof *dx);
            continue;
        }
        double plain, lse = log_sum(x, n, &plain), weight = a->weight ? a->weight[i] : 1;
        double smooth = a->smooth, seen = (1 - smooth) * x[target];
        if (smooth > 0)
            seen += smooth / (double)n * plain;
        a->loss[i] = (float)(weight * (lse - seen));
        if (dx)
            gradient(x, dx, n, target, weight, smooth, lse);
    }
}
