/* linear.cu - weights in device memory, and the product with them. Rows of ours are columns of
 * cuBLAS: y' = W x'. Each call is one product over the whole piece, 2 m n k flops, plus, where
 * there is an activation (erf's GELU is none of cuBLAS's), one pass over y in place. */
#include "kernels/cuda.h"

#include <cstdlib>
#include <cstring>

enum { THREADS = 256 }; /* of a block */

/* Weights */

/* The parts side by side, [k, n] with n the sum of their columns. */
static float *side_by_side(const View *part, int parts, int64_t n, int64_t k)
{
    float *all = (float *)malloc((size_t)(n * k) * sizeof *all);
    int64_t at = 0;
    for (int i = 0; all && i < parts; at += part[i].cols, i++)
        for (int64_t r = 0; r < k; r++)
            memcpy(all + r * n + at, cuda_row(part[i], r), (size_t)part[i].cols * sizeof *all);
    return all;
}

void cuda_put_rows(Device *d, float *to, View part)
{
    size_t row = (size_t)part.cols * sizeof *to;
    if (part.stride == part.cols) {
        cuda_put(d, to, part.p, (size_t)part.rows * row);
        return;
    }
    for (int64_t r = 0; r < part.rows; r++)
        cuda_put(d, to + r * part.cols, cuda_row(part, r), row);
}

/* The stacked matrix in device memory, f32. */
static float *stacked(Device *d, const View *part, int parts, bool by_input, int64_t n, int64_t k)
{
    size_t bytes = (size_t)(n * k) * sizeof(float);
    float *all = (float *)cuda_alloc(d, bytes), *at = all;
    if (all && by_input && parts > 1) {
        float *host = side_by_side(part, parts, n, k);
        if (host)
            cuda_put(d, all, host, bytes);
        else
            cuda_fail(cuda_of(d), "weights", "out of memory on the host");
        free(host);
    } else if (all) {
        for (int i = 0; i < parts; at += part[i].rows * part[i].cols, i++)
            cuda_put_rows(d, at, part[i]);
    }
    return all;
}

float *cuda_stacked_bias(Device *d, const View *part, const float *const *bias, int parts,
                         bool by_input, int64_t n)
{
    float *all = (float *)cuda_alloc(d, (size_t)n * sizeof *all), *at = all;
    if (!all)
        return NULL;
    cuda_fill(d, all, 0, (size_t)n * sizeof *all);
    for (int i = 0; i < parts; i++) {
        int64_t m = by_input ? part[i].cols : part[i].rows;
        if (bias[i])
            cuda_put(d, at, bias[i], (size_t)m * sizeof *at);
        at += m;
    }
    return all;
}

/* A copy as that type, [rows, cols]. */
static void *as_type(Device *d, KType type, const void *from, int64_t rows, int64_t cols)
{
    void *to = cuda_alloc(d, (size_t)(rows * cols) * 2);
    if (!to)
        return NULL;
    Piece p = {d, 0, rows, 0};
    Mix m = {};
    m.x = view_of(const_cast<void *>(from), K_F32, rows, cols);
    m.y = view_of(to, type, rows, cols);
    m.a = 1;
    cuda_mix(&p, &m);
    return to;
}

/* w's matrix in its type instead of f32; its bias in both. */
static bool narrow(Device *d, Weight *w, int64_t rows, int64_t cols)
{
    void *wide = w->w;
    w->w = as_type(d, w->type, wide, rows, cols);
    cuda_free(d, wide);
    if (w->bias[K_F32])
        w->bias[w->type] = as_type(d, w->type, w->bias[K_F32], 1, w->n);
    return w->w && (w->bias[w->type] || !w->bias[K_F32]);
}

Weight *cuda_pack(Device *d, const View *part, const float *const *bias, int parts, bool by_input,
                  KType type)
{
    Weight *w = (Weight *)calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->owned = true;
    w->by_input = by_input;
    w->type = type;
    w->k = by_input ? part[0].rows : part[0].cols;
    for (int i = 0; i < parts; i++)
        w->n += by_input ? part[i].cols : part[i].rows;
    w->stride = by_input ? w->n : w->k;
    w->w = stacked(d, part, parts, by_input, w->n, w->k);
    if (bias)
        w->bias[K_F32] = cuda_stacked_bias(d, part, bias, parts, by_input, w->n);
    bool ok = w->w && (w->bias[K_F32] || !bias);
    if (ok && type != K_F32)
        ok = narrow(d, w, by_input ? w->k : w->n, w->stride);
    if (ok && cuda_fine(cuda_of(d)))
        return w;
    cuda_unpack(d, w);
    return NULL;
}

Weight *cuda_refer(Device *d, View v, const float *bias)
{
    (void)d;
    Weight *w = (Weight *)calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->w = v.p;
    w->type = v.type;
    w->n = v.rows;
    w->k = v.cols;
    w->stride = v.stride;
    w->bias[K_F32] = bias;
    return w;
}

void cuda_unpack(Device *d, Weight *w)
{
    if (w && w->owned) {
        cuda_free(d, w->w);
        cuda_free(d, w->scale);
        for (int t = w->from.p ? K_BF16 : K_F32; t < K_TYPES; t++)
            cuda_free(d, const_cast<void *>(w->bias[t]));
    }
    free(w);
}

