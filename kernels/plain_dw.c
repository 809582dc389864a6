#include "kernels/vec.h"

void K(plain_dw)(Piece *p, const LinearDw *a);

/* Numbers of dW that stay in registers: rows by columns. */
#if defined __AVX512F__
enum { TALL = 4, WIDE = 4 };
#else
enum { TALL = 2, WIDE = 4 };
#endif
enum { BLOCK = 512 };

/* Tokens [t0, t1) of dW's `rows` rows from row j, `wide` registers of columns from column c; both
 * counts are constants. */
VFN void strip(const LinearDw *a, int64_t t0, int64_t t1, int64_t j, int rows, int64_t c, int wide,
               bool add)
{
    vr sum[TALL][WIDE];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < wide; v++)
            sum[r][v] = rset(0);
    for (int64_t t = t0; t < t1; t++) {
        const float *x = (const float *)VROW(a->x, t) + c, *dy = (const float *)VROW(a->dy, t) + j;
        vr xv[WIDE];
        for (int v = 0; v < wide; v++)
            xv[v] = rload(x + v * RN);
        for (int r = 0; r < rows; r++) {
            vr d = rset(dy[r]);
            for (int v = 0; v < wide; v++)
                sum[r][v] += d * xv[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < wide; v++) {
            float *dw = (float *)VROW(a->dw, j + r) + c + v * RN;
            vr s = add ? rload(dw) + sum[r][v] : sum[r][v];
            memcpy(dw, &s, sizeof s);
        }
}

/* The columns from c on, one by one. */
static void last(const LinearDw *a, int64_t t0, int64_t t1, int64_t j, int64_t c, bool add)
{
    for (; c < a->dw.cols; c++) {
        float sum = 0, *dw = (float *)VROW(a->dw, j) + c;
        for (int64_t t = t0; t < t1; t++)
            sum += ((const float *)VROW(a->dy, t))[j] * ((const float *)VROW(a->x, t))[c];
        *dw = add ? *dw + sum : sum;
    }
}

VFN void columns(const LinearDw *a, int64_t t0, int64_t t1, int64_t j, int rows, bool add)
{
    int64_t c = 0;
    for (; c + WIDE * RN <= a->dw.cols; c += WIDE * RN)
        strip(a, t0, t1, j, rows, c, WIDE, add);
    for (; c + RN <= a->dw.cols; c += RN)
        strip(a, t0, t1, j, rows, c, 1, add);
    for (int r = 0; r < rows; r++)
        last(a, t0, t1, j + r, c, add);
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
        for (; j + TALL <= a->hi; j += TALL)
            columns(a, t0, t1, j, TALL, add);
        for (; j < a->hi; j++)
            columns(a, t0, t1, j, 1, add);
        if (a->db)
            bias(a, t0, t1, add);
        t0 = t1;
    } while (t0 < a->x.rows);
}
