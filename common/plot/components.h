/* components.h - the first principal components of a covariance (Pearson, 1901), by subspace
 * iteration with Rayleigh and Ritz's step (Golub and Van Loan, Matrix Computations, 7.3, 8.2). The
 * same covariance gives the same components; each one's largest coordinate is positive. */
#ifndef WEFT_COMPONENTS_H
#define WEFT_COMPONENTS_H

#include <stdint.h>

enum { COMPONENTS = 2 };

/* covariance [n, n], symmetric; component [COMPONENTS, n] of length 1, orthogonal, falling; their
 * variances. n >= 2. Within 1e-6 of the direction where its variance stands apart from the next. */
void principal_components(const double *covariance, int64_t n, double *component,
                          double variance[COMPONENTS]);

#endif
