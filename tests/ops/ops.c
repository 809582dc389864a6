#include "tests/ops/ops.h"

#include "base/dtype.h"

#include <stdarg.h>
#include <stdio.h>

enum { GUARD = 256, BLOCKS = 64, NAMES = 32, FEW = 16 };

Device *dev;
Rand rng;
bool one_is_enough;

/* What a case has put into device memory, to be looked at when it ends. */
typedef struct Block {
    char *mem, *host; /* device memory; the bytes that it must hold, and where any may stand: */
    bool *free;       /* NULL: nowhere */
    size_t size;
} Block;

static Block block[BLOCKS];
static double *array[BLOCKS];
static int blocks, arrays, failures, told;
static char name[256];

static struct Worst {
    const char *op;
    int cases;
    double nmse, max; /* as shares of what is allowed */
} worst[NAMES];
static struct Worst *now;

int failed(void)
{
    return failures;
}

static void had_case(const char *op)
{
    for (struct Worst *w = worst; w < worst + NAMES && w->op; w++)
        if (strcmp(w->op, op) == 0)
            return;
    fprintf(stderr, "%s: no case of this operation\n", op);
    failures++;
}

void all_had_cases(void)
{
#define HAD(name, Args) had_case(#name);
    OPS(HAD, HAD)
}

void tally(bool print)
{
    int cases = 0;
    for (struct Worst *w = worst; w < worst + NAMES && w->op; w++) {
        cases += w->cases;
        if (print)
            printf("%-10s %4d cases, error %3.0f%% and mean squared error %3.0f%% of the bound\n",
                   w->op, w->cases, 100 * w->max, 100 * w->nmse);
    }
    printf("%d cases, %d failed\n", cases, failures);
}

void begin(const char *op, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(name, sizeof name, "%s: ", op);
    va_start(ap, fmt);
    vsnprintf(name + n, sizeof name - (size_t)n, fmt, ap);
    va_end(ap);
    for (now = worst; now->op && strcmp(now->op, op) != 0;)
        now++;
    now->op = op;
    now->cases++;
    told = 0;
}

