/* drop.h - which elements dropout keeps, for the CPU's operations: mix.h has the rule. */
#ifndef WEFT_DROP_H
#define WEFT_DROP_H

#include "kernels/philox.h"
#include "kernels/vec.h"

enum { DROP_SPAN = 4 * PHILOX_LANES }; /* columns that one call of the generator decides on */

typedef struct Dropper {
    uint32_t word[4][PHILOX_LANES]; /* word[j][i] decides on column 16 j + i of the span */
    uint64_t seed, row;
    uint32_t site, least;
} Dropper;

VFN Dropper drop_begin(float rate, uint64_t seed, uint32_t site, uint64_t row)
{
    return (Dropper){
        .seed = seed, .row = row, .site = site, .least = (uint32_t)((double)rate * 4294967296.0)};
}

static inline void drop_draw(Dropper *d, int64_t c0)
{
    for (int i = 0; i < PHILOX_LANES; i++) {
        d->word[0][i] = (uint32_t)(c0 / DROP_SPAN * PHILOX_LANES + i);
        d->word[1][i] = d->site;
        d->word[2][i] = (uint32_t)d->row;
        d->word[3][i] = (uint32_t)(d->row >> 32);
    }
    philox4x32(d->word, (uint32_t)d->seed, (uint32_t)(d->seed >> 32));
}

/* Columns [c, c + VN) of x where they are kept, else 0. c goes up from 0 by VN. */
VFN vf drop_kept(Dropper *d, vf x, int64_t c)
{
    if (c % DROP_SPAN == 0)
        drop_draw(d, c);
    return vpick(vleast(d->word[c % DROP_SPAN / VN], d->least), x, vset(0));
}

#endif
