/* y = x W' + b where W is kept as bytes (thin.h): x is rounded to bytes too, row by row, and their
 * products are summed as integers. */
#include "kernels/thin.h"
#include "kernels/vec.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/* The rows of x: integers in groups, 16 bits each for groups of 2, bytes plus 128 for groups
 * of 4. */
typedef struct Rounded {
    void *q; /* [rows][bytes] */
    int64_t bytes;
    float *down; /* [rows] */
} Rounded;

static int32_t top_of(const float *x, int64_t n)
{
    int32_t top = 0, u;
    for (int64_t j = 0; j < n; j++) {
        memcpy(&u, x + j, sizeof u);
        u &= 0x7fffffff;
        top = u > top ? u : top;
    }
    return top;
}

/* n numbers and zeros up to `cols`. */
static void round_row(const float *restrict x, int64_t n, int64_t cols, int group, void *q,
                      float *down)
{
    int32_t top = top_of(x, n);
    ThinScale s = thin_scale(top);
    int16_t *restrict two = q;
    uint8_t *restrict four = q;
    int64_t given = top < THIN_BEYOND ? n : 0;
    if (group == 2) {
        for (int64_t j = 0; j < given; j++)
            two[j] = (int16_t)thin_nearest(x[j] * s.up);
        memset(two + given, 0, (size_t)(cols - given) * sizeof *two);
    } else {
        for (int64_t j = 0; j < given; j++)
            four[j] = (uint8_t)(thin_nearest(x[j] * s.up) + 128);
        memset(four + given, 128, (size_t)(cols - given));
    }
    *down = s.down;
}

/* Rows end at whole groups. */
static Rounded rounded(Piece *p, View x, int group)
{
    int64_t cols = (x.cols + group - 1) / group * group;
    Rounded r = {.bytes = cols * (group == 2 ? 2 : 1)};
    r.q = p->dev->temp(p, (size_t)(x.rows * r.bytes));
    r.down = p->dev->temp(p, (size_t)x.rows * sizeof *r.down);
    for (int64_t i = 0; i < x.rows; i++)
        round_row(VROW(x, i), x.cols, cols, group, (char *)r.q + i * r.bytes, &r.down[i]);
    return r;
}

/* Sums of `rows` (a constant) rows of x and a panel, for each group of inputs. */
#if defined(__AVX2__)
enum { TALL_2 = 3, YMMS = THIN_COLS / 8 };

/* Bytes become 16 bits, whose products of two are added without loss. */
VFN void sums_2(const char *q, int64_t stride, int rows, const int8_t *w, int64_t groups,
                int32_t *sum)
{
    __m256i s[TALL_2][YMMS];
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < YMMS; a++)
            s[r][a] = _mm256_setzero_si256();
    for (int64_t g = 0; g < groups; g++, w += 2 * THIN_COLS, q += 4) {
        __m256i x[TALL_2];
        __builtin_prefetch((const char *)w + THIN_AHEAD);
        for (int r = 0; r < rows; r++) {
            int32_t two;
            memcpy(&two, q + r * stride, sizeof two);
            x[r] = _mm256_set1_epi32(two);
        }
        for (int a = 0; a < YMMS; a++) {
            __m256i v = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)w + a));
            for (int r = 0; r < rows; r++)
                s[r][a] = _mm256_add_epi32(s[r][a], _mm256_madd_epi16(x[r], v));
        }
    }
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < YMMS; a++)
            _mm256_storeu_si256((__m256i *)(sum + r * THIN_COLS) + a, s[r][a]);
}
#else
enum { TALL_2 = 1 };

VFN void sums_2(const char *q, int64_t stride, int rows, const int8_t *w, int64_t groups,
                int32_t *sum)
{
    (void)stride, (void)rows;
    memset(sum, 0, THIN_COLS * sizeof *sum);
    for (int64_t g = 0; g < groups; g++, w += 2 * THIN_COLS, q += 4) {
        int16_t x[2];
        memcpy(x, q, sizeof x);
        for (int j = 0; j < THIN_COLS; j++)
            sum[j] += x[0] * w[2 * j] + x[1] * w[2 * j + 1];
    }
}
#endif

