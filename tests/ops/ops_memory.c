#include "tests/ops/ops.h"

#include <stdio.h>

enum { ROUNDS = 40, HALFWAY = 10 };

static void check_rounds(char *const *got, char *const *want, const size_t *n, int from, int to)
{
    for (int i = from; i < to; i++)
        if (memcmp(got[i], want[i], n[i]) != 0)
            fail("round %d: what was put is not got", i);
}

/* Much is asked for before anything is waited for, all of it by one piece of device memory. */
static void traffic(void)
{
    const size_t most = 20 << 20;
    char *p = dev->alloc(dev, most), *staged = mem_alloc(most), *want[ROUNDS], *got[ROUNDS];
    char why[256] = "";
    size_t n[ROUNDS];
    int64_t mark = 0;
    begin("memory", "%d rounds without waiting", ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        n[i] = i == 3 ? most : (size_t)any(1, 4 << 20);
        want[i] = mem_zero(n[i], 1);
        got[i] = mem_zero(n[i], 1);
        for (size_t k = 0; k + sizeof(uint64_t) <= n[i]; k += 509) {
            uint64_t u = rand_u64(&rng);
            memcpy(want[i] + k, &u, sizeof u);
        }
        memcpy(staged, want[i], n[i]);
        dev->put(dev, p, staged, n[i]);
        memset(staged, POISON, n[i]); /* put has its own copy */
        dev->get(dev, got[i], p, n[i]);
        if (i == HALFWAY - 1)
            mark = dev->mark(dev);
    }
    must(dev->reach(dev, mark, why, sizeof why), why);
    check_rounds(got, want, n, 0, HALFWAY);
    must(dev->wait(dev, why, sizeof why), why);
    check_rounds(got, want, n, HALFWAY, ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        free(want[i]);
        free(got[i]);
    }
    free(staged);
    dev->free(dev, p);
    end();
}

/* What an address has no room for; AddressSanitizer would end the program for asking. */
static const size_t TOO_MUCH = (size_t)1 << 56;
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

typedef struct Ask {
    size_t bytes;
    int *done; /* device memory: bytes of 7 where the piece goes on */
} Ask;

static void stage_ask(Piece *p, void *ctx)
{
    const Ask *a = ctx;
    p->dev->temp(p, a->bytes);
    p->dev->fill(p->dev, a->done + p->lo, 7, sizeof *a->done);
}

/* The first failure is told at the next wait and at every later one, in words that say how much was
 * wanted; until then get gives zeros, and no stage does anything any more. The device is opened
 * anew. */
static void no_more(void)
{
    enum { ITEMS = 5 };
    char why[256], later[256], size[32], *name = mem_str(dev->name);
    int *p = dev->alloc(dev, ITEMS * sizeof *p), got[ITEMS];
    Batch items = {.cols = ITEMS};
    begin("memory", "%zu bytes for a temporary", TOO_MUCH);
    dev->fill(dev, p, 0, ITEMS * sizeof *p);
    dev->each(dev, EACH_COLS, &items, stage_ask, &(Ask){100, p});
    dev->get(dev, got, p, sizeof got);
    must(dev->wait(dev, why, sizeof why), why);
    if (got[0] != 0x07070707)
        fail("a stage does nothing");
    dev->each(dev, EACH_COLS, &items, stage_ask, &(Ask){TOO_MUCH, p});
    dev->each(dev, EACH_COLS, &items, stage_ask, &(Ask){TOO_MUCH / 2, p});
    dev->get(dev, got, p, sizeof got);
    snprintf(size, sizeof size, "%zu bytes", TOO_MUCH);
    if (dev->wait(dev, why, sizeof why) == 0 || !strstr(why, "out of memory") || !strstr(why, size))
        fail("wait says '%s'", why);
    if (dev->reach(dev, dev->mark(dev), later, sizeof later) == 0 || strcmp(why, later) != 0)
        fail("reach says '%s', wait '%s'", later, why);
    for (int i = 0; i < ITEMS; i++)
        if (got[i] != 0)
            fail("after the failure there is %d", got[i]);
    dev->free(dev, p);
    end();
    dev->close(dev);
    dev = device_open(name, 2, why, sizeof why);
    must(dev ? 0 : -1, why);
    free(name);
}

