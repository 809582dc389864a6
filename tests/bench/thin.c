/* thin - what products of few rows reach, beside a plain read of as many bytes by the same threads:
 * the floor under a step that makes one token.
 *
 *     thin [THREADS] [SECONDS]
 *
 * Markdown, a line a shape of GPT-2 (124M): GB/s of the read, and for 1, 8 and 32 rows GB/s of the
 * weights and the share of the read's. Each shape has as many weights as make 96 MB, used in turn,
 * so that none of them stays in a cache; all of them are one stage, so that no hand-over counts.
 * Readings and products alternate for SECONDS each, and the best of each is told. The last column
 * is GFLOP/s of 256 rows, beside that of packed weights (f32). */
#include "base/mem.h"
#include "base/msg.h"
#include "base/num.h"
#include "kernels/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TOTAL = 96 << 20, MOST = 256, MANY = 256, FEW = 3 };

typedef struct Shape {
    int64_t k, n;
} Shape;
static const Shape shapes[] = {{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}, {768, 50257}};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const int64_t few[FEW] = {1, 8, 32};
static const char *const form_name[THIN_FORMS] = {"f32", "bf16", "i8"};

/* Weights of a shape, their pieces one after another. */
typedef struct Job {
    Shape s;
    Weight *w[MOST], *packed;
    int64_t count, pieces, bytes; /* of one weight */
    char *plain;                  /* as many bytes as all of them have */
    float *x, *y;
    int64_t rows;
} Job;

static Device *dev;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *random_floats(int64_t n, uint32_t seed, double size)
{
    float *p = dev->alloc(dev, (size_t)n * sizeof *p);
    if (!p)
        dief("out of memory");
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        p[i] = (float)(((double)(seed >> 8) / (1 << 24) - 0.5) * size);
    }
    return p;
}

/* Columns of the i-th piece of a weight, whole panels. */
static int64_t piece_at(const Job *j, int64_t i)
{
    int64_t panels = (j->s.n + THIN_COLS - 1) / THIN_COLS;
    int64_t at = panels * i / j->pieces * THIN_COLS;
    return at < j->s.n ? at : j->s.n;
}

static void multiply(Piece *p, void *ctx)
{
    const Job *j = ctx;
    for (int64_t i = p->lo; i < p->hi; i++) {
        int64_t lo = piece_at(j, i % j->pieces), hi = piece_at(j, i % j->pieces + 1);
        View y = view_of(j->y, K_F32, j->rows, j->s.n);
        dev->linear(p, &(Linear){.x = view_of(j->x, K_F32, j->rows, j->s.k),
                                 .w = j->w[i / j->pieces],
                                 .col0 = lo,
                                 .cols = hi - lo,
                                 .y = view_cols(y, lo, hi)});
    }
}

typedef uint64_t Two __attribute__((vector_size(16)));
static uint64_t volatile seen;

static void read_all(Piece *p, void *ctx)
{
    const Job *j = ctx;
    int64_t lo = piece_at(j, p->lo % j->pieces), hi = piece_at(j, p->lo % j->pieces + 1);
    int64_t at = p->lo / j->pieces * j->bytes;
    const char *from = j->plain + at + j->bytes / j->s.n * lo;
    const char *end = j->plain + at + j->bytes / j->s.n * hi - 63;
    Two a = {0}, b = {0}, c = {0}, d = {0}, v;
    for (; from < end; from += 64) {
        memcpy(&v, from, sizeof v), a ^= v;
        memcpy(&v, from + 16, sizeof v), b ^= v;
        memcpy(&v, from + 32, sizeof v), c ^= v;
        memcpy(&v, from + 48, sizeof v), d ^= v;
    }
    a ^= b ^ c ^ d;
    seen = a[0] ^ a[1];
}

/* Packed weights are cut by rows, as layers are. */
static void multiply_packed(Piece *p, void *ctx)
{
    const Job *j = ctx;
    View x = view_of(j->x, K_F32, j->rows, j->s.k), y = view_of(j->y, K_F32, j->rows, j->s.n);
    dev->linear(p, &(Linear){.x = view_rows(x, p->lo, p->hi),
                             .w = j->packed,
                             .y = view_rows(y, p->lo, p->hi)});
}

static double timed(Each kind, Batch b, StageFn *fn, Job *j)
{
    double begin = now();
    dev->each(dev, kind, &b, fn, j);
    return now() - begin;
}

