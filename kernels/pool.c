#include "kernels/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

/* A call of pool_run is a round. Workers join it while it is open and leave when nothing is left;
 * who calls closes it when nothing is left, and waits for those that joined. So no one waits for a
 * thread that has not come to run, as where more threads are than cores. */
enum { INSIDE = 0xffff, OPEN = 0x10000, ROUND = 0x20000 };

/* A hand-over by sleeping and waking takes some 20 us, and stages that follow each other at once
 * are often as short. So whoever waits looks for so long before it sleeps. */
enum { SPIN_NS = 30000, PAUSES = 32 };

struct Pool {
    int threads;
    pthread_t *id;
    _Atomic uint64_t state; /* threads inside, is it open, the number of the round */
    atomic_int_fast64_t next;
    PoolFn *fn; /* these three change while no one is inside, and it is closed */
    void *arg;
    int64_t n;
    atomic_int cpu;      /* the one that pool_run was called on */
    atomic_bool waiting; /* pool_run sleeps until all are outside */
    atomic_int sleeping; /* workers that sleep until a round begins */
    atomic_bool stop;
    pthread_mutex_t lock; /* for sleeping and waking alone */
    pthread_cond_t work, done;
    void (*start)(void);
};

typedef struct Worker {
    Pool *pool;
    int thread;
} Worker;

static void drain(Pool *p, int thread)
{
    for (int64_t i; (i = atomic_fetch_add(&p->next, 1)) < p->n;)
        p->fn(p->arg, i, thread);
}

static inline void pause_cpu(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb");
#endif
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What is waited for: a round after `seen`, or the end of this one. */
static bool is_new(Pool *p, uint64_t seen)
{
    uint64_t s = atomic_load(&p->state);
    return (s & OPEN && s / ROUND != seen) || atomic_load(&p->stop);
}

static bool is_over(Pool *p, uint64_t unused)
{
    (void)unused;
    return !(atomic_load(&p->state) & INSIDE);
}

/* Has it come within a short while? */
static bool spin(Pool *p, bool (*come)(Pool *, uint64_t), uint64_t seen)
{
    for (int64_t end = 0;;) {
        for (int i = 0; i < PAUSES; i++) {
            if (come(p, seen))
                return true;
            pause_cpu();
        }
        int64_t t = now_ns();
        if (end == 0)
            end = t + SPIN_NS;
        else if (t > end)
            return false;
    }
}

static void sleep_until_new(Pool *p, uint64_t seen)
{
    pthread_mutex_lock(&p->lock);
    /* Before it looks again: who begins a round looks at `sleeping` after that. */
    atomic_fetch_add(&p->sleeping, 1);
    while (!is_new(p, seen))
        pthread_cond_wait(&p->work, &p->lock);
    atomic_fetch_sub(&p->sleeping, 1);
    pthread_mutex_unlock(&p->lock);
}

/* Joins the round after `seen` if it is still open; `seen` becomes its number. */
static bool join(Pool *p, uint64_t *seen)
{
    uint64_t s = atomic_load(&p->state);
    while (s & OPEN && s / ROUND != *seen)
        if (atomic_compare_exchange_weak(&p->state, &s, s + 1)) {
            *seen = s / ROUND;
            return true;
        }
    return false;
}

static void leave(Pool *p)
{
    atomic_fetch_sub(&p->state, 1);
    if (atomic_load(&p->waiting)) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_signal(&p->done);
        pthread_mutex_unlock(&p->lock);
    }
}

static void *work(void *arg)
{
    Worker w = *(Worker *)arg;
    Pool *p = w.pool;
    uint64_t seen = 0;

    free(arg);
    p->start();
    while (!atomic_load(&p->stop)) {
        if (join(p, &seen)) {
            drain(p, w.thread);
            leave(p);
        }
        /* On the same core the other one would only be held up. */
        if (sched_getcpu() == atomic_load(&p->cpu) || !spin(p, is_new, seen))
            sleep_until_new(p, seen);
    }
    return NULL;
}

Pool *pool_new(int threads, void (*start)(void))
{
    Pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->threads = 1;
    p->start = start;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->done, NULL);
    p->id = calloc((size_t)threads, sizeof *p->id);
    start();
    /* Fewer threads than asked for is slower, not wrong. */
    for (int i = 1; p->id && i < threads; i++) {
        Worker *w = malloc(sizeof *w);
        if (!w)
            break;
        *w = (Worker){p, i};
        if (pthread_create(&p->id[i], NULL, work, w) != 0) {
            free(w);
            break;
        }
        p->threads++;
    }
    return p;
}

static void wake_workers(Pool *p)
{
    if (atomic_load(&p->sleeping) > 0) {
        pthread_mutex_lock(&p->lock);
        pthread_cond_broadcast(&p->work);
        pthread_mutex_unlock(&p->lock);
    }
}

static void wait_for_workers(Pool *p)
{
    if (spin(p, is_over, 0))
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->waiting, true); /* before it looks again, as above */
    while (!is_over(p, 0))
        pthread_cond_wait(&p->done, &p->lock);
    atomic_store(&p->waiting, false);
    pthread_mutex_unlock(&p->lock);
}

void pool_run(Pool *p, int64_t n, PoolFn *fn, void *arg)
{
    p->fn = fn;
    p->arg = arg;
    p->n = n;
    atomic_store(&p->next, 0);
    if (p->threads == 1 || n <= 1) { /* nothing to share: wake nobody */
        drain(p, 0);
        return;
    }
    atomic_store(&p->cpu, sched_getcpu());
    atomic_fetch_add(&p->state, ROUND + OPEN);
    wake_workers(p);
    drain(p, 0);
    atomic_fetch_sub(&p->state, OPEN);
    wait_for_workers(p);
}

void pool_free(Pool *p)
{
    atomic_store(&p->stop, true);
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->threads; i++)
        pthread_join(p->id[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->done);
    free(p->id);
    free(p);
}