void fail(const char *fmt, ...)
{
    va_list ap;
    failures += told == 0;
    if (told++ >= 3)
        return;
    fprintf(stderr, "%s: ", name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* ---- device memory ---- */

/* `host` is kept until end(). */
static char *place(char *host, bool *free, size_t size)
{
    Block b = {dev->alloc(dev, size), host, free, size};
    if (!b.mem || blocks == BLOCKS) {
        fprintf(stderr, "ops_test: no room for %zu bytes\n", size);
        exit(1);
    }
    dev->put(dev, b.mem, host, size);
    block[blocks++] = b;
    return b.mem;
}

void *dev_copy(const void *host, size_t bytes)
{
    char *all = mem_alloc(bytes + 2 * GUARD);
    memset(all, POISON, bytes + 2 * GUARD);
    if (bytes)
        memcpy(all + GUARD, host, bytes);
    return place(all, NULL, bytes + 2 * GUARD) + GUARD;
}

const char *type_name(KType type)
{
    static const char *const names[K_TYPES] = {"f32", "bf16", "f16"};
    return names[type];
}

bool takes(KType type)
{
    return type != K_F16 || dev->f16 == K_F16;
}

KType half(void)
{
    return takes(K_F16) && rand_below(&rng, 2) ? K_F16 : K_BF16;
}

static uint16_t f16_from(double x)
{
    double size = fabs(x);
    uint16_t sign = signbit(x) ? 0x8000 : 0;
    int e;
    if (!(size < 65520))
        return sign | (isnan(x) ? 0x7e00 : 0x7c00);
    if (size < 0x1p-14)
        return sign | (uint16_t)nearbyint(size * 0x1p24);
    double digits = frexp(size, &e) * 2048;
    return sign | (uint16_t)(((e + 14) << 10) + (int)nearbyint(digits) - 1024);
}

static uint16_t narrow(KType type, double x)
{
    return type == K_F16 ? f16_from(x) : bf16_from_f32((float)x);
}

static double widen(KType type, uint16_t h)
{
    return (double)(type == K_F16 ? f32_from_f16(h) : f32_from_bf16(h));
}

double rounded(KType type, double x)
{
    return type == K_F32 ? (double)(float)x : widen(type, narrow(type, x));
}

static size_t offset(const Mat *m, int64_t i, int64_t j)
{
    return m->at + (size_t)(i * m->v.stride + j) * ktype_size(m->v.type);
}

static double element(const Mat *m, const char *from, int64_t i, int64_t j)
{
    float f;
    uint16_t h;
    from += offset(m, i, j);
    memcpy(&h, from, sizeof h);
    if (m->v.type != K_F32)
        return widen(m->v.type, h);
    memcpy(&f, from, sizeof f);
    return (double)f;
}

double mat_at(const Mat *m, int64_t i, int64_t j)
{
    return element(m, m->host, i, j);
}

static void store(const Mat *m, int64_t i, int64_t j, double x)
{
    float f = (float)x;
    uint16_t h = narrow(m->v.type, x);
    const void *bytes = m->v.type == K_F32 ? (const void *)&f : &h;
    memcpy(m->host + offset(m, i, j), bytes, ktype_size(m->v.type));
}

static const Block *block_of(const Mat *m)
{
    for (int i = 0; i < blocks; i++)
        if (block[i].host == m->host)
            return &block[i];
    abort();
}

static void put_again(const Mat *m)
{
    const Block *b = block_of(m);
    dev->put(dev, b->mem, b->host, b->size);
}

void mat_set(const Mat *m, int64_t i, int64_t j, double x)
{
    store(m, i, j, x);
    put_again(m);
}

void mat_scale(const Mat *m, double by)
{
    for (int64_t i = 0; i < m->v.rows; i++)
        for (int64_t j = 0; j < m->v.cols; j++)
            store(m, i, j, mat_at(m, i, j) * by);
    put_again(m);
}

void mat_fill(const Mat *m, const double *x)
{
    for (int64_t i = 0; i < m->v.rows; i++)
        for (int64_t j = 0; j < m->v.cols; j++)
            store(m, i, j, *x++);
    put_again(m);
}

static Mat matrix(KType type, int64_t rows, int64_t cols, int64_t pad, bool numbers, bool out)
{
    size_t e = ktype_size(type), size = (size_t)(rows * (cols + pad)) * e + 2 * GUARD;
    Mat m = {.v = {.type = type, .rows = rows, .cols = cols, .stride = cols + pad},
             .host = mem_alloc(size),
             .at = GUARD + (size_t)(pad / 2) * e};
    bool *open = out ? mem_zero(size, sizeof *open) : NULL;
    memset(m.host, POISON, size);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            if (numbers)
                store(&m, i, j, rand_normal(&rng));
            if (open)
                memset(open + offset(&m, i, j), true, e);
        }
    m.v.p = place(m.host, open, size) + m.at;
    return m;
}

Mat mat_in(KType type, int64_t rows, int64_t cols, int64_t pad)
{
    return matrix(type, rows, cols, pad, true, false);
}

Mat mat_out(KType type, int64_t rows, int64_t cols, int64_t pad)
{
    return matrix(type, rows, cols, pad, false, true);
}

Mat mat_inout(KType type, int64_t rows, int64_t cols, int64_t pad)
{
    return matrix(type, rows, cols, pad, true, true);
}

static void *copy_of(const void *p, size_t n)
{
    return memcpy(mem_alloc(n), p, n);
}

Mat mat_twin(const Mat *m)
{
    const Block *b = block_of(m);
    Mat t = *m;
    t.host = copy_of(b->host, b->size);
    t.v.p = place(t.host, b->free ? copy_of(b->free, b->size) : NULL, b->size) + t.at;
    return t;
}

void end(void)
{
    for (; blocks > 0; blocks--) {
        Block *b = &block[blocks - 1];
        char *got = mem_alloc(b->size);
        fetch(b->mem, got, b->size);
        for (size_t i = 0; i < b->size; i++)
            if (got[i] != b->host[i] && !(b->free && b->free[i]))
                fail("byte %zu of %zu of block %d was written", i, b->size, blocks - 1);
        dev->free(dev, b->mem);
        free(got);
        free(b->host);
        free(b->free);
        *b = (Block){0};
    }
    while (arrays > 0)
        free(array[--arrays]);
    if (one_is_enough && failures)
        exit(1);
}

/* ---- running and comparing ---- */

void must(int r, const char *why)
{
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", name, why);
        exit(1);
    }
}

void run_each(Each kind, const Batch *b, StageFn *fn, void *args)
{
    char why[256] = "";
    dev->each(dev, kind, b, fn, args);
    must(dev->wait(dev, why, sizeof why), why);
}

void run(StageFn *fn, void *args)
{
    run_each(EACH_COLS, &(Batch){.cols = 1}, fn, args);
}

/* Runs fn over [lo, hi) of whatever it cuts. */
typedef struct Part {
    StageFn *fn;
    void *args;
    int64_t lo, hi;
} Part;

