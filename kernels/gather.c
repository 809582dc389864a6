#include "kernels/vec.h"

void K(gather)(Piece *p, const Gather *a)
{
    (void)p;
    int64_t n = a->y.cols, rows = a->out ? a->rows : a->y.rows;
    for (int64_t i = 0; i < rows; i++) {
        int64_t from = a->starts ? a->starts[i] : i, to = a->starts ? a->starts[i + 1] : i + 1;
        void *y = VROW(a->y, a->out ? a->out[i] : i);
        vf weight = vset(a->weight ? a->weight[i] : 1.0f);
        for (int64_t j = 0; j < n; j += VN) {
            vf v = vset(0);
            for (int64_t k = from; k < to; k++)
                v += vget(VROW(a->x, a->index ? a->index[k] : k), a->x.type, j, n - j);
            v *= weight;
            if (a->add)
                v += vget(y, a->y.type, j, n - j);
            vput(y, a->y.type, j, v, n - j);
        }
    }
}
