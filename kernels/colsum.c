#include "kernels/vec.h"

enum { BLOCK = 512 };

void K(colsum)(Piece *p, const Colsum *a)
{
    (void)p;
    for (int64_t c = a->lo; c < a->hi; c += VN) {
        int64_t n = a->hi - c < VN ? a->hi - c : VN;
        vf total = a->add ? vget(a->y, K_F32, c, n) : vset(0);
        for (int64_t t = 0; t < a->x.rows; t += BLOCK) {
            int64_t to = a->x.rows - t < BLOCK ? a->x.rows : t + BLOCK;
            vf sum = vset(0);
            for (int64_t i = t; i < to; i++)
                sum += vget(VROW(a->x, i), a->x.type, c, n);
            total += sum;
        }
        vput(a->y, K_F32, c, total, n);
    }
}
