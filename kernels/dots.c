/* y = x W' + b where W lies plain in memory: four dot products at a time, each of one fixed
 * order whatever is computed beside it. */
#include "kernels/vec.h"

enum { DOTS = 4 };

void K(dots)(View x, View w, const float *bias, View y);

VFN void dots4(const void *x, KType type, const float *const *w, int64_t k, float *out)
{
    vf sum[DOTS] = {vset(0), vset(0), vset(0), vset(0)};
    for (int64_t j = 0; j < k; j += VN) {
        vf v = vget(x, type, j, k - j);
        for (int d = 0; d < DOTS; d++)
            sum[d] += v * vget(w[d], K_F32, j, k - j);
    }
    for (int d = 0; d < DOTS; d++)
        out[d] = vsum(sum[d]);
}

void K(dots)(View x, View w, const float *bias, View y)
{
    for (int64_t i = 0; i < x.rows; i++)
        for (int64_t n = 0; n < w.rows; n += DOTS) {
            const float *row[DOTS];
            float out[DOTS];
            int64_t count = w.rows - n < DOTS ? w.rows - n : DOTS;
            for (int d = 0; d < DOTS; d++)
                row[d] = VROW(w, n + (d < count ? d : 0));
            dots4(VROW(x, i), x.type, row, x.cols, out);
            for (int d = 0; bias && d < count; d++)
                out[d] += bias[n + d];
            vput(VROW(y, i), y.type, n, vload_n(out, count), count);
        }
}
