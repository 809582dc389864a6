/* pool_test - that every piece runs once, by a thread that no other has, whatever the stages' sizes
 * and pauses between them. `pool_test THREADS STAGES [LOOPS]` instead times so many stages of eight
 * pieces, each of so many turns of a loop (none: empty ones). */
#include "kernels/pool.h"
#include "tests/unit/check.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { THREADS = 4, MOST = 40, STAGES = 2000 };

typedef struct Stage {
    atomic_int count[MOST], inside[THREADS];
    atomic_bool wrong;
    int64_t sum; /* of a plain number a piece: the caller must see what workers wrote */
    int64_t wrote[MOST];
} Stage;

static atomic_int started;

static void start(void)
{
    atomic_fetch_add(&started, 1);
}

static void piece(void *arg, int64_t i, int thread)
{
    Stage *s = arg;
    if (i < 0 || i >= MOST || thread < 0 || thread >= THREADS) {
        atomic_store(&s->wrong, true);
        return;
    }
    if (atomic_fetch_add(&s->inside[thread], 1) != 0)
        atomic_store(&s->wrong, true);
    atomic_fetch_add(&s->count[i], 1);
    s->wrote[i] += i + 1;
    atomic_fetch_sub(&s->inside[thread], 1);
}

static void nothing(void *arg, int64_t i, int thread)
{
    (void)arg, (void)i, (void)thread;
}

static void nap(long ns)
{
    nanosleep(&(struct timespec){0, ns}, NULL);
}

static void every_piece_once(void)
{
    static Stage s;
    int want[MOST] = {0};
    Pool *p = pool_new(THREADS, start);
    CHECK(p);
    for (int i = 0; p && i < STAGES; i++) {
        int n = i * 7 % (MOST + 1);
        pool_run(p, n, piece, &s);
        for (int j = 0; j < n; j++)
            want[j]++;
        if (i % 100 == 0)
            nap(200000); /* long enough for workers to sleep */
    }
    int wrong = 0;
    for (int j = 0; j < MOST; j++)
        wrong += atomic_load(&s.count[j]) != want[j] || s.wrote[j] != (int64_t)want[j] * (j + 1);
    CHECK(wrong == 0);
    CHECK(!atomic_load(&s.wrong));
    pool_free(p);
    CHECK(atomic_load(&started) == THREADS);
}

/* Workers that never had anything to do end, too. */
static void idle(void)
{
    for (int i = 0; i < 20; i++) {
        Pool *p = pool_new(THREADS, start);
        if (i % 2)
            pool_run(p, MOST, nothing, NULL);
        if (i % 4 == 3)
            nap(100000);
        pool_free(p);
    }
    CHECK(atomic_load(&started) == 21 * THREADS);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void loops(void *arg, int64_t i, int thread)
{
    (void)i, (void)thread;
    for (int volatile left = *(int *)arg; left > 0;)
        left--;
}

static int time_stages(int threads, int stages, int turns)
{
    Pool *p = pool_new(threads, start);
    double begin = now();
    for (int i = 0; p && i < stages; i++)
        pool_run(p, 8, loops, &turns);
    printf("%d threads: %.2f us a stage\n", threads, 1e6 * (now() - begin) / stages);
    pool_free(p);
    return 0;
}

/* [lo, 2^20], or the program ends. */
static int number(const char *text, long lo)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < lo || n > 1 << 20) {
        fprintf(stderr, "pool_test: %s is no number from %ld to %d\n", text, lo, 1 << 20);
        exit(2);
    }
    return (int)n;
}

int main(int argc, char **argv)
{
    if (argc >= 3)
        return time_stages(number(argv[1], 1), number(argv[2], 1),
                           argc > 3 ? number(argv[3], 0) : 0);
    every_piece_once();
    idle();
    return checked();
}
