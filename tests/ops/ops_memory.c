#include "tests/ops/ops.h"

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

void ops_memory(void)
{
    traffic();
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
