#include "kernels/vec.h"

void K(embed)(Piece *p, const Embed *a)
{
    (void)p;
    int64_t n = a->y.cols;
    int tables = 0;
    while (tables < 3 && a->table[tables].p)
        tables++;
    for (int64_t i = 0; i < a->y.rows; i++) {
        const float *row[3] = {NULL};
        for (int t = 0; t < tables; t++)
            row[t] = VROW(a->table[t], a->index[t][i]);
        for (int64_t j = 0; j < n; j += VN) {
            vf v = vget(row[0], K_F32, j, n - j);
            for (int t = 1; t < tables; t++)
                v += vget(row[t], K_F32, j, n - j);
            vput(VROW(a->y, i), a->y.type, j, v, n - j);
        }
    }
}
