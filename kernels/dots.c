/* y = x W' + b where W lies plain in memory: dot products, each of one fixed order whatever is
 * computed beside it: sixteen sums over every sixteenth number, which vsum then adds. */
#include "kernels/vec.h"

/* So many rows of x by so many of W at a time: their sums stay in registers. */
#if defined __AVX512F__
enum { TALL = 4, DOTS = 4 };
#elif defined __AVX__
enum { TALL = 3, DOTS = 2 };
#else
enum { TALL = 1, DOTS = 2 };
#endif
enum { PARTS = VN / RN };

void K(dots)(View x, View w, const float *bias, View y);

typedef struct Rows {
    const void *x[TALL];
    const float *w[DOTS];
    KType type; /* of x */
    int64_t k;
} Rows;

/* Numbers [j, j + VN), 0 beyond k. */
VFN void part_of(const void *p, KType type, int64_t j, int64_t k, vr *to)
{
    if (type == K_F32 && j + VN <= k) {
        for (int i = 0; i < PARTS; i++)
            to[i] = rload((const float *)p + j + i * RN);
    } else {
        vf v = vget(p, type, j, k - j);
        memcpy(to, &v, sizeof v);
    }
}

VFN void add(const Rows *a, int rows, KType type, int64_t j, int64_t k, vr sum[TALL][DOTS][PARTS])
{
    vr w[DOTS][PARTS];
    for (int d = 0; d < DOTS; d++)
        part_of(a->w[d], K_F32, j, k, w[d]);
    for (int r = 0; r < rows; r++) {
        vr x[PARTS];
        part_of(a->x[r], type, j, k, x);
        for (int d = 0; d < DOTS; d++)
            for (int i = 0; i < PARTS; i++)
                sum[r][d][i] += x[i] * w[d][i];
    }
}

/* `rows` and `type` are constants. */
VFN void products(const Rows *a, int rows, KType type, float out[TALL][DOTS])
{
    vr sum[TALL][DOTS][PARTS];
    int64_t j = 0;
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < DOTS; d++)
            for (int i = 0; i < PARTS; i++)
                sum[r][d][i] = rset(0);
    for (; j + VN <= a->k; j += VN)
        add(a, rows, type, j, j + VN, sum);
    if (j < a->k)
        add(a, rows, type, j, a->k, sum);
    for (int r = 0; r < rows; r++)
        for (int d = 0; d < DOTS; d++) {
            vf v;
            memcpy(&v, sum[r][d], sizeof v);
            out[r][d] = vsum(v);
        }
}

static void all_rows(const Rows *a, float out[TALL][DOTS])
{
    if (a->type == K_F32)
        products(a, TALL, K_F32, out);
    else
        products(a, TALL, K_BF16, out);
}

static void one_row(const Rows *a, float out[TALL][DOTS])
{
    if (a->type == K_F32)
        products(a, 1, K_F32, out);
    else
        products(a, 1, K_BF16, out);
}

/* `rows` rows from row i. */
static void strip(View x, View w, const float *bias, View y, int64_t i, int rows)
{
    Rows a = {.type = x.type, .k = x.cols};
    for (int r = 0; r < rows; r++)
        a.x[r] = VROW(x, i + r);
    for (int64_t n = 0; n < w.rows; n += DOTS) {
        float out[TALL][DOTS];
        int64_t count = w.rows - n < DOTS ? w.rows - n : DOTS;
        for (int d = 0; d < DOTS; d++)
            a.w[d] = VROW(w, n + (d < count ? d : 0));
        if (rows == TALL)
            all_rows(&a, out);
        else
            one_row(&a, out);
        for (int r = 0; r < rows; r++) {
            for (int d = 0; bias && d < count; d++)
                out[r][d] += bias[n + d];
            vput(VROW(y, i + r), y.type, n, vload_n(out[r], count), count);
        }
    }
}

void K(dots)(View x, View w, const float *bias, View y)
{
    int64_t i = 0;
    for (; i + TALL <= x.rows; i += TALL)
        strip(x, w, bias, y, i, TALL);
    for (; i < x.rows; i++)
        strip(x, w, bias, y, i, 1);
}
