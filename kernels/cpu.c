/* cpu.c - the CPU as a device: memory is memory, pieces go to a pool of threads, products to
 * oneDNN, the rest to the operations compiled for this kind of CPU. */
#include "kernels/cpu.h"
#include "kernels/hugemem.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TILE = 128, TILE_MIN = 64, ALIGN = 64 };

/* Temporary memory of one thread: one block, and loose ones until it has grown to fit. */
typedef struct Loose {
    struct Loose *next;
    char pad[ALIGN - sizeof(struct Loose *)];
} Loose;

struct Arena {
    char *base;
    size_t size, used, wanted;
    Loose *loose;
    jmp_buf out; /* of the running piece, where it is left if it cannot go on */
};

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

void cpu_give_up(Piece *p, const char *why)
{
    Cpu *c = cpu_of(p->dev);
    if (!atomic_exchange(&c->failed, true))
        snprintf(c->fault, sizeof c->fault, "%s", why);
    longjmp(c->arena[p->thread].out, 1);
}

static noreturn void no_memory(Piece *p, size_t bytes)
{
    char why[96];
    snprintf(why, sizeof why, "out of memory: %zu bytes for a temporary", bytes);
    cpu_give_up(p, why);
}

static void *cpu_temp(Piece *p, size_t bytes)
{
    Arena *a = &cpu_of(p->dev)->arena[p->thread];
    size_t asked = bytes;
    if (bytes > SIZE_MAX / 2)
        no_memory(p, asked);
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    a->wanted += bytes;
    if (a->size - a->used >= bytes) {
        a->used += bytes;
        return a->base + a->used - bytes;
    }
    void *m = NULL;
    if (posix_memalign(&m, ALIGN, sizeof(Loose) + bytes) != 0)
        no_memory(p, asked);
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

/* There is nothing to gain. */
static void cpu_again(Device *d, const void *key, size_t bytes, void (*fn)(void *ctx), void *ctx)
{
    (void)d, (void)key, (void)bytes;
    fn(ctx);
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
        .panels = true,
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
        .pack_thin = cpu_pack_thin,
        .refer = cpu_refer,
        .follow = cpu_follow,
        .renew = cpu_renew,
        .unpack = cpu_unpack,
        .each = cpu_each,
        .again = cpu_again,
    };
#define TAKE(name, Args) c->table.name = ops->name;
#define OWN(name, Args) c->table.name = cpu_##name;
    OPS(TAKE, OWN)
    return &c->table;
}