static void best(double *least, double t)
{
    *least = *least == 0 || t < *least ? t : *least;
}

static void measure(Shape s, ThinForm form, double seconds)
{
    static const int64_t size[THIN_FORMS] = {4, 2, 1};
    Job *j = mem_zero(1, sizeof *j);
    *j = (Job){.s = s, .bytes = s.n * s.k * size[form], .pieces = (int64_t)4 * dev->threads};
    float *w = random_floats(s.n * s.k, 1, 0.1), *bias = random_floats(s.n, 2, 1);
    View part = view_of(w, K_F32, s.k, s.n); /* as GPT-2's files have it */
    j->count = TOTAL / j->bytes < 1 ? 1 : TOTAL / j->bytes < MOST ? TOTAL / j->bytes : MOST;
    for (int64_t i = 0; i < j->count; i++)
        if (!(j->w[i] = dev->pack_thin(dev, &part, (const float *const[]){bias}, 1, true, form)))
            dief("out of memory");
    j->plain = dev->alloc(dev, (size_t)(j->count * j->bytes));
    if (!j->plain)
        dief("out of memory");
    memset(j->plain, 1, (size_t)(j->count * j->bytes));
    j->x = random_floats(MANY * s.k, 3, 4);
    j->y = random_floats(MANY * s.n, 4, 1);
    double read = 0, thin[FEW] = {0}, large = 0, packed = 0, all = (double)(j->count * j->bytes);
    Batch cut = {.cols = j->count * j->pieces}, one = {.cols = j->pieces}, rows = {.tokens = MANY};
    for (double end = now() + seconds; read == 0 || now() < end;) {
        best(&read, timed(EACH_COLS, cut, read_all, j));
        for (int i = 0; i < FEW; i++) {
            j->rows = few[i];
            best(&thin[i], timed(EACH_COLS, cut, multiply, j));
        }
        j->rows = MANY;
        best(&large, timed(EACH_COLS, one, multiply, j));
    }
    if (form == THIN_F32 && (j->packed = dev->pack(dev, &part, NULL, 1, true, K_F32)))
        for (double end = now() + seconds / 4; packed == 0 || now() < end;)
            best(&packed, timed(EACH_ROWS, rows, multiply_packed, j));
    printf("| %d x %d | %s | %.1f |", (int)s.k, (int)s.n, form_name[form], 1e-9 * all / read);
    for (int i = 0; i < FEW; i++)
        printf(" %.1f, %.0f%% |", 1e-9 * all / thin[i], 100 * read / thin[i]);
    double flop = 2e-9 * (double)(MANY * s.n * s.k);
    printf(" %.0f |", flop / large);
    if (packed > 0)
        printf(" %.0f |\n", flop / packed);
    else
        printf(" |\n");
    for (int64_t i = 0; i < j->count; i++)
        dev->unpack(dev, j->w[i]);
    dev->unpack(dev, j->packed);
    dev->free(dev, j->plain), dev->free(dev, j->x), dev->free(dev, j->y);
    dev->free(dev, w), dev->free(dev, bias);
    free(j);
}

int main(int argc, char **argv)
{
    msg_prog = "thin";
    int64_t threads = 1;
    double seconds = 2;
    Err e = {0};
    if (argc > 3 || (argc > 1 && num_int(argv[1], 1, 1024, &threads, &e) < 0) ||
        (argc > 2 && num_real(argv[2], 0.01, 60, &seconds, &e) < 0))
        die_usage("usage: thin [THREADS] [SECONDS]%s%s", *e.text ? ": " : "", e.text);
    dev = device_cpu((int)threads);
    if (!dev)
        dief("out of memory");
    printf("Products of few rows, oneDNN %s, %d thread%s\n\n", dev->about, (int)threads,
           threads == 1 ? "" : "s");
    printf(
        "| inputs x outputs | weights | read, GB/s | 1 row | 8 rows | 32 rows | 256 rows, GFLOP/s "
        "| packed |\n|---|---|---:|---:|---:|---:|---:|---:|\n");
    for (int i = 0; i < SHAPES; i++)
        for (ThinForm form = 0; form < THIN_FORMS; form++)
            measure(shapes[i], form, seconds);
    dev->close(dev);
    return 0;
}
