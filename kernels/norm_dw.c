#include "kernels/vec.h"

enum { BLOCK = 512 };

/* Rows [t0, t1) of n <= VN columns from column c. */
static void block(const NormDw *a, int64_t t0, int64_t t1, int64_t c, int64_t n, bool add)
{
    vf gamma = vset(0), beta = vset(0);
    for (int64_t t = t0; t < t1; t++) {
        vf dy = vget(VROW(a->dy, t), K_F32, c, n), s = vget(VROW(a->s, t), K_F32, c, n);
        gamma += dy * ((s - vset(a->stats[2 * t])) * vset(a->stats[2 * t + 1]));
        beta += dy;
    }
    vput(a->dgamma, K_F32, c, add ? gamma + vget(a->dgamma, K_F32, c, n) : gamma, n);
    if (a->dbeta)
        vput(a->dbeta, K_F32, c, add ? beta + vget(a->dbeta, K_F32, c, n) : beta, n);
}

void K(norm_dw)(Piece *p, const NormDw *a)
{
    (void)p;
    int64_t t0 = 0;
    do { /* once at least: no rows give a gradient of 0 */
        int64_t t1 = a->dy.rows - t0 < BLOCK ? a->dy.rows : t0 + BLOCK;
        for (int64_t c = a->lo; c < a->hi; c += VN)
            block(a, t0, t1, c, a->hi - c < VN ? a->hi - c : VN, a->add || t0 > 0);
        t0 = t1;
    } while (t0 < a->dy.rows);
}
