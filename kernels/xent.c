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

static double share(const Xent *a, int64_t c)
{
    return a->classes ? (double)a->classes[c] : 1;
}

/* log of the sum of e^x, and the sum of x by classes. */
static double log_sum(const Xent *a, const float *x, double *plain)
{
    double top = largest(x, a->x.cols), sum = 0;
    *plain = 0;
    for (int64_t c = 0; c < a->x.cols; c++) {
        sum += exp(x[c] - top);
        *plain += share(a, c) * x[c];
    }
    return top + log(sum);
}

/* q at the target is `own` more than what the smoothing puts everywhere. */
static void gradient(const Xent *a, const float *x, float *dx, int32_t target, double weight,
                     double own, double all, double lse)
{
    double even = (double)a->smooth / (double)a->x.cols;
    for (int64_t c = 0; c < a->x.cols; c++) {
        double q = even * share(a, c) + (c == target ? own : 0);
        dx[c] = (float)(weight * (all * exp(x[c] - lse) - q));
    }
}

void K(xent)(Piece *p, const Xent *a)
{
    (void)p;
    int64_t n = a->x.cols;
    double even = (double)a->smooth / (double)n, spread = 0;
    for (int64_t c = 0; c < n; c++)
        spread += even * share(a, c);
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
        double plain, lse = log_sum(a, x, &plain), weight = a->weight ? a->weight[i] : 1;
        double own = (1 - (double)a->smooth) * share(a, target), seen = own * x[target];
        if (a->smooth > 0)
            seen += even * plain;
        a->loss[i] = (float)(weight * ((own + spread) * lse - seen));
        if (dx)
            gradient(a, x, dx, target, weight, own, own + spread, lse);
    }
}
