#include "kernels/philox.h"
#include "kernels/vec.h"

enum { SPAN = 4 * PHILOX_LANES }; /* columns that one call of the generator decides on */

/* word[j][i] decides on column c0 + 16 j + i; c0 is a multiple of SPAN. */
static void draw(const Mix *a, uint64_t row, int64_t c0, uint32_t word[4][PHILOX_LANES])
{
    for (int i = 0; i < PHILOX_LANES; i++) {
        word[0][i] = (uint32_t)(c0 / SPAN * PHILOX_LANES + i);
        word[1][i] = a->site;
        word[2][i] = (uint32_t)row;
        word[3][i] = (uint32_t)(row >> 32);
    }
    philox4x32(word, (uint32_t)a->seed, (uint32_t)(a->seed >> 32));
}

static vf kept(vf x, const uint32_t word[PHILOX_LANES], uint32_t least)
{
    vu u;
    memcpy(&u, word, sizeof u);
    return vpick((vi)(u >= least), x, vset(0));
}

static void mix_row(const Mix *a, int64_t i)
{
    const void *x = VROW(a->x, i), *r = a->r.p ? VROW(a->r, i) : NULL;
    void *y = VROW(a->y, i);
    uint64_t row = a->rows ? (uint64_t)a->rows[i] : a->row0 + (uint64_t)i;
    uint32_t word[4][PHILOX_LANES], least = (uint32_t)((double)a->drop * 4294967296.0);
    vf va = vset(a->a / (1 - a->drop)), vb = vset(a->b);

    for (int64_t c = 0; c < a->y.cols; c += VN) {
        int64_t n = a->y.cols - c;
        vf v = vget(x, a->x.type, c, n);
        if (a->drop > 0) {
            if (c % SPAN == 0)
                draw(a, row, c, word);
            v = kept(v, word[c % SPAN / VN], least);
        }
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
