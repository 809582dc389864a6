/* cpu_weight.c - matrices as products like them. */
#include "kernels/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Weight *cpu_refer(Device *d, View w, const float *bias)
{
    (void)d;
    Weight *r = calloc(1, sizeof *r);
    if (r)
        *r = (Weight){.plain = w, .bias = bias};
    return r;
}

View weight_plain(const Weight *w)
{
    return w->plain;
}

void cpu_unpack(Device *d, Weight *w)
{
    (void)d;
    if (w) {
        packed_free(w->packed);
        packed_free(w->back);
        cpu_thin_free(w->thin);
    }
    free(w);
}

static float round_bf16(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* To eleven bits, or below 2^-14 to a multiple of 2^-24; from 65,520 on it is infinite. */
static float round_f16(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    uint32_t size = u & 0x7fffffff;
    if (size < 0x38800000) /* 2^-14; the last bit of 0.5 is worth 2^-24 */
        return copysignf(fabsf(f) + 0.5f - 0.5f, f);
    if (size >= 0x477ff000)
        return f != f ? f : copysignf(INFINITY, f);
    u = (u + 0xfff + (u >> 13 & 1)) & 0xffffe000;
    memcpy(&f, &u, sizeof f);
    return f;
}

static void round_all(float *f, int64_t n, KType type)
{
    for (int64_t i = 0; i < n; i++)
        f[i] = type == K_F16 ? round_f16(f[i]) : round_bf16(f[i]);
}

/* The parts as one dense matrix; by_input stacks side by side, else one below the other. */
static void stack(float *to, const View *part, int parts, bool by_input, int64_t n)
{
    int64_t at = 0;
    for (int i = 0; i < parts; at += by_input ? part[i].cols : part[i].rows, i++)
        for (int64_t r = 0; r < part[i].rows; r++)
            memcpy(by_input ? to + r * n + at : to + (at + r) * part[i].cols,
                   (const float *)part[i].p + r * part[i].stride,
                   (size_t)part[i].cols * sizeof *to);
}

Weight *cpu_pack(Device *d, const View *part, const float *const *bias, int parts, bool by_input,
                 KType type)
{
    int64_t n = 0, k = by_input ? part[0].rows : part[0].cols, at = 0;
    for (int i = 0; i < parts; i++)
        n += by_input ? part[i].cols : part[i].rows;
    bool rounded = type == K_F16 || (type == K_BF16 && d->bf16 == K_F32);
    bool whole = parts == 1 && part[0].stride == part[0].cols && !rounded;
    Weight *w = calloc(1, sizeof *w);
    float *all = whole ? part[0].p : malloc((size_t)(n * k) * sizeof *all);
    float *b = bias ? calloc((size_t)n, sizeof *b) : NULL;
    if (w && all && (b || !bias)) {
        if (!whole)
            stack(all, part, parts, by_input, n);
        if (rounded)
            round_all(all, n * k, type);
        for (int i = 0; bias && i < parts; i++) {
            int64_t m = by_input ? part[i].cols : part[i].rows;
            if (bias[i])
                memcpy(b + at, bias[i], (size_t)m * sizeof *b);
            at += m;
        }
        w->packed = packed_new(all, b, n, k, by_input, rounded ? K_F32 : type);
    }
    if (!whole)
        free(all);
    free(b);
    if (w && w->packed)
        return w;
    free(w);
    return NULL;
}

/* One that follows its matrix has no numbers of its own before the first cpu_renew(). Forward its
 * outputs are W's rows, back they are its columns. */
Weight *cpu_follow(Device *d, View m, const float *bias, bool by_input, KType type)
{
    int64_t n = by_input ? m.cols : m.rows, k = by_input ? m.rows : m.cols;
    bool rounds = type == K_F16 || (type == K_BF16 && d->bf16 == K_F32);
    KType packed = rounds ? K_F32 : type;
    Weight *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    *w = (Weight){.plain = m, .bias = bias, .rounded = rounds ? type : K_F32};
    w->packed = packed_new(m.p, bias, n, k, by_input, packed);
    w->back = packed_new(m.p, NULL, k, n, !by_input, packed);
    if (w->packed && w->back)
        return w;
    cpu_unpack(d, w);
    return NULL;
}

void cpu_renew(Piece *p, Weight *w)
{
    const float *from = w->plain.p;
    int64_t n = w->plain.rows * w->plain.cols;
    if (w->rounded != K_F32) {
        float *copy = p->dev->temp(p, (size_t)n * sizeof *copy);
        memcpy(copy, from, (size_t)n * sizeof *copy);
        round_all(copy, n, w->rounded);
        from = copy;
    }
    if (packed_renew(w->packed, from, w->bias) < 0 || packed_renew(w->back, from, NULL) < 0)
        cpu_give_up(p, "oneDNN refused a matrix");
}
