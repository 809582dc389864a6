/* cpu.c - the CPU as a device: memory is memory, pieces go to a pool of threads, products to
 * oneDNN, the rest to the operations compiled for this kind of CPU. */
#include "kernels/hugemem.h"
#include "kernels/isa.h"
#include "kernels/matmul.h"
#include "kernels/pool.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>

enum { TILE = 128, TILE_MIN = 64, ALIGN = 64 };

/* Temporary memory of one thread: one block, and loose ones until it has grown to fit. */
typedef struct Loose {
    struct Loose *next;
    char pad[ALIGN - sizeof(struct Loose *)];
} Loose;

typedef struct Arena {
    char *base;
    size_t size, used, wanted;
    Loose *loose;
    jmp_buf out; /* of the running piece, where it is left if it cannot go on */
} Arena;

typedef struct Cpu {
    Device table; /* first: a Device * is a Cpu * */
    const CpuOps *ops;
    Pool *pool;
    Arena *arena;
    atomic_bool failed; /* and no piece is begun any more */
    char fault[96];     /* the first failure */
    char about[64];
} Cpu;

struct Weight {
    Packed *packed; /* or NULL, and then */
    View plain;
    const float *bias;
};

static Cpu *cpu_of(Device *d)
{
    return (Cpu *)d;
}

