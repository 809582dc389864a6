#include "generate/chance.h"

#include "kernels/philox.h"

#include <math.h>

double draw_unit(const DrawAt *at, uint32_t i)
{
    uint32_t c[4][PHILOX_LANES] = {{0}};
    c[0][0] = (uint32_t)at->row;
    c[1][0] = (uint32_t)(at->row >> 32) ^ at->answer << 16;
    c[2][0] = at->step;
    c[3][0] = i;
    philox4x32(c, (uint32_t)at->seed, (uint32_t)(at->seed >> 32));
    uint64_t bits = (uint64_t)c[0][0] << 32 | c[1][0];
    return (double)(bits >> 11) * 0x1p-53;
}

int32_t draw_token(const DrawAt *at, const float *score, int64_t words)
{
    float top = -INFINITY;
    double sum = 0;
    int32_t last = -1;
    for (int64_t i = 0; i < words; i++)
        top = score[i] > top ? score[i] : top;
    if (!(top > -INFINITY))
        return -1;
    for (int64_t i = 0; i < words; i++)
        if (score[i] > -INFINITY)
            sum += exp((double)score[i] - (double)top);
    double left = draw_unit(at, 0) * sum;
    for (int64_t i = 0; i < words; i++) {
        if (!(score[i] > -INFINITY))
            continue;
        last = (int32_t)i;
        left -= exp((double)score[i] - (double)top);
        if (left < 0)
            break;
    }
    return last;
}

double draw_gumbel(const DrawAt *at, uint32_t i)
{
    double u = draw_unit(at, i) + 0x1p-54; /* never 0 */
    return -log(-log(u));
}
