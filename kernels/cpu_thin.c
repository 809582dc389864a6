/* cpu_thin.c - weights for products of few rows, and the products with them. */
#include "kernels/cpu.h"
#include "kernels/hugemem.h"

#include <stdlib.h>
#include <string.h>

static int64_t outputs(const View *part, bool by_input)
{
    return by_input ? part->cols : part->rows;
}

static int64_t panels(const Thin *t)
{
    return (t->n + THIN_COLS - 1) / THIN_COLS;
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

static void stage_fill(Piece *p, void *ctx)
{
    cpu_of(p->dev)->ops->thin_fill(p, ctx);
}

Weight *cpu_pack_thin(Device *d, const View *part, const float *const *bias, int parts,
                      bool by_input, ThinForm form)
{
    const CpuOps *ops = cpu_of(d)->ops;
    Weight *w = calloc(1, sizeof *w);
    Thin *t = calloc(1, sizeof *t);
    if (!w || !t)
        goto fail;
    t->part = part;
    t->form = form;
    t->by_input = by_input;
    t->k = by_input ? part[0].rows : part[0].cols;
    t->group = 2;
    if (matmul_vnni())
        t->group = ops->thin_group;
    for (int i = 0; i < parts; i++)
        t->n += outputs(&part[i], by_input);
    t->panel = panel_bytes(t);
    if ((form == THIN_I8 && t->k > THIN_K) || !room(t))
        goto fail;
    d->each(d, EACH_COLS, &(Batch){.cols = panels(t)}, stage_fill, t);
    t->part = NULL;
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
