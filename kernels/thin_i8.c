/* y = x W' + b where W is kept as bytes (thin.h): x is rounded to bytes too, row by row, and their
 * products are summed as integers. */
#include "kernels/thin.h"
#include "kernels/vec.h"

/* The rows of x: integers in groups, 16 bits each for groups of 2, bytes plus 128 for groups
 * of 4. */
typedef struct Rounded {
    void *q; /* [rows][bytes] */
    int64_t bytes;
    float *down; /* [rows] */
} Rounded;

static int32_t top_of(const float *x, int64_t n)
{
    vi most = {0};
    for (int64_t j = 0; j < n; j += VN) {
        vi u = (vi)vget(x, K_F32, j, n - j) & 0x7fffffff;
        vi more = u > most;
        most = (more & u) | (~more & most);
    }
    int32_t top = 0;
    for (int i = 0; i < VN; i++)
        top = most[i] > top ? most[i] : top;
    return top;
}

static void round_row(const float *x, int64_t n, int group, void *q, float *down)
{
    const vf magic = vset(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
    int32_t top = top_of(x, n);
    ThinScale s = thin_scale(top);
    for (int64_t j = 0; j < n; j += VN) {
        vi u = {0};
        if (top < THIN_BEYOND) {
            vf t = vget(x, K_F32, j, n - j) * vset(s.up);
            u = (vi)(t + magic) - (vi)magic;
        }
        if (group == 2) {
            vh h = __builtin_convertvector((vu)u, vh);
            memcpy((int16_t *)q + j, &h, sizeof h);
        } else {
            typedef uint8_t vb __attribute__((vector_size(16)));
            vb b = __builtin_convertvector((vu)u + 128, vb);
            memcpy((uint8_t *)q + j, &b, sizeof b);
        }
    }
    *down = s.down;
}

/* Rows end at a whole vector: what is beyond k is 0, as the weights are. */
static Rounded rounded(Piece *p, View x, int group)
{
    int64_t cols = (x.cols + VN - 1) / VN * VN;
    Rounded r = {.bytes = cols * (group == 2 ? 2 : 1)};
    r.q = p->dev->temp(p, (size_t)(x.rows * r.bytes));
    r.down = p->dev->temp(p, (size_t)x.rows * sizeof *r.down);
    for (int64_t i = 0; i < x.rows; i++)
        round_row(VROW(x, i), x.cols, group, (char *)r.q + i * r.bytes, &r.down[i]);
    return r;
}

static void sums_2(const int16_t *q, const int8_t *w, int64_t groups, int32_t *sum)
{
    memset(sum, 0, THIN_COLS * sizeof *sum);
    for (int64_t g = 0; g < groups; g++)
        for (int j = 0; j < THIN_COLS; j++)
            sum[j] += q[2 * g] * w[(g * THIN_COLS + j) * 2] +
                      q[2 * g + 1] * w[(g * THIN_COLS + j) * 2 + 1];
}

static void sums_4(const uint8_t *q, const int8_t *w, int64_t groups, const int32_t *shift,
                   int32_t *sum)
{
    for (int j = 0; j < THIN_COLS; j++)
        sum[j] = -shift[j];
    for (int64_t g = 0; g < groups; g++)
        for (int j = 0; j < THIN_COLS; j++)
            for (int i = 0; i < 4; i++)
                sum[j] += q[4 * g + i] * w[(g * THIN_COLS + j) * 4 + i];
}

void K(thin_i8)(Piece *p, const Thin *w, int64_t col0, View x, View y)
{
    Rounded r = rounded(p, x, w->group);
    int64_t groups = w->panel / THIN_COLS / w->group;
    for (int64_t j = 0; j < y.cols; j += THIN_COLS) {
        int64_t n = y.cols - j < THIN_COLS ? y.cols - j : THIN_COLS, at = col0 + j;
        const int8_t *panel = (const int8_t *)w->data + at / THIN_COLS * w->panel;
        for (int64_t i = 0; i < y.rows; i++) {
            int32_t sum[THIN_COLS];
            const void *q = (const char *)r.q + i * r.bytes;
            if (w->group == 2)
                sums_2(q, panel, groups, sum);
            else
                sums_4(q, panel, groups, w->shift + at, sum);
            for (int64_t c = 0; c < n; c++)
                ((float *)VROW(y, i))[j + c] =
                    r.down[i] * w->scale[at + c] * (float)sum[c] + w->bias[at + c];
        }
    }
}
