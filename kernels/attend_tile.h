/* attend_tile.h - small products for attention on the CPU: four rows against a matrix that lies in
 * temporary memory, padded to whole vectors. */
#ifndef WEFT_ATTEND_TILE_H
#define WEFT_ATTEND_TILE_H

#include "kernels/vec.h"

enum { QUERIES = 4 };

/* out[0..4][j .. j + n * RN) = a[4][depth] b[depth][..], whose rows are ldb apart; n registers at a
 * time, whose sums stay there. The sum runs over depth in order. */
#define TILE(n)                                                                                    \
    VFN void tile##n(const float *a, int64_t lda, const float *b, int64_t ldb, int64_t depth,      \
                     int64_t j, float *out, int64_t ldo)                                           \
    {                                                                                              \
        vr sum[QUERIES][n];                                                                        \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int i = 0; i < n; i++)                                                            \
                sum[r][i] = rset(0);                                                               \
        for (int64_t c = 0; c < depth; c++)                                                        \
            for (int i = 0; i < n; i++) {                                                          \
                vr v = rload(b + c * ldb + j + i * RN);                                            \
                for (int r = 0; r < QUERIES; r++)                                                  \
                    sum[r][i] += rset(a[r * lda + c]) * v;                                         \
            }                                                                                      \
        for (int r = 0; r < QUERIES; r++)                                                          \
            for (int i = 0; i < n; i++)                                                            \
                memcpy(out + r * ldo + j + i * RN, &sum[r][i], sizeof sum[r][i]);                  \
    }
TILE(1)
TILE(2)
TILE(4)

/* All of `cols`, a multiple of VN. */
VFN void tile(const float *a, int64_t lda, const float *b, int64_t ldb, int64_t depth, int64_t cols,
              float *out, int64_t ldo)
{
    int64_t j = 0;
#if defined __AVX512F__ /* which has registers for sixteen sums */
    for (; j + 4 * RN <= cols; j += 4 * RN)
        tile4(a, lda, b, ldb, depth, j, out, ldo);
#endif
    for (; j + 2 * RN <= cols; j += 2 * RN)
        tile2(a, lda, b, ldb, depth, j, out, ldo);
    for (; j < cols; j += RN)
        tile1(a, lda, b, ldb, depth, j, out, ldo);
}

/* to[j][..] += sum over r of a[r][j] b[r][..] for j < rows; b and to have `cols` columns, a
 * multiple of VN. */
VFN void tile_add(const float *a, int64_t lda, const float *b, int64_t ldb, int64_t rows,
                  int64_t cols, float *to, int64_t ldt)
{
    for (int64_t j = 0; j < rows; j++) {
        vr w[QUERIES];
        for (int r = 0; r < QUERIES; r++)
            w[r] = rset(a[r * lda + j]);
        for (int64_t c = 0; c < cols; c += RN) {
            vr sum = rload(to + j * ldt + c);
            for (int r = 0; r < QUERIES; r++)
                sum += w[r] * rload(b + r * ldb + c);
            memcpy(to + j * ldt + c, &sum, sizeof sum);
        }
    }
}

/* The first n columns of a row as f32; those up to room become 0. */
static inline void tile_row(const void *x, KType type, int64_t n, float *to, int64_t room)
{
    for (int64_t j = 0; j < room; j += VN)
        vstore(to + j, j < n ? vget(x, type, j, n - j) : vset(0));
}

/* s[j] += bias[clamp(j - i, -reach, reach) + reach] for the first n scores of query i. */
static inline void tile_bias(float *s, int64_t i, int64_t n, const float *bias, int64_t reach)
{
    int64_t from = i - reach < 0 ? 0 : i - reach < n ? i - reach : n;
    int64_t to = i + reach + 1 < n ? i + reach + 1 : n;
    for (int64_t j = 0; j < from; j++)
        s[j] += bias[0];
    for (int64_t j = from; j < to; j++)
        s[j] += bias[j - i + reach];
    for (int64_t j = to; j < n; j++)
        s[j] += bias[2 * reach];
}

/* Softmax of the first n scores of a row, but for the division by their sum; the rest become 0.
 * Returns the sum and the largest score. */
static inline float soften(float *s, int64_t n, int64_t wide, float *largest)
{
    for (int64_t j = n; j < wide; j++)
        s[j] = -1e30f;
    vr top[VN / RN], sum[VN / RN] = {{0}};
    for (int i = 0; i < VN / RN; i++)
        top[i] = rload(s + i * RN);
    for (int64_t j = VN; j < wide; j += VN)
        for (int i = 0; i < VN / RN; i++)
            top[i] = rmax(rload(s + j + i * RN), top[i]);
    *largest = vtop(vload((const float *)top));
    for (int64_t j = 0; j < wide; j += VN)
        for (int i = 0; i < VN / RN; i++) {
            vr e = rexp(rload(s + j + i * RN) - *largest);
            memcpy(s + j + i * RN, &e, sizeof e);
            sum[i] += e;
        }
    return vsum(vload((const float *)sum));
}

static inline int64_t whole_vectors(int64_t n)
{
    return (n + VN - 1) / VN * VN;
}

#endif
