#include "kernels/vec.h"

void K(segmax)(Piece *p, const Segmax *a)
{
    (void)p;
    int64_t n = a->y.cols;
    for (int64_t i = 0; i < a->y.rows; i++) {
        int64_t from = a->starts[i], to = a->starts[i + 1];
        for (int64_t j = 0; j < n; j += VN) {
            vf v = vset(0);
            for (int64_t k = from; k < to; k++) {
                vf x = vget(VROW(a->x, k), a->x.type, j, n - j);
                v = k == from ? x : vpick((vi)(x > v) | (vi)(x != x), x, v);
            }
            vput(VROW(a->y, i), a->y.type, j, v, n - j);
        }
    }
}
