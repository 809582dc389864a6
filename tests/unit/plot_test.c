/* Pictures' parts that numbers can be asked of: axes, texts, principal components. */
#include "plot/chart.h"
#include "plot/components.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * fmax(1, fmax(fabs(a), fabs(b)));
}

static bool is_scale(Scale s, double lo, double hi, double step)
{
    return near(s.lo, lo) && near(s.hi, hi) && near(s.step, step);
}

static void axes(void)
{
    CHECK(is_scale(scale_over(0, 10, 0), 0, 10, 2));
    CHECK(is_scale(scale_over(0.13, 0.87, 0), 0, 1, 0.2));
    CHECK(is_scale(scale_over(-3, 117, 0), -20, 120, 20));
    CHECK(is_scale(scale_over(0, 3, 1), 0, 3, 1)); /* no halves of things */
    CHECK(is_scale(scale_over(5, 5, 0), 4.4, 5.6, 0.2));
    CHECK(is_scale(scale_over(0, 0, 0), -1, 1, 0.5));
    for (double size = 1e-290; size < 1e300; size *= 1e10) { /* each has room, and few ticks */
        Scale s = scale_over(-0.3 * size, size, 0);
        CHECK(s.lo <= -0.3 * size && s.hi >= size * (1 - 1e-9) && s.step > 0);
        CHECK((s.hi - s.lo) / s.step < 12);
    }
    Scale s = scale_over(1e17, 1e17 + 16, 0); /* no double lies between such */
    CHECK(s.lo < 1e17 && s.hi > 1e17 && (s.hi - s.lo) / s.step < 12);
}

static bool shows(const char *text, size_t n, int64_t chars, const char *want)
{
    char *got = chart_text(str_of(text, n), chars);
    bool same = strcmp(got, want) == 0;
    free(got);
    return same;
}

static void texts(void)
{
    CHECK(shows("plain", 5, 0, "plain"));
    CHECK(shows("a\tb\n\x1b[1m\xff\0z", 11, 0, "a\\tb\\n\\x1b[1m\\xff\\x00z"));
    CHECK(shows("h\u00e9llo", 6, 5, "h\u00e9llo"));
    CHECK(shows("h\u00e9llo!", 7, 5, "h\u00e9ll\u2026"));
    CHECK(shows("", 0, 3, ""));
}

/* ---- components ---- */

/* S c = v c for each, of length 1, orthogonal, falling, the largest coordinate positive. */
static bool are_components(const double *s, int64_t n, const double *c, const double *variance)
{
    double both = 0;
    for (int k = 0; k < COMPONENTS; k++) {
        double length = 0, off = 0;
        int64_t most = 0;
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t j = 0; j < n; j++)
                sum += s[i * n + j] * c[k * n + j];
            off = fmax(off, fabs(sum - variance[k] * c[k * n + i]));
            length += c[k * n + i] * c[k * n + i];
            most = fabs(c[k * n + i]) > fabs(c[k * n + most]) ? i : most;
        }
        if (off > 1e-5 * variance[0] || !near(length, 1) || c[k * n + most] <= 0)
            return false;
    }
    for (int64_t i = 0; i < n; i++)
        both += c[i] * c[n + i];
    return fabs(both) < 1e-9 && variance[0] >= variance[1];
}

/* A covariance with these variances in directions that are turned against the axes: S = sum of
 * v q q^T, where the q are columns of I - 2 u u^T. */
static double *turned(const double *variance, int64_t n)
{
    double *s = mem_zero((size_t)(n * n), sizeof *s), *u = mem_array((size_t)n, sizeof *u), uu = 0;
    for (int64_t i = 0; i < n; i++) {
        u[i] = 1 + (double)(i * 7 % 5) - 2.3;
        uu += u[i] * u[i];
    }
    for (int64_t k = 0; k < n; k++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                s[i * n + j] += variance[k] * ((i == k) - 2 * u[i] * u[k] / uu) *
                                ((j == k) - 2 * u[j] * u[k] / uu);
    free(u);
    return s;
}

static void try_components(const double *variance, int64_t n, double first, double second)
{
    double *s = turned(variance, n), *c = mem_array((size_t)(2 * n), sizeof *c), got[COMPONENTS];
    double *again = mem_array((size_t)(2 * n), sizeof *again);
    principal_components(s, n, c, got);
    CHECK(near(got[0], first) && near(got[1], second));
    CHECK(are_components(s, n, c, got));
    principal_components(s, n, again, got);
    CHECK(memcmp(c, again, (size_t)(2 * n) * sizeof *c) == 0);
    free(s);
    free(c);
    free(again);
}

static void components(void)
{
    enum { N = 40 };
    double v[N];
    const double small = 1e-8;
    try_components((double[]){3, 1}, 2, 3, 1);
    try_components((double[]){1, 3, 2}, 3, 3, 2);
    try_components((double[]){0, 5, 0, 0}, 4, 5, 0); /* of rank 1 */
    try_components((double[]){2, 2, 2}, 3, 2, 2);    /* all directions are alike */
    for (int i = 0; i < N; i++)
        v[i] = 1 / (1.0 + i);
    try_components(v, N, 1, 0.5);
    for (int i = 0; i < N; i++)
        v[i] = 1 - 0.01 * i; /* near to each other */
    try_components(v, N, 1, 0.99);
    for (int i = 0; i < N; i++)
        v[i] = small * (i < 2 ? 2 - i : 0.1);
    try_components(v, N, 2 * small, small);
}

int main(void)
{
    axes();
    texts();
    components();
    return checked();
}
