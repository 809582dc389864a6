/* Weights for products of few rows, from the matrices that they are given as (linear.h says how
 * they are rounded): what is there besides both is a panel in f32. */
#include "kernels/thin.h"
#include "kernels/vec.h"

enum { RUN = 16 };

typedef float vt8 __attribute__((vector_size(32)));

/* The part that output `col` belongs to, and which of its outputs it is. */
static const View *part_of(const Thin *t, int64_t *col)
{
    const View *v = t->part;
    for (;; v++) {
        int64_t n = t->by_input ? v->cols : v->rows;
        if (*col < n)
            return v;
        *col -= n;
    }
}

/* Where the outputs [col, col + cols) lie at input 0, `step` numbers an input, if they lie beside
 * each other; else NULL. */
static const float *beside(const Thin *t, int64_t col, int64_t cols, int64_t *step)
{
    const View *v = part_of(t, &col);
    if (!t->by_input || col + cols > v->cols)
        return NULL;
    *step = v->stride;
    return (const float *)v->p + col;
}

/* Eight rows of four numbers as four columns of eight. */
VFN void turn(const float *p, int64_t stride, float *to)
{
    vt8 a[4], t[4];
    for (int i = 0; i < 4; i++) {
        memcpy(&a[i], p + i * stride, sizeof a[i] / 2);
        memcpy((float *)&a[i] + 4, p + (i + 4) * stride, sizeof a[i] / 2);
    }
    t[0] = __builtin_shufflevector(a[0], a[1], 0, 8, 1, 9, 4, 12, 5, 13);
    t[1] = __builtin_shufflevector(a[0], a[1], 2, 10, 3, 11, 6, 14, 7, 15);
    t[2] = __builtin_shufflevector(a[2], a[3], 0, 8, 1, 9, 4, 12, 5, 13);
    t[3] = __builtin_shufflevector(a[2], a[3], 2, 10, 3, 11, 6, 14, 7, 15);
    a[0] = __builtin_shufflevector(t[0], t[2], 0, 1, 8, 9, 4, 5, 12, 13);
    a[1] = __builtin_shufflevector(t[0], t[2], 2, 3, 10, 11, 6, 7, 14, 15);
    a[2] = __builtin_shufflevector(t[1], t[3], 0, 1, 8, 9, 4, 5, 12, 13);
    a[3] = __builtin_shufflevector(t[1], t[3], 2, 3, 10, 11, 6, 7, 14, 15);
    for (int i = 0; i < 4; i++)
        memcpy(to + i * THIN_COLS, &a[i], sizeof a[i]);
}

/* One output after the other: those of several parts, and the last ones. */
static void any_tile(const Thin *t, int64_t col, float *to)
{
    for (int j = 0; j < THIN_COLS; j++) {
        int64_t at = col + j;
        const View *v = at < t->n ? part_of(t, &at) : NULL;
        const float *p = v ? (const float *)v->p + (t->by_input ? at : at * v->stride) : NULL;
        for (int64_t i = 0; i < t->k; i++)
            to[i * THIN_COLS + j] = p ? p[t->by_input ? i * v->stride : i] : 0;
    }
}

/* A panel from col on, [k][THIN_COLS], 0 beyond n. */
static void tile(const Thin *t, int64_t col, float *to)
{
    int64_t at = col, i = 0;
    const View *v = part_of(t, &at);
    if (t->by_input || at + THIN_COLS > v->rows) {
        any_tile(t, col, to);
        return;
    }
    const float *p = (const float *)v->p + at * v->stride;
    for (; i + 4 <= t->k; i += 4) {
        for (int j = 0; i % 16 == 0 && j < THIN_COLS; j++)
            __builtin_prefetch(p + j * v->stride + i + 32);
        for (int j = 0; j < THIN_COLS; j += 8)
            turn(p + j * v->stride + i, v->stride, to + i * THIN_COLS + j);
    }
    for (; i < t->k; i++)
        for (int j = 0; j < THIN_COLS; j++)
            to[i * THIN_COLS + j] = p[j * v->stride + i];
}

/* All panels of the outputs [col, col + cols). */
static void tiles(const Thin *t, int64_t col, int64_t cols, float *to)
{
    int64_t step, whole = cols / THIN_COLS * THIN_COLS;
    const float *p = beside(t, col, whole, &step);
    for (int64_t i = 0; p && i < t->k; i++, p += step)
        for (int64_t c = 0; c < whole; c += THIN_COLS) {
            __builtin_prefetch(p + 4 * step + c);
            __builtin_prefetch(p + 4 * step + c + 16);
            memcpy(to + c * t->k + i * THIN_COLS, p + c, THIN_COLS * sizeof *to);
        }
    for (int64_t c = p ? whole : 0; c < cols; c += THIN_COLS)
        tile(t, col + c, to + c * t->k);
}

/* ---- numbers ---- */

