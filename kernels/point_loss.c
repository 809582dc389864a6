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
    case POINT_KINDS: break;
    }
    *slope = 0;
    return 0;
}

void K(point_loss)(Piece *p, const PointLoss *a)
{
    (void)p;
    int64_t n = a->x.cols;
    for (int64_t i = 0; i < a->x.rows; i++) {
        const float *x = VROW(a->x, i), *t = VROW(a->t, i);
        float *dx = a->dx.p ? VROW(a->dx, i) : NULL;
        double weight = (a->weight ? (double)a->weight[i] : 1) / (double)n, sum = 0, slope;
        for (int64_t c = 0; c < n; c++) {
            sum += loss_of(a->kind, x[c], t[c], &slope);
            if (dx)
                dx[c] = (float)(weight * slope);
        }
        a->loss[i] = (float)(weight * sum);
    }
}