const CpuOps *cpu_ops_best(void)
{
#if defined(__x86_64__)
    extern const CpuOps cpu_ops_v2, cpu_ops_v3, cpu_ops_v4;
    MatmulIsa isa = matmul_isa(); /* one variable limits both: ONEDNN_MAX_CPU_ISA */
    if (isa >= ISA_AVX512 && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return &cpu_ops_v4;
    if (isa >= ISA_AVX2 && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        return &cpu_ops_v3;
    return &cpu_ops_v2;
#else
    extern const CpuOps cpu_ops_any;
    return &cpu_ops_any;
#endif
}

/* Memory */

static void *cpu_alloc(Device *d, size_t bytes)
{
    (void)d;
    return huge_alloc(bytes);
}

static void cpu_free(Device *d, void *p)
{
    (void)d;
    huge_free(p);
}

static const void *cpu_hold(Device *d, const void *host, size_t bytes)
{
    (void)d;
    (void)bytes;
    return host;
}

static void cpu_release(Device *d, const void *held)
{
    (void)d;
    (void)held;
}

static void cpu_put(Device *d, void *dst, const void *host, size_t bytes)
{
    (void)d;
    if (bytes)
        memcpy(dst, host, bytes);
}

static void cpu_get(Device *d, void *host, const void *src, size_t bytes)
{
    if (!bytes)
        return;
    if (atomic_load(&cpu_of(d)->failed))
        memset(host, 0, bytes); /* `wait` tells; until then nothing is left to chance */
    else
        memcpy(host, src, bytes);
}

static void cpu_fill(Device *d, void *dst, int byte, size_t bytes)
{
    (void)d;
    memset(dst, byte, bytes);
}

static void arena_reset(Arena *a)
{
    for (Loose *l; (l = a->loose);) {
        a->loose = l->next;
        free(l);
    }
    if (a->wanted > a->size) {
        free(a->base);
        a->size = 0;
        void *p = NULL;
        if (posix_memalign(&p, 4096, a->wanted) == 0)
            a->size = a->wanted;
        a->base = p;
    }
    a->used = a->wanted = 0;
}

static noreturn void give_up(Piece *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ends the piece, in which nothing holds a lock or memory of its own; `wait` tells why the first
 * one ended so. */
static void give_up(Piece *p, const char *fmt, ...)
{
    Cpu *c = cpu_of(p->dev);
    va_list ap;
    va_start(ap, fmt);
    if (!atomic_exchange(&c->failed, true))
        vsnprintf(c->fault, sizeof c->fault, fmt, ap);
    va_end(ap);
    longjmp(c->arena[p->thread].out, 1);
}

static void *cpu_temp(Piece *p, size_t bytes)
{
    Arena *a = &cpu_of(p->dev)->arena[p->thread];
    size_t asked = bytes;
    if (bytes > SIZE_MAX / 2)
        give_up(p, "out of memory: %zu bytes for a temporary", asked);
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    a->wanted += bytes;
    if (a->size - a->used >= bytes) {
        a->used += bytes;
        return a->base + a->used - bytes;
    }
    void *m = NULL;
    if (posix_memalign(&m, ALIGN, sizeof(Loose) + bytes) != 0)
        give_up(p, "out of memory: %zu bytes for a temporary", asked);
    Loose *l = m;
    l->next = a->loose;
    a->loose = l;
    return (char *)m + sizeof *l;
}

static int cpu_wait(Device *d, char *why, size_t n)
{
    Cpu *c = cpu_of(d);
    if (!atomic_load(&c->failed))
        return 0;
    snprintf(why, n, "%s", c->fault);
    return -1;
}

static int64_t cpu_mark(Device *d)
{
    (void)d;
    return 0;
}

static int cpu_reach(Device *d, int64_t mark, char *why, size_t n)
{
    (void)mark;
    return cpu_wait(d, why, n);
}

/* Pieces */

/* The first `large` pieces are `piece` long, those behind them `small`. */
typedef struct Cut {
    Cpu *cpu;
    int64_t total, large, piece, small;
    StageFn *fn;
    void *ctx;
} Cut;

static int64_t cut_at(const Cut *c, int64_t i)
{
    int64_t at = i < c->large ? i * c->piece : c->large * c->piece + (i - c->large) * c->small;
    return at < c->total ? at : c->total;
}

static void run_piece(void *arg, int64_t i, int thread)
{
    Cut *c = arg;
    Arena *a = &c->cpu->arena[thread];
    Piece p = {&c->cpu->table, cut_at(c, i), cut_at(c, i + 1), thread};
    if (atomic_load(&c->cpu->failed))
        return;
    arena_reset(a);
    if (setjmp(a->out) == 0)
        c->fn(&p, c->ctx);
}

/* Tiles are as high as products like them; the last ones of each thread are low, so that no
 * thread waits long for another at the end of a stage. */
static void cut_rows(Cut *c, const Device *d)
{
    int64_t end = (int64_t)2 * TILE * d->threads;
    c->piece = TILE;
    c->small = TILE_MIN;
    c->large = c->total > end ? (c->total - end) / TILE : 0;
}

static void cpu_each(Device *d, Each kind, const Batch *b, StageFn *fn, void *ctx)
{
    Cut c = {.cpu = cpu_of(d), .fn = fn, .ctx = ctx, .small = 1};
    switch (kind) {
    case EACH_ROWS:
        c.total = b->tokens;
        cut_rows(&c, d);
        break;
    case EACH_SEQS:
        c.total = b->rows * b->heads;
        c.small = b->rows >= 4 * d->threads ? b->heads : 1;
        break;
    case EACH_COLS: c.total = b->cols; break;
    }
    int64_t rest = c.total - c.large * c.piece;
    pool_run(c.cpu->pool, c.large + (rest + c.small - 1) / c.small, run_piece, &c);
}

/* Weights */

static Weight *cpu_refer(Device *d, View w, const float *bias)
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

static void cpu_unpack(Device *d, Weight *w)
{
    (void)d;
    if (w)
        packed_free(w->packed);
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

static Weight *cpu_pack(Device *d, const View *part, const float *const *bias, int parts,
                        bool by_input, KType type)
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

/* Products */

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
        give_up(p, "%s", why);
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

static void cpu_linear(Piece *p, const Linear *a)
{
    const CpuOps *ops = cpu_of(p->dev)->ops;
    const Weight *w = a->w;
    View x = a->x, y = a->y;
    /* The product's own destination: y, unless y is still needed or of an odd kind. */
    View z = a->pre.p ? a->pre : y;
    if (!a->pre.p && a->r.p && same(a->r, y))
        z = temp_view(p, K_F32, y.rows, y.cols);

    if (w->packed) {
        KType type = packed_type(w->packed);
        if (x.type != type || x.stride != x.cols) {
            View t = temp_view(p, type, x.rows, x.cols);
            convert(p, x, t);
            x = t;
        }
        products(p, w->packed, x, z);
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

static void cpu_close(Device *d)
{
    Cpu *c = cpu_of(d);
    pool_free(c->pool);
    for (int i = 0; i < d->threads; i++) {
        arena_reset(&c->arena[i]);
        free(c->arena[i].base);
    }
    free(c->arena);
    free(c);
}

Device *device_cpu(int threads)
{
    Cpu *c = calloc(1, sizeof *c);
    const CpuOps *ops = cpu_ops_best();
    if (!c || !(c->arena = calloc((size_t)threads, sizeof *c->arena)) ||
        !(c->pool = pool_new(threads, matmul_thread_start))) {
        free(c ? c->arena : NULL);
        free(c);
        return NULL;
    }
    int major, minor, patch;
    matmul_version(&major, &minor, &patch);
    snprintf(c->about, sizeof c->about, "%d.%d.%d, using %s", major, minor, patch,
             matmul_isa_name());
    c->ops = ops;
    c->table = (Device){
        .name = "cpu",
        .about = c->about,
        .threads = threads,
        .bf16 = matmul_isa() >= ISA_BF16 ? K_BF16 : K_F32,
        .f16 = K_F32,
        .alloc = cpu_alloc,
        .free = cpu_free,
        .hold = cpu_hold,
        .release = cpu_release,
        .put = cpu_put,
        .get = cpu_get,
        .fill = cpu_fill,
        .temp = cpu_temp,
        .wait = cpu_wait,
        .mark = cpu_mark,
        .reach = cpu_reach,
        .close = cpu_close,
        .pack = cpu_pack,
        .refer = cpu_refer,
        .unpack = cpu_unpack,
        .each = cpu_each,
    };
#define TAKE(name, Args) c->table.name = ops->name;
#define OWN(name, Args) c->table.name = cpu_##name;
    OPS(TAKE, OWN)
    return &c->table;
}
