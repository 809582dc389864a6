#include "kernels/vec.h"

#include <math.h>

/* The loss of one number, and its slope. */
static double loss_of(PointKind kind, double x, double t, double *slope)
{
    switch (kind) {
    case POINT_SQUARE: *slope = 2 * (x - t); return (x - t) * (x - t);
    case POINT_BINARY: {
        double e = exp(-fabs(x)), s = x < 0 ? e / (1 + e) : 1 / (1 + e);
        *slope = s - t;
        return log1p(e) + fmax(x, 0) - x * t;
    }
    case POINT_SHARES:
    case POINT_KINDS: break;
    }
    *slope = 0;
    return 0;
}

/* A row of logits by shares of its classes. */
static double shares(const float *x, const float *t, float *dx, int64_t n, double weight)
{
    double top = x[0];
    for (int64_t c = 1; c < n; c++)
        top = fmax(top, x[c]);
    double sum = exp(x[0] - top), all = t[0], seen = (double)t[0] * (x[0] - top);
    for (int64_t c = 1; c < n; c++) {
        sum += exp(x[c] - top);
        all += t[c];
        seen += (double)t[c] * (x[c] - top);
    }
    double lse = log(sum);
    for (int64_t c = 0; dx && c < n; c++)
        dx[c] = (float)(weight * (all * exp(x[c] - top - lse) - t[c]));
    return weight * (all * lse - seen);
}

void K(point_loss)(Piece *p, const PointLoss *a)
{
    (void)p;
    int64_t n = a->x.cols;
    for (int64_t i = 0; i < a->x.rows; i++) {
        const float *x = VROW(a->x, i), *t = VROW(a->t, i);
        float *dx = a->dx.p ? VROW(a->dx, i) : NULL;
        double own = a->weight ? (double)a->weight[i] : 1, weight = own / (double)n, sum = 0;
        double slope;
        if (a->kind == POINT_SHARES) {
            a->loss[i] = (float)shares(x, t, dx, n, own);
            continue;
        }
        for (int64_t c = 0; c < n; c++) {
            sum += loss_of(a->kind, x[c], t[c], &slope);
            if (dx)
                dx[c] = (float)(weight * slope);
        }
        a->loss[i] = (float)(weight * sum);
    }
}