/* y = a x + y, by way of temporary memory; a is device memory, so that the key does not tell it. */
typedef struct Add {
    View x, y, by;
    int calls; /* of the function that asks */
} Add;

static void stage_add(Piece *p, void *ctx)
{
    const Add *a = ctx;
    View x = view_rows(a->x, p->lo, p->hi), y = view_rows(a->y, p->lo, p->hi);
    View times = temp_view(p, K_F32, x.rows, x.cols);
    p->dev->act(p, &(Activate){.x = x, .gate = view_rows(a->by, p->lo, p->hi), .y = times});
    p->dev->mix(p, &(Mix){.x = times, .r = y, .y = y, .a = 1, .b = 1});
}

static void add_twice(void *ctx)
{
    Add *a = ctx;
    a->calls++;
    for (int i = 0; i < 2; i++)
        dev->each(dev, EACH_ROWS, &(Batch){.tokens = a->x.rows}, stage_add, a);
}

/* What is put between the calls counts, whoever asks; memory that is taken, another key and another
 * function's work come in between. */
static void again(void)
{
    enum { ROWS = 3, COLS = 8, CALLS = 24 };
    begin("memory", "%d calls that come again", CALLS);
    Add a[2];
    double want[2] = {0, 0};
    void *taken = NULL;
    for (int k = 0; k < 2; k++) {
        View *v[] = {&a[k].x, &a[k].y, &a[k].by};
        for (int i = 0; i < 3; i++)
            *v[i] = view_of(dev->alloc(dev, ROWS * COLS * sizeof(float)), K_F32, ROWS, COLS);
        dev->fill(dev, a[k].y.p, 0, ROWS * COLS * sizeof(float));
        a[k].calls = 0;
    }
    for (int i = 0; i < CALLS; i++) {
        int k = i % 12 >= 10;
        float x[ROWS * COLS], by[ROWS * COLS], y[ROWS * COLS];
        for (int j = 0; j < ROWS * COLS; j++) {
            x[j] = (float)(i + 1);
            by[j] = (float)(i % 3 - 1);
        }
        want[k] += 2.0 * (i + 1) * (i % 3 - 1);
        if (i % 12 == 6)
            taken = dev->alloc(dev, (size_t)1 << 20);
        dev->put(dev, a[k].x.p, x, sizeof x);
        dev->put(dev, a[k].by.p, by, sizeof by);
        dev->again(dev, &k, sizeof k, add_twice, &a[k]);
        fetch(a[k].y.p, y, sizeof y);
        for (int j = 0; j < ROWS * COLS; j++)
            if ((double)y[j] != want[k])
                fail("call %d: %g, not %g", i, (double)y[j], want[k]);
        if (i % 12 == 8)
            dev->free(dev, taken);
    }
    if (on_cpu() ? a[0].calls != 20 : a[0].calls >= 20)
        fail("%d calls of those that come again", a[0].calls);
    for (int k = 0; k < 2; k++) {
        dev->free(dev, a[k].x.p);
        dev->free(dev, a[k].y.p);
        dev->free(dev, a[k].by.p);
    }
    end();
}

void ops_memory(void)
{
    no_more();
    traffic();
    again();
    for (size_t n = 0; n < 300000; n = 7 * n + 13) {
        begin("memory", "%zu bytes", n);
        char *bytes = mem_alloc(n + 1), *got = mem_alloc(n + 1), *p = dev->alloc(dev, n);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)rand_u64(&rng);
        if (!p || (uintptr_t)p % 64)
            fail("%p is not on 64 bytes", (void *)p);
        dev->put(dev, p, bytes, n);
        fetch(p, got, n);
        if (memcmp(got, bytes, n) != 0)
            fail("what was put is not got");
        const void *held = dev->hold(dev, bytes, n);
        fetch(held, got, n);
        if (!held || memcmp(got, bytes, n) != 0)
            fail("what is held is not got");
        dev->release(dev, held);
        dev->fill(dev, p, 0x5a, n);
        fetch(p, got, n);
        for (size_t i = 0; i < n; i++)
            if (got[i] != 0x5a)
                fail("byte %zu is not filled", i);
        dev->free(dev, p);
        free(bytes);
        free(got);
        end();
    }
}
