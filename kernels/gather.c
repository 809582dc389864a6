#include "kernels/vec.h"

/* The first columns of one sum, four registers at a time, which gcc keeps where they are: how many
 * these are. Each number is added up as below. */
VFN int64_t sum_wide(const Gather *a, int64_t from, int64_t to, float weight, float *y)
{
    int64_t j = 0;
    vr times = rset(weight);
    for (; j + 4 * RN <= a->y.cols; j += 4 * RN) {
        vr v[4] = {rset(0), rset(0), rset(0), rset(0)};
        for (int64_t k = from; k < to; k++) {
            const float *x = (const float *)VROW(a->x, a->index ? a->index[k] : k) + j;
            for (int i = 0; i < 4; i++)
                v[i] += rload(x + i * RN);
        }
        for (int i = 0; i < 4; i++) {
            v[i] *= times;
            memcpy(y + j + i * RN, &v[i], sizeof v[i]);
        }
    }
    return j;
}

void K(gather)(Piece *p, const Gather *a)
{
    (void)p;
    int64_t n = a->y.cols, rows = a->out ? a->rows : a->y.rows;
    for (int64_t i = 0; i < rows; i++) {
        int64_t from = a->starts ? a->starts[i] : i, to = a->starts ? a->starts[i + 1] : i + 1;
        void *y = VROW(a->y, a->out ? a->out[i] : i);
        float times = a->weight ? a->weight[i] : 1.0f;
        bool wide = a->x.type == K_F32 && a->y.type == K_F32 && !a->add;
        int64_t j = wide ? sum_wide(a, from, to, times, y) : 0;
        vf weight = vset(times);
        for (; j < n; j += VN) {
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
