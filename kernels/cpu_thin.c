/* cpu_thin.c - weights for products of few rows, and the products with them. */
#include "kernels/cpu.h"
#include "kernels/hugemem.h"

#include <stdlib.h>
#include <string.h>

/* Where an output's inputs lie in its part, `step` apart. */
typedef struct Column {
    const float *p;
    int64_t step;
} Column;

/* The parts, gone through output by output. */
typedef struct Source {
    const View *part;
    int64_t at; /* of the part's outputs */
    bool by_input;
} Source;

static int64_t outputs(const View *part, bool by_input)
{
    return by_input ? part->cols : part->rows;
}

static Column next_column(Source *s)
{
    while (s->at == outputs(s->part, s->by_input)) {
        s->part++;
        s->at = 0;
    }
    const float *p = s->part->p;
    int64_t at = s->at++, stride = s->part->stride;
    return s->by_input ? (Column){p + at, stride} : (Column){p + at * stride, 1};
}

static void panel_f32(const Thin *t, const Column *c, int n, float *to)
{
    for (int64_t k = 0; k < t->k; k++, to += THIN_COLS)
        for (int j = 0; j < n; j++)
            to[j] = c[j].p[k * c[j].step];
}

/* To nearest even; NaN stays one. */
static uint16_t bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 64);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static void panel_bf16(const Thin *t, const Column *c, int n, uint32_t *to)
{
    for (int64_t k = 0; k < t->k; k++, to += THIN_COLS / 2)
        for (int j = 0; j < n; j++)
            to[j % (THIN_COLS / 2)] |= (uint32_t)bf16(c[j].p[k * c[j].step])
                                       << (j < THIN_COLS / 2 ? 0 : 16);
}

/* The bits of the largest size among them. */
static int32_t top_of(Column c, int64_t k)
{
    int32_t top = 0;
    for (int64_t i = 0; i < k; i++) {
        int32_t u;
        memcpy(&u, c.p + i * c.step, sizeof u);
        u &= 0x7fffffff;
        top = u > top ? u : top;
    }
    return top;
}

static int8_t byte(float f)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
    int32_t u, zero;
    float sum = f + magic;
    memcpy(&u, &sum, sizeof u);
    memcpy(&zero, &magic, sizeof zero);
    return (int8_t)(u - zero);
}

static void panel_i8(const Thin *t, const Column *c, int n, int64_t at, int8_t *to)
{
    for (int j = 0; j < n; j++) {
        int32_t top = top_of(c[j], t->k), sum = 0;
        ThinScale s = thin_scale(top);
        for (int64_t k = 0; k < t->k; k++) {
            int8_t q = top < THIN_BEYOND ? byte(c[j].p[k * c[j].step] * s.up) : 0;
            to[(k / t->group * THIN_COLS + j) * t->group + k % t->group] = q;
            sum += q;
        }
        t->scale[at + j] = s.down;
        t->shift[at + j] = 128 * sum;
    }
}

static int64_t panels(const Thin *t)
{
    return (t->n + THIN_COLS - 1) / THIN_COLS;
}

/* Panel after panel: what is there besides the parts is one panel's worth of addresses. */
static void fill(Thin *t, const View *part, bool by_input)
{
    Source s = {part, 0, by_input};
    for (int64_t p = 0; p < panels(t); p++) {
        Column c[THIN_COLS];
        int64_t at = p * THIN_COLS;
        int n = t->n - at < THIN_COLS ? (int)(t->n - at) : THIN_COLS;
        void *to = (char *)t->data + p * t->panel;
        for (int j = 0; j < n; j++)
            c[j] = next_column(&s);
        if (n < THIN_COLS || t->form != THIN_F32)
            memset(to, 0, (size_t)t->panel);
        switch (t->form) {
        case THIN_F32: panel_f32(t, c, n, to); break;
        case THIN_BF16: panel_bf16(t, c, n, to); break;
        case THIN_I8: panel_i8(t, c, n, at, to); break;
        case THIN_FORMS: break;
        }
    }
}

static int64_t panel_bytes(const Thin *t)
{
    switch (t->form) {
    case THIN_F32: return t->k * THIN_COLS * 4;
    case THIN_BF16: return t->k * THIN_COLS * 2;
    case THIN_I8: return (t->k + t->group - 1) / t->group * t->group * THIN_COLS;
    case THIN_FORMS: break;
    }
    return 0;
}

/* Room for it; the bias is 0. */
static bool room(Thin *t)
{
    size_t each = (size_t)(panels(t) * THIN_COLS) * sizeof *t->bias;
    t->data = huge_alloc((size_t)(panels(t) * t->panel));
    t->bias = huge_alloc(each);
    if (t->form == THIN_I8) {
        t->scale = huge_alloc(each);
        t->shift = huge_alloc(each);
    }
    if (!t->data || !t->bias || (t->form == THIN_I8 && (!t->scale || !t->shift)))
        return false;
    memset(t->bias, 0, each);
    if (t->form == THIN_I8) { /* of the outputs that are none */
        memset(t->scale, 0, each);
        memset(t->shift, 0, each);
    }
    return true;
}

Weight *cpu_pack_thin(Device *d, const View *part, const float *const *bias, int parts,
                      bool by_input, ThinForm form)
{
    const CpuOps *ops = cpu_of(d)->ops;
    Weight *w = calloc(1, sizeof *w);
    Thin *t = calloc(1, sizeof *t);
    if (!w || !t)
        goto fail;
    *t = (Thin){.form = form, .k = by_input ? part[0].rows : part[0].cols, .group = 2};
    if (matmul_vnni())
        t->group = ops->thin_group;
    for (int i = 0; i < parts; i++)
        t->n += outputs(&part[i], by_input);
    t->panel = panel_bytes(t);
    if ((form == THIN_I8 && t->k > THIN_K) || !room(t))
        goto fail;
    fill(t, part, by_input);
    float *b = t->bias;
    for (int i = 0; i < parts; i++) {
        int64_t n = outputs(&part[i], by_input);
        if (bias && bias[i])
            memcpy(b, bias[i], (size_t)n * sizeof *b);
        b += n;
    }
    w->thin = t;
    return w;
fail:
    cpu_thin_free(t);
    free(w);
    return NULL;
}

void cpu_thin_free(Thin *t)
{
    if (!t)
        return;
    huge_free(t->data);
    huge_free(t->bias);
    huge_free(t->scale);
    huge_free(t->shift);
    free(t);
}

void cpu_thin(Piece *p, const Thin *t, int64_t col0, View x, View y)
{
    const CpuOps *ops = cpu_of(p->dev)->ops;
    if (x.type != K_F32) {
        View wide = temp_view(p, K_F32, x.rows, x.cols);
        ops->mix(p, &(Mix){.x = x, .y = wide, .a = 1});
        x = wide;
    }
    if (t->form == THIN_I8)
        ops->thin_i8(p, t, col0, x, y);
    else
        ops->thin(t, col0, x, y);
}
