/* y = x W' + b where W is kept for few rows, as f32 or bf16 (thin.h). A row's sum begins with the
 * bias; to it are added, in order, the sums of DEPTH inputs each, in order. So the order is the
 * same whatever is computed beside it, and a block of weights serves all rows while it is near. */
#include "kernels/thin.h"
#include "kernels/vec.h"

/* Registers: a row has THIN_COLS sums, and TALL rows of them stay in what there is. */
#if defined(__AVX512F__)
enum { LANES = 16, TALL = 8 };
#elif defined(__AVX2__)
enum { LANES = 8, TALL = 3 };
#else
enum { LANES = 4, TALL = 1 };
#endif
enum { ACROSS = THIN_COLS / LANES, DEPTH = 128, PAIRS = THIN_COLS / 2 };

typedef float vt __attribute__((vector_size(LANES * 4)));
typedef uint32_t vw __attribute__((vector_size(LANES * 4)));

VFN vt widened(const uint32_t *w, int a)
{
    vw v;
    memcpy(&v, w + a % (ACROSS / 2) * LANES, sizeof v);
    return (vt)(a < ACROSS / 2 ? v << 16 : v & 0xffff0000);
}

VFN vt spread(float x)
{
    return x - (vt){0};
}

/* Adds to `rows` (a constant) rows of y from y the sums over `depth` inputs. */
VFN void strip(const float *x, int64_t x_stride, int rows, ThinForm form, const void *w,
               int64_t depth, float *y, int64_t y_stride)
{
    vt sum[TALL][ACROSS];
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < ACROSS; a++)
            sum[r][a] = (vt){0};
    for (int64_t k = 0; k < depth; k++) {
        vt each[TALL];
        const char *at = (const char *)w + k * THIN_COLS * (form == THIN_F32 ? 4 : 2);
        __builtin_prefetch(at + THIN_AHEAD);
        if (form == THIN_F32)
            __builtin_prefetch(at + THIN_AHEAD + 64);
        for (int r = 0; r < rows; r++)
            each[r] = spread(x[r * x_stride + k]);
        for (int a = 0; a < ACROSS; a++) {
            vt v;
            if (form == THIN_F32)
                memcpy(&v, (const float *)w + k * THIN_COLS + a * LANES, sizeof v);
            else
                v = widened((const uint32_t *)w + k * PAIRS, a);
            for (int r = 0; r < rows; r++)
                sum[r][a] += each[r] * v;
        }
    }
    for (int r = 0; r < rows; r++)
        for (int a = 0; a < ACROSS; a++) {
            vt v;
            float *at = y + r * y_stride + a * LANES;
            memcpy(&v, at, sizeof v);
            v += sum[r][a];
            memcpy(at, &v, sizeof v);
        }
}

/* The same where only the panel's first n outputs are y's. */
VFN void some(const float *x, int64_t x_stride, int rows, ThinForm form, const void *w,
              int64_t depth, float *y, int64_t y_stride, int64_t n)
{
    float all[TALL * THIN_COLS] = {0};
    if (n == THIN_COLS) {
        strip(x, x_stride, rows, form, w, depth, y, y_stride);
        return;
    }
    for (int r = 0; r < rows; r++)
        memcpy(all + r * THIN_COLS, y + r * y_stride, (size_t)n * sizeof *y);
    strip(x, x_stride, rows, form, w, depth, all, THIN_COLS);
    for (int r = 0; r < rows; r++)
        memcpy(y + r * y_stride, all + r * THIN_COLS, (size_t)n * sizeof *y);
}

/* A block of weights for all rows: x's columns from k0 on, y's n columns from j on. */
VFN void block(View x, int64_t k0, ThinForm form, const void *w, int64_t depth, View y, int64_t j,
               int64_t n)
{
    const float *from = (const float *)x.p + k0;
    float *to = (float *)y.p + j;
    int64_t i = 0;
    for (; i + TALL <= x.rows; i += TALL)
        some(from + i * x.stride, x.stride, TALL, form, w, depth, to + i * y.stride, y.stride, n);
    for (; TALL > 4 && i + 4 <= x.rows; i += 4)
        some(from + i * x.stride, x.stride, TALL > 4 ? 4 : 1, form, w, depth, to + i * y.stride,
             y.stride, n);
    for (; TALL > 2 && i + 2 <= x.rows; i += 2)
        some(from + i * x.stride, x.stride, TALL > 2 ? 2 : 1, form, w, depth, to + i * y.stride,
             y.stride, n);
    for (; i < x.rows; i++)
        some(from + i * x.stride, x.stride, 1, form, w, depth, to + i * y.stride, y.stride, n);
}

static void block_f32(View x, int64_t k0, const float *w, int64_t depth, View y, int64_t j,
                      int64_t n)
{
    block(x, k0, THIN_F32, w, depth, y, j, n);
}

/* Many rows: the block is widened once for all. */
static void block_bf16(View x, int64_t k0, const uint32_t *w, int64_t depth, View y, int64_t j,
                       int64_t n)
{
    float wide[DEPTH * THIN_COLS];
    if (x.rows <= TALL) {
        block(x, k0, THIN_BF16, w, depth, y, j, n);
        return;
    }
    for (int64_t k = 0; k < depth; k++)
        for (int a = 0; a < ACROSS; a++) {
            vt v = widened(w + k * PAIRS, a);
            memcpy(wide + k * THIN_COLS + a * LANES, &v, sizeof v);
        }
    block_f32(x, k0, wide, depth, y, j, n);
}

void K(thin)(const Thin *w, int64_t col0, View x, View y)
{
    for (int64_t j = 0; j < y.cols; j += THIN_COLS) {
        int64_t n = y.cols - j < THIN_COLS ? y.cols - j : THIN_COLS;
        const char *panel = (const char *)w->data + (col0 + j) / THIN_COLS * w->panel;
        int64_t each = THIN_COLS * (w->form == THIN_F32 ? 4 : 2); /* bytes an input */
        for (int64_t i = 0; i < y.rows; i++)
            memcpy((float *)VROW(y, i) + j, w->bias + col0 + j, (size_t)n * sizeof *w->bias);
        for (int64_t k = 0; k < w->k; k += DEPTH) {
            int64_t depth = w->k - k < DEPTH ? w->k - k : DEPTH;
            const void *from = panel + k * each;
            if (w->form == THIN_F32)
                block_f32(x, k, from, depth, y, j, n);
            else
                block_bf16(x, k, from, depth, y, j, n);
        }
    }
}