/* All rows: sum [rows][THIN_COLS]. */
static void all_2(const Rounded *x, int64_t rows, const int8_t *w, int64_t groups, int32_t *sum)
{
    const char *q = x->q;
    int64_t i = 0, each = x->bytes;
    for (; i + TALL_2 <= rows; i += TALL_2)
        sums_2(q + i * each, each, TALL_2, w, groups, sum + i * THIN_COLS);
    for (; TALL_2 > 2 && i + 2 <= rows; i += 2)
        sums_2(q + i * each, each, TALL_2 > 2 ? 2 : 1, w, groups, sum + i * THIN_COLS);
    for (; i < rows; i++)
        sums_2(q + i * each, each, 1, w, groups, sum + i * THIN_COLS);
}

/* Of these the instruction takes x without a sign: it is 128 too large, and the sums begin with
 * what that makes of each output. */
#if defined(__AVX512VL__)
enum { TALL_4 = 8, ZMMS = THIN_COLS / 16 };
#define VNNI __attribute__((target("avx512vnni")))

VFN VNNI void sums_4(const char *q, int64_t stride, int rows, const int8_t *w, int64_t groups,
                     const int32_t *shift, int32_t *sum)
{
    __m512i s[TALL_4][ZMMS];
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < ZMMS; a++)
            s[r][a] = _mm512_sub_epi32(_mm512_setzero_si512(),
                                       _mm512_loadu_si512((const __m512i *)shift + a));
    for (int64_t g = 0; g < groups; g++, w += 4 * THIN_COLS, q += 4) {
        __m512i v[ZMMS];
        __builtin_prefetch((const char *)w + THIN_AHEAD);
        __builtin_prefetch((const char *)w + THIN_AHEAD + 64);
        for (int a = 0; a < ZMMS; a++)
            v[a] = _mm512_loadu_si512((const __m512i *)w + a);
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, q + r * stride, sizeof four);
            __m512i x = _mm512_set1_epi32(four);
            for (int a = 0; a < ZMMS; a++)
                s[r][a] = _mm512_dpbusd_epi32(s[r][a], x, v[a]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < ZMMS; a++)
            _mm512_storeu_si512((__m512i *)(sum + r * THIN_COLS) + a, s[r][a]);
}

VNNI static void all_4(const Rounded *x, int64_t rows, const int8_t *w, int64_t groups,
                       const int32_t *shift, int32_t *sum)
{
    const char *q = x->q;
    int64_t i = 0, each = x->bytes;
    for (; i + 8 <= rows; i += 8)
        sums_4(q + i * each, each, 8, w, groups, shift, sum + i * THIN_COLS);
    for (; i + 3 <= rows; i += 3)
        sums_4(q + i * each, each, 3, w, groups, shift, sum + i * THIN_COLS);
    for (; i < rows; i++)
        sums_4(q + i * each, each, 1, w, groups, shift, sum + i * THIN_COLS);
}
#else
static void all_4(const Rounded *x, int64_t rows, const int8_t *w, int64_t groups,
                  const int32_t *shift, int32_t *sum)
{
    (void)x, (void)rows, (void)w, (void)groups, (void)shift, (void)sum; /* THIN_GROUP is 2 */
}
#endif

void K(thin_i8)(Piece *p, const Thin *w, int64_t col0, View x, View y)
{
    Rounded r = rounded(p, x, w->group);
    int64_t groups = w->panel / THIN_COLS / w->group;
    int32_t *sum = p->dev->temp(p, (size_t)(x.rows * THIN_COLS) * sizeof *sum);
    for (int64_t j = 0; j < y.cols; j += THIN_COLS) {
        int64_t n = y.cols - j < THIN_COLS ? y.cols - j : THIN_COLS, at = col0 + j;
        const int8_t *panel = (const int8_t *)w->data + at / THIN_COLS * w->panel;
        if (w->group == 2)
            all_2(&r, x.rows, panel, groups, sum);
        else
            all_4(&r, x.rows, panel, groups, w->shift + at, sum);
        for (int64_t i = 0; i < y.rows; i++) {
            const int32_t *s = sum + i * THIN_COLS;
            const float *scale = w->scale + at, *bias = w->bias + at;
            float *to = (float *)VROW(y, i) + j;
            for (int64_t c = 0; c < n; c++)
                to[c] = r.down[i] * scale[c] * (float)s[c] + bias[c];
        }
    }
}
