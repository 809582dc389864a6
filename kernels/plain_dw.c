#include "kernels/vec.h"

void K(plain_dw)(Piece *p, const LinearDw *a);

enum { BLOCK = 512, WIDE = 4 };

/* Tokens [t0, t1) of dW's `rows` (a constant) rows from row j, n <= WIDE * VN columns from
 * column c. */
VFN void strip(const LinearDw *a, int64_t t0, int64_t t1, int64_t j, int rows, int64_t c, int64_t n,
               bool add)
{
    vf sum[4][WIDE];
    int64_t part[WIDE];
    for (int v = 0; v < WIDE; v++)
        part[v] = n - v * VN > 0 ? n - v * VN : 0;
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < WIDE; v++)
            sum[r][v] = vset(0);
    for (int64_t t = t0; t < t1; t++) {
        const float *x = (const float *)VROW(a->x, t) + c, *dy = (const float *)VROW(a->dy, t);
        vf xv[WIDE];
        for (int v = 0; v < WIDE; v++)
            xv[v] = part[v] ? vget(x, K_F32, v * VN, part[v]) : vset(0);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < WIDE; v++)
                sum[r][v] += vset(dy[j + r]) * xv[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < WIDE && part[v]; v++) {
            void *dw = VROW(a->dw, j + r);
            int64_t at = c + v * VN;
            vf s = add ? vget(dw, K_F32, at, part[v]) + sum[r][v] : sum[r][v];
            vput(dw, K_F32, at, s, part[v]);
        }
}

VFN void columns(const LinearDw *a, int64_t t0, int64_t t1, int64_t j, int rows, bool add)
{
    int64_t c = 0, k = a->dw.cols;
    for (; c + WIDE * VN <= k; c += WIDE * VN)
        strip(a, t0, t1, j, rows, c, WIDE * VN, add);
    if (c < k)
        strip(a, t0, t1, j, rows, c, k - c, add);
}

static void bias(const LinearDw *a, int64_t t0, int64_t t1, bool add)
{
    for (int64_t j = a->lo; j < a->hi; j++) {
        float sum = 0;
        for (int64_t t = t0; t < t1; t++)
            sum += ((const float *)VROW(a->dy, t))[j];
        a->db[j] = add ? a->db[j] + sum : sum;
    }
}

void K(plain_dw)(Piece *p, const LinearDw *a)
{
    (void)p;
    int64_t t0 = 0;
    do { /* once at least: no tokens give a gradient of 0 */
        int64_t t1 = a->x.rows - t0 < BLOCK ? a->x.rows : t0 + BLOCK, j = a->lo;
        bool add = a->add || t0 > 0;
        for (; j + 4 <= a->hi; j += 4)
            columns(a, t0, t1, j, 4, add);
        for (; j < a->hi; j++)
            columns(a, t0, t1, j, 1, add);
        if (a->db)
            bias(a, t0, t1, add);
        t0 = t1;
    } while (t0 < a->x.rows);
}
