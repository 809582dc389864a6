#include "plot/components.h"

#include "base/mem.h"
#include "base/rand.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SUBSPACE = 10, TURNS = 500, SWEEPS = 60, SEED = 1901 };
/* A change of a variance that is none: beside itself, and as a part of the first, where it is what
 * rounding leaves of nothing. */
#define STILL 1e-13
#define NOISE 1e-14

static double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Gram and Schmidt's, twice over, which is enough (Giraud et al., 2005). What is nothing once the
 * others are taken out of it becomes another axis. */
static void orthogonalise(double *v, int k, int64_t n)
{
    for (int i = 0; i < k; i++) {
        double *x = v + i * n, before = sqrt(dot(x, x, n)), length = 0;
        for (int64_t axis = 0; axis <= n; axis++) {
            for (int pass = 0; pass < 2; pass++)
                for (int j = 0; j < i; j++) {
                    double d = dot(x, v + j * n, n);
                    for (int64_t c = 0; c < n; c++)
                        x[c] -= d * v[j * n + c];
                }
            length = sqrt(dot(x, x, n));
            if (length > 1e-10 * before && length > 1e-290)
                break;
            memset(x, 0, (size_t)n * sizeof *x);
            x[axis < n ? axis : 0] = before = 1;
        }
        for (int64_t c = 0; c < n; c++)
            x[c] /= length;
    }
}

/* One of Jacobi's rotations of a [k, k], which makes a[p][q] 0; those of u's rows add up. */
static void rotate(double *a, double *u, int k, int p, int q)
{
    double apq = a[p * k + q];
    if (fabs(apq) <= 1e-18 * (fabs(a[p * k + p]) + fabs(a[q * k + q]))) /* also where all are 0 */
        return;
    double theta = (a[q * k + q] - a[p * k + p]) / (2 * apq);
    double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
    double c = 1 / sqrt(t * t + 1), s = t * c;
    for (int i = 0; i < k; i++) {
        double x = a[i * k + p], y = a[i * k + q];
        a[i * k + p] = c * x - s * y;
        a[i * k + q] = s * x + c * y;
    }
    for (int i = 0; i < k; i++) {
        double x = a[p * k + i], y = a[q * k + i];
        a[p * k + i] = c * x - s * y;
        a[q * k + i] = s * x + c * y;
        x = u[p * k + i], y = u[q * k + i];
        u[p * k + i] = c * x - s * y;
        u[q * k + i] = s * x + c * y;
    }
}

/* Eigenvalues of the small a onto its diagonal, eigenvectors as u's rows; order[]: falling. */
static void eigen(double *a, double *u, int *order, int k)
{
    for (int i = 0; i < k * k; i++)
        u[i] = i % (k + 1) == 0;
    for (int sweep = 0; sweep < SWEEPS; sweep++)
        for (int p = 0; p < k; p++)
            for (int q = p + 1; q < k; q++)
                rotate(a, u, k, p, q);
    for (int i = 0; i < k; i++) {
        int at = i;
        for (; at > 0 && a[order[at - 1] * (k + 1)] < a[i * (k + 1)]; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* v's k vectors, orthogonal, become the best ones in the space between them: w holds S v. Have the
 * wanted variances stayed what they were? */
static bool best_within(double *v, const double *w, double *made, double *value, int k, int64_t n)
{
    double a[SUBSPACE * SUBSPACE], u[SUBSPACE * SUBSPACE];
    bool still = true;
    int order[SUBSPACE];
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++)
            a[i * k + j] = (dot(v + i * n, w + j * n, n) + dot(v + j * n, w + i * n, n)) / 2;
    eigen(a, u, order, k);
    for (int i = 0; i < k; i++) {
        double x = a[order[i] * (k + 1)];
        if (i < COMPONENTS) {
            still &= fabs(x - value[i]) <= STILL * fabs(x) + NOISE * fabs(i ? value[0] : 0);
            value[i] = x;
        }
        for (int64_t c = 0; c < n; c++) {
            double sum = 0;
            for (int j = 0; j < k; j++)
                sum += u[order[i] * k + j] * v[j * n + c];
            made[i * n + c] = sum;
        }
    }
    memcpy(v, made, (size_t)(k * n) * sizeof *v);
    return still;
}

static void multiply(const double *s, const double *v, double *w, int k, int64_t n)
{
    for (int64_t c = 0; c < n; c++)
        for (int i = 0; i < k; i++)
            w[i * n + c] = dot(s + c * n, v + i * n, n);
}

static void turn_positive(double *x, int64_t n)
{
    int64_t most = 0;
    for (int64_t c = 1; c < n; c++)
        if (fabs(x[c]) > fabs(x[most]) * (1 + 1e-9))
            most = c;
    bool turn = x[most] < 0;
    for (int64_t c = 0; turn && c < n; c++)
        x[c] = -x[c];
}

void principal_components(const double *covariance, int64_t n, double *component,
                          double variance[COMPONENTS])
{
    int k = n < SUBSPACE ? (int)n : SUBSPACE, still = 0;
    double *v = mem_array((size_t)(k * n), 3 * sizeof *v), *w = v + k * n, *made = w + k * n;
    Rand r = rand_new(SEED);
    for (int64_t i = 0; i < k * n; i++)
        v[i] = rand_normal(&r);
    variance[0] = variance[1] = 0;
    orthogonalise(v, k, n);
    for (int turn = 0; turn < TURNS && still < 3; turn++) {
        multiply(covariance, v, w, k, n);
        still = best_within(v, w, made, variance, k, n) ? still + 1 : 0;
        multiply(covariance, v, w, k, n);
        memcpy(v, w, (size_t)(k * n) * sizeof *v);
        orthogonalise(v, k, n);
    }
    multiply(covariance, v, w, k, n);
    best_within(v, w, made, variance, k, n);
    for (int i = 0; i < COMPONENTS; i++) {
        memcpy(component + i * n, v + i * n, (size_t)n * sizeof *v);
        turn_positive(component + i * n, n);
    }
    free(v);
}