static void stage_part(Piece *p, void *ctx)
{
    const Part *part = ctx;
    Piece q = *p;
    q.lo = part->lo;
    q.hi = part->hi;
    part->fn(&q, part->args);
}

void run_parts(int64_t n, int64_t step, StageFn *fn, void *args)
{
    for (int64_t lo = 0; lo < n; lo += step)
        run(stage_part, &(Part){fn, args, lo, lo + step < n ? lo + step : n});
}

void run_threads(int threads, Each kind, const Batch *b, StageFn *fn, void *args)
{
    Device *was = dev, *other = on_cpu() ? device_cpu(threads) : dev;
    dev = other;
    run_each(kind, b, fn, args);
    dev = was;
    if (other != dev)
        other->close(other);
}

bool on_cpu(void)
{
    return strcmp(dev->name, "cpu") == 0;
}

void fetch(const void *from, void *to, size_t bytes)
{
    char why[256] = "";
    dev->get(dev, to, from, bytes);
    must(dev->wait(dev, why, sizeof why), why);
}

double *wants(int64_t n)
{
    if (arrays == BLOCKS)
        abort();
    return array[arrays++] = mem_zero((size_t)n + 1, sizeof(double));
}

static void worst_is(double *was, double share)
{
    if (!(share <= *was))
        *was = share;
}

void expect(Mat *y, const double *want, const double *scale, Bound b)
{
    double wrong = 0, power = 0, rounding = 0;
    const Block *block = block_of(y);
    char *got = mem_alloc(block->size);
    fetch(block->mem, got, block->size);
    int roundings = b.roundings ? b.roundings : 1;
    if (y->v.type != K_F32)
        rounding = roundings / (y->v.type == K_F16 ? 2048.0 : 256.0);
    double least = y->v.type == K_F16 ? roundings * 0x1p-25 : 0; /* f16 ends at 2^-24 */
    for (int64_t i = 0, k = 0; i < y->v.rows; i++)
        for (int64_t j = 0; j < y->v.cols; j++, k++) {
            double g = element(y, got, i, j), err = fabs(g - want[k]);
            double most = b.max * (scale ? scale[k] : fmax(1, fabs(want[k])));
            most += rounding * (b.roundings > 1 && scale ? scale[k] : fabs(want[k]));
            most += least;
            if (!(err <= most))
                fail("[%lld, %lld] is %.9g, not %.9g (within %.2g)", (long long)i, (long long)j, g,
                     want[k], most);
            if (err > 0)
                worst_is(&now->max, err / most);
            wrong += err * err;
            power += want[k] * want[k];
        }
    double nmse = power > 0 && y->v.rows * y->v.cols >= FEW ? wrong / power : 0;
    double most = b.nmse + rounding * rounding;
    if (!(nmse <= most))
        fail("normalised mean squared error %.2g (at most %.2g)", nmse, most);
    if (nmse > 0)
        worst_is(&now->nmse, nmse / most);
    free(got);
}

void expect_same(const Mat *a, const Mat *b)
{
    size_t size = block_of(a)->size;
    char *bytes = mem_alloc(2 * size);
    fetch(block_of(a)->mem, bytes, size);
    fetch(block_of(b)->mem, bytes + size, size);
    if (memcmp(bytes, bytes + size, size) != 0)
        fail("in parts the bits are others");
    free(bytes);
}

int64_t any(int64_t lo, int64_t hi)
{
    return lo + (int64_t)rand_below(&rng, (uint64_t)(hi - lo + 1));
}

/* mix.h: from the generator itself. */
bool dropped(float drop, uint64_t seed, uint32_t site, uint64_t row, int64_t col)
{
    uint32_t c[4] = {(uint32_t)(col / 64 * 16 + col % 16), site, (uint32_t)row,
                     (uint32_t)(row >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)0xd2511f53 * c[0], q = (uint64_t)0xcd9e8d57 * c[2];
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ key[0], (uint32_t)q,
                            (uint32_t)(p >> 32) ^ c[3] ^ key[1], (uint32_t)p};
        memcpy(c, next, sizeof c);
        key[0] += 0x9e3779b9;
        key[1] += 0xbb67ae85;
    }
    return c[col / 16 % 4] < (uint32_t)((double)drop * 4294967296.0);
}

double activation(double x, Act act)
{
    switch (act) {
    case ACT_NONE: return x;
    case ACT_GELU: return x / 2 * erfc(-x / sqrt(2));
    case ACT_GELU_TANH: return x / 2 * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case ACT_RELU: return x < 0 ? 0 : x;
    case ACT_TANH: return tanh(x);
    case ACT_SILU: return x / (1 + exp(-x));
    case ACT_COUNT: break;
    }
    return NAN;
}