/* To nearest even; NaN stays one. */
VFN uint32_t bf16(uint32_t u)
{
    uint32_t nan = u >> 16 | 64, number = (u + 0x7fff + (u >> 16 & 1)) >> 16;
    return (u & 0x7fffffff) > 0x7f800000 ? nan : number;
}

static void fill_bf16(const float *restrict from, int64_t k, uint32_t *restrict to)
{
    enum { HALF = THIN_COLS / 2 };
    for (int64_t i = 0; i < k; i++, from += THIN_COLS, to += HALF) {
        uint32_t u[THIN_COLS];
        memcpy(u, from, sizeof u);
        for (int j = 0; j < HALF; j++)
            to[j] = bf16(u[j]) | bf16(u[HALF + j]) << 16;
    }
}

/* The bits of each output's largest size. */
static void tops(const float *from, int64_t k, int32_t *restrict top)
{
    memset(top, 0, THIN_COLS * sizeof *top);
    for (int64_t i = 0; i < k; i++, from += THIN_COLS) {
        int32_t u[THIN_COLS];
        memcpy(u, from, sizeof u);
        for (int j = 0; j < THIN_COLS; j++) {
            int32_t size = u[j] & 0x7fffffff;
            top[j] = size > top[j] ? size : top[j];
        }
    }
}

/* Rounded to integers, of which `sum` has the sum of each output. */
VFN void integers(const float *restrict from, const float *restrict up, uint32_t *restrict q,
                  uint32_t *restrict sum)
{
    for (int j = 0; j < THIN_COLS; j++) {
        q[j] = (uint32_t)thin_nearest(from[j] * up[j]);
        sum[j] += q[j];
    }
}

/* `group` (a constant) inputs of an output lie beside each other; k is a multiple of it. */
VFN void bytes(const float *from, int64_t k, int group, const float *up, uint32_t *sum, int8_t *to)
{
    for (int64_t i = 0; i < k; i += group, from += group * THIN_COLS, to += group * THIN_COLS) {
        uint32_t q[4][THIN_COLS], four[THIN_COLS];
        uint16_t two[THIN_COLS];
        for (int g = 0; g < group; g++)
            integers(from + g * THIN_COLS, up, q[g], sum);
        if (group == 2) {
            for (int j = 0; j < THIN_COLS; j++)
                two[j] = (uint16_t)((q[0][j] & 0xff) | q[1][j] << 8);
            memcpy(to, two, sizeof two);
        } else {
            for (int j = 0; j < THIN_COLS; j++)
                four[j] = (q[0][j] & 0xff) | (q[1][j] & 0xff) << 8 | (q[2][j] & 0xff) << 16 |
                          q[3][j] << 24;
            memcpy(to, four, sizeof four);
        }
    }
}

/* Where a number is infinite or none the bytes are any: the output's scale is NaN. */
static void fill_i8(const Thin *t, int64_t col, const float *from, int8_t *to)
{
    int32_t top[THIN_COLS];
    uint32_t sum[THIN_COLS] = {0};
    float up[THIN_COLS];
    int64_t k = (t->k + t->group - 1) / t->group * t->group;
    tops(from, t->k, top);
    for (int j = 0; j < THIN_COLS; j++) {
        ThinScale s = thin_scale(top[j]);
        up[j] = s.up;
        t->scale[col + j] = s.down;
    }
    if (t->group == 2)
        bytes(from, k, 2, up, sum, to);
    else
        bytes(from, k, 4, up, sum, to);
    for (int j = 0; j < THIN_COLS; j++)
        t->shift[col + j] = (int32_t)(128 * sum[j]);
}

/* Those that need no other numbers go to their place at once, several side by side, for memory
 * likes to be read in long runs. */
static void fill_f32(const Thin *t, int64_t lo, int64_t hi)
{
    for (int64_t i = lo; i < hi; i += RUN) {
        int64_t to = i + RUN < hi ? i + RUN : hi, col = i * THIN_COLS;
        int64_t cols = to * THIN_COLS < t->n ? to * THIN_COLS - col : t->n - col;
        tiles(t, col, cols, (float *)t->data + col * t->k);
    }
}

void K(thin_fill)(Piece *p, const Thin *t)
{
    if (t->form == THIN_F32) {
        fill_f32(t, p->lo, p->hi);
        return;
    }
    int64_t k = (t->k + THIN_MOST - 1) / THIN_MOST * THIN_MOST;
    float *all = p->dev->temp(p, (size_t)(k * THIN_COLS) * sizeof *all);
    memset(all + t->k * THIN_COLS, 0, (size_t)((k - t->k) * THIN_COLS) * sizeof *all);
    for (int64_t i = p->lo; i < p->hi; i++) {
        int64_t col = i * THIN_COLS, left = t->n - col;
        void *to = (char *)t->data + i * t->panel;
        tiles(t, col, left < THIN_COLS ? left : THIN_COLS, all);
        if (t->form == THIN_BF16)
            fill_bf16(all, t->k, to);
        else
            fill_i8(t, col, all, to);
    }
}
