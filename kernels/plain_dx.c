#include "kernels/vec.h"

void K(plain_dx)(Piece *p, const LinearDx *a);

enum { WIDE = 4 }; /* vectors of dx held in registers a row */

/* `rows` (a constant) rows of dx from row i, n <= WIDE * VN columns from column c: what is read
 * of W serves all of them. A row's sum runs over W's rows in order, whatever `rows` is. */
VFN void strip(const LinearDx *a, View w, int64_t i, int rows, int64_t c, int64_t n)
{
    vf sum[4][WIDE];
    int64_t part[WIDE];
    for (int v = 0; v < WIDE; v++)
        part[v] = n - v * VN > 0 ? n - v * VN : 0;
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < WIDE; v++)
            sum[r][v] =
                a->r.p && part[v] ? vget(VROW(a->r, i + r), K_F32, c + v * VN, part[v]) : vset(0);
    for (int64_t j = 0; j < w.rows; j++) {
        const float *wj = (const float *)VROW(w, j) + c;
        vf wv[WIDE];
        for (int v = 0; v < WIDE; v++)
            wv[v] = part[v] ? vget(wj, K_F32, v * VN, part[v]) : vset(0);
        for (int r = 0; r < rows; r++) {
            vf d = vset(((const float *)VROW(a->dy, i + r))[j]);
            for (int v = 0; v < WIDE; v++)
                sum[r][v] += d * wv[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < WIDE && part[v]; v++)
            vput(VROW(a->dx, i + r), K_F32, c + v * VN, sum[r][v], part[v]);
}

VFN void columns(const LinearDx *a, View w, int64_t i, int rows)
{
    int64_t c = 0, k = a->dx.cols;
    for (; c + WIDE * VN <= k; c += WIDE * VN)
        strip(a, w, i, rows, c, WIDE * VN);
    if (c < k)
        strip(a, w, i, rows, c, k - c);
}

void K(plain_dx)(Piece *p, const LinearDx *a)
{
    (void)p;
    View w = weight_plain(a->w);
    int64_t i = 0;
    for (; i + 4 <= a->dx.rows; i += 4)
        columns(a, w, i, 4);
    for (; i < a->dx.rows; i++)
        columns(a, w, i, 1);
}
