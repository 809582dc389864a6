#include "kernels/drop.h"

static void mix_row(const Mix *a, int64_t i)
{
    const void *x = VROW(a->x, i), *r = a->r.p ? VROW(a->r, i) : NULL;
    void *y = VROW(a->y, i);
    uint64_t row = a->rows ? (uint64_t)a->rows[i] : a->row0 + (uint64_t)i;
    Dropper d = drop_begin(a->drop, a->seed, a->site, row);
    vf va = vset(a->a / (1 - a->drop)), vb = vset(a->b);

    for (int64_t c = 0; c < a->y.cols; c += VN) {
        int64_t n = a->y.cols - c;
        vf v = vget(x, a->x.type, c, n);
        if (a->drop > 0)
            v = drop_kept(&d, v, c);
        v = v * va;
        if (r)
            v = v + vb * vget(r, a->r.type, c, n);
        vput(y, a->y.type, c, v, n);
    }
}

void K(mix)(Piece *p, const Mix *a)
{
    (void)p;
    for (int64_t i = 0; i < a->y.rows; i++)
        mix_row(a, i);
}
