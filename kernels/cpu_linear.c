/* cpu_linear.c - products: of packed weights by oneDNN, of plain ones by the operations compiled
 * for this kind of CPU. */
#include "kernels/cpu.h"

#include <string.h>

static void convert(Piece *p, View x, View y)
{
    p->dev->mix(p, &(Mix){.x = x, .y = y, .a = 1});
}

static bool same(View a, View b)
{
    return a.p == b.p;
}

static void product(Piece *p, Packed *w, int64_t m, const void *x, void *y, KType out)
{
    const char *why = packed_run(w, m, x, y, out, p->thread);
    if (why)
        cpu_give_up(p, why);
}

/* y = x W' + b by fixed products: whole ones in place, the tail through temporary memory. x has
 * the packed type and is dense. The library has no product of f32 that gives bf16. */
static void products(Piece *p, Packed *w, View x, View y)
{
    KType type = packed_type(w) == K_F32 ? K_F32 : y.type;
    for (int64_t at = 0, m; at < x.rows; at += m) {
        int64_t left = x.rows - at;
        m = packed_rows(w, left);
        View from = view_rows(x, at, at + (m < left ? m : left));
        View to = view_rows(y, at, at + from.rows);
        if (m <= left && y.stride == y.cols && y.type == type) {
            product(p, w, m, from.p, to.p, y.type);
            continue;
        }
        View in = temp_view(p, x.type, m, x.cols), out = temp_view(p, type, m, y.cols);
        size_t row = (size_t)x.cols * ktype_size(x.type);
        memcpy(in.p, from.p, (size_t)from.rows * row);
        memset((char *)in.p + (size_t)from.rows * row, 0, (size_t)(m - from.rows) * row);
        product(p, w, m, in.p, out.p, type);
        convert(p, view_rows(out, 0, to.rows), to);
    }
}

/* x, or a copy of it, dense and of the type that the product takes. */
static View as_packed(Piece *p, View x, KType type)
{
    if (x.type == type && x.stride == x.cols)
        return x;
    View t = temp_view(p, type, x.rows, x.cols);
    convert(p, x, t);
    return t;
}

void cpu_linear(Piece *p, const Linear *a)
{
    const CpuOps *ops = cpu_of(p->dev)->ops;
    const Weight *w = a->w;
    View x = a->x, y = a->y;
    /* The product's own destination: y, unless y is still needed or of an odd kind. */
    View z = a->pre.p ? a->pre : y;
    if (!a->pre.p && a->r.p && same(a->r, y))
        z = temp_view(p, K_F32, y.rows, y.cols);

    if (w->packed) {
        products(p, w->packed, as_packed(p, x, packed_type(w->packed)), z);
    } else if (w->thin) {
        View wide = z.type == K_F32 ? z : temp_view(p, K_F32, z.rows, z.cols);
        cpu_thin(p, w->thin, a->col0, x, wide);
        if (!same(wide, z))
            convert(p, wide, z);
    } else {
        View m = w->plain;
        const float *bias = w->bias;
        if (a->cols) {
            m = view_rows(m, a->col0, a->col0 + a->cols);
            bias = bias ? bias + a->col0 : NULL;
        }
        ops->dots(x, m, bias, z);
    }
    View v = z;
    if (a->act != ACT_NONE) {
        View to = a->r.p && a->pre.p ? temp_view(p, K_F32, y.rows, y.cols) : a->pre.p ? y : z;
        ops->act(p, &(Activate){.x = z, .y = to, .act = a->act});
        v = to;
    }
    if (a->r.p)
        ops->mix(p, &(Mix){.x = v, .r = a->r, .y = y, .a = 1, .b = 1});
    else if (!same(v, y))
        convert(p, v, y);
}

void cpu_linear_dx(Piece *p, const LinearDx *a)
{
    const CpuOps *ops = cpu_of(p->dev)->ops;
    const Weight *w = a->w;
    if (!w->back) {
        ops->plain_dx(p, a);
        return;
    }
    View z = a->r.p ? temp_view(p, K_F32, a->dx.rows, a->dx.cols) : a->dx;
    products(p, w->back, as_packed(p, a->dy, packed_type(w->back)), z);
    if (a->r.p)
        ops->mix(p, &(Mix){.x = z, .r = a->r, .y = a->dx, .a = 1, .b = 1});
}

/* Rows [t, t + n) of v's columns [lo, hi), with zeros up to `depth` rows. */
static View padded(Piece *p, View v, int64_t t, int64_t n, int64_t lo, int64_t hi, int64_t depth)
{
    View to = temp_view(p, v.type, depth, hi - lo);
    size_t row = (size_t)to.cols * ktype_size(v.type);
    for (int64_t i = 0; i < n; i++)
        memcpy((char *)to.p + (size_t)i * row,
               (char *)v.p + (size_t)((t + i) * v.stride + lo) * ktype_size(v.type), row);
    memset((char *)to.p + (size_t)n * row, 0, (size_t)(depth - n) * row);
    return to;
}

/* A block of tokens: the last one's depth is rounded up, as products of few shapes ask for. */
static void outer_block(Piece *p, const LinearDw *a, int64_t t, int64_t n, bool add)
{
    int64_t depth = (n + OUTER_STEP - 1) / OUTER_STEP * OUTER_STEP;
    View dy = view_cols(view_rows(a->dy, t, t + n), a->lo, a->hi), x = view_rows(a->x, t, t + n);
    if (depth > n) {
        dy = padded(p, a->dy, t, n, a->lo, a->hi, depth);
        x = padded(p, a->x, t, n, 0, a->x.cols, depth);
    }
    const char *why = matmul_outer(&(Outer){.a = dy.p,
                                            .b = x.p,
                                            .type = x.type,
                                            .rows = a->hi - a->lo,
                                            .cols = x.cols,
                                            .depth = depth,
                                            .lda = dy.stride,
                                            .ldb = x.stride,
                                            .c = (float *)a->dw.p + a->lo * a->dw.stride,
                                            .add = add},
                                   p->thread);
    if (why)
        cpu_give_up(p, why);
}

/* Worth a call of the library? It takes depths of its own, and shapes are made once each. */
static bool is_large(const LinearDw *a)
{
    enum { LEAST = 16 };
    return a->x.type != K_F32 || (a->x.rows >= OUTER_STEP && a->hi - a->lo >= LEAST &&
                                  a->x.cols >= LEAST && a->dw.stride == a->dw.cols);
}

void cpu_linear_dw(Piece *p, const LinearDw *a)
{
    const CpuOps *ops = cpu_of(p->dev)->ops;
    if (!is_large(a)) {
        ops->plain_dw(p, a);
        return;
    }
    for (int64_t t = 0; t < a->x.rows; t += OUTER_DEPTH) {
        int64_t n = a->x.rows - t < OUTER_DEPTH ? a->x.rows - t : OUTER_DEPTH;
        outer_block(p, a, t, n, a->add || t > 0);
    }
    if (a->x.rows == 0 && !a->add)
        memset((float *)a->dw.p + a->lo * a->dw.stride, 0,
               (size_t)((a->hi - a->lo) * a->dw.stride) * sizeof(float));
    if (a->db)
        ops->colsum(p, &(Colsum){.x = a->dy, .y = a->db, .lo = a->lo, .hi = a->hi, .add = a->add});
}