Weight *cuda_follow(Device *d, View v, const float *bias, bool by_input, KType type)
{
    Weight *w = cuda_refer(d, v, bias);
    if (!w)
        return NULL;
    w->by_input = by_input;
    w->n = by_input ? v.cols : v.rows;
    w->k = by_input ? v.rows : v.cols;
    if (type == K_F32)
        return w;
    w->owned = true;
    w->type = type;
    w->from = v;
    w->stride = v.cols;
    w->w = cuda_alloc(d, (size_t)(v.rows * v.cols) * 2);
    if (bias)
        w->bias[type] = cuda_alloc(d, (size_t)w->n * 2);
    if (w->w && (w->bias[type] || !bias))
        return w;
    cuda_unpack(d, w);
    return NULL;
}

/* Four neighbouring elements of a matrix a thread, and one of the bias. */
template <int W> static __global__ void renew(View from, View to, View bias, View bias_to)
{
    int64_t each = to.cols / W, at = (int64_t)blockIdx.x * THREADS + threadIdx.x;
    int64_t i = at / each, j = at % each * W;
    if (i < to.rows)
        cuda_store<W>(cuda_row(to, i), to.type, j, cuda_load<W>(cuda_row(from, i), K_F32, j));
    if (at < bias.cols)
        cuda_store<1>(bias_to.p, to.type, at, cuda_load<1>(bias.p, K_F32, at));
}

void cuda_renew(Piece *p, Weight *w)
{
    Cuda *c = cuda_of(p->dev);
    View from = w->from, to = view_of(w->w, w->type, from.rows, from.cols), bias = {}, bias_to = {};
    if (!from.p)
        return; /* f32 is used where it lies */
    if (w->bias[K_F32]) {
        bias = view_of(const_cast<void *>(w->bias[K_F32]), K_F32, 1, w->n);
        bias_to = view_of(const_cast<void *>(w->bias[w->type]), w->type, 1, w->n);
    }
    int64_t n = to.rows * to.cols;
    if (cuda_by_four(from) && cuda_by_four(to))
        LAUNCH(c, renew<4>, cuda_blocks(n / 4 > w->n ? n / 4 : w->n, THREADS), THREADS, 0, from, to,
               bias, bias_to);
    else
        LAUNCH(c, renew<1>, cuda_blocks(n, THREADS), THREADS, 0, from, to, bias, bias_to);
}

/* The product */

View cuda_as_type(Piece *p, View x, KType type)
{
    if (x.type == type)
        return x;
    Mix m = {};
    m.x = x;
    m.y = temp_view(p, type, x.rows, x.cols);
    m.a = 1;
    cuda_mix(p, &m);
    return m.y;
}

static const void *bias_of(const Weight *w, KType type, int64_t col0)
{
    const char *b = (const char *)w->bias[type];
    return b ? b + (size_t)col0 * ktype_size(type) : NULL;
}

/* z = x W' + b (+ r, of z's type), of the outputs [col0, col0 + z.cols). */
static void product(Piece *p, const Linear *a, View x, View z, View r, bool gelu_tanh)
{
    const Weight *w = a->w;
    CudaProduct m = {};
    if (w->by_input)
        m.a = {view_cols(view_of(w->w, w->type, w->k, w->n), a->col0, w->n).p,
               w->type,
               z.cols,
               w->k,
               w->stride,
               false};
    else
        m.a = {cuda_row({w->w, w->type, w->n, w->k, w->stride}, a->col0),
               w->type,
               w->k,
               z.cols,
               w->stride,
               true};
    m.b = {x.p, x.type, x.cols, x.rows, x.stride, false};
    m.d = {z.p, z.type, z.cols, z.rows, z.stride, false};
    m.c = r.p;
    m.c_stride = r.stride;
    m.bias = bias_of(w, z.type, a->col0);
    m.gelu_tanh = gelu_tanh;
    m.any_cols = true;
    cuda_product(cuda_of(p->dev), &m);
}

/* cuBLAS's GELU is good for bf16's eight bits only, not for f16's eleven. */
static bool epilogue_gelu(const Linear *a)
{
    return a->act == ACT_GELU_TANH && a->y.type == K_BF16 && a->w->type == K_BF16 && !a->pre.p &&
           !a->r.p;
}

void cuda_linear(Piece *p, const Linear *a)
{
    Cuda *c = cuda_of(p->dev);
    KType type = a->w->type;
    View x = cuda_as_type(p, a->x, type), y = a->y, z = a->pre.p ? a->pre : y;
    bool plain = a->act == ACT_NONE && !a->pre.p, gelu = epilogue_gelu(a);
    bool sum = plain && !a->w->thin && a->r.p &&
               a->r.type == y.type; /* r is added by the product itself */
    if (y.rows == 0)
        return;
    if (a->w->thin && !a->pre.p) { /* all of it is */
        cuda_thin(p, a->w, a->col0, x, a->act, a->r, y);
        return;
    }
    /* cuBLAS writes f32 or the type that it reads, and biases are kept in these two; y may still
     * be needed as r. */
    if ((z.type != K_F32 && z.type != type) || (!a->pre.p && !sum && a->r.p && a->r.p == y.p))
        z = temp_view(p, K_F32, y.rows, y.cols);
    if (a->w->thin)
        cuda_thin(p, a->w, a->col0, x, ACT_NONE, View(), z);
    else
        product(p, a, x, z, sum && z.p == y.p ? a->r : View(), gelu);
    if (a->pre.p && z.p != a->pre.p) {
        cuda_activate(c, z, View(), a->pre, ACT_NONE);
        z = a->pre;
    }
    bool done = z.p == y.p && (plain || gelu) && (sum || !a->r.p);
    if (!done)
        cuda_activate(c, z, a->r, y, a->act);
}
