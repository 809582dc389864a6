#include "kernels/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct Pool {
    int threads;
    pthread_t *id;
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    uint64_t round; /* counts calls of pool_run; workers sleep until it changes */
    int busy;       /* workers that have not finished this round */
    bool stop;
    PoolFn *fn;
    void *arg;
    int64_t n;
    atomic_int_fast64_t next;
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

static void *work(void *arg)
{
    Worker w = *(Worker *)arg;
    Pool *p = w.pool;
    uint64_t seen = 0;

    free(arg);
    p->start();
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->stop)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->stop)
            break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        drain(p, w.thread);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->done);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

Pool *pool_new(int threads, void (*start)(void))
{
    Pool *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (Pool){.threads = 1,
                .start = start,
                .lock = PTHREAD_MUTEX_INITIALIZER,
                .work = PTHREAD_COND_INITIALIZER,
                .done = PTHREAD_COND_INITIALIZER};
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

void pool_run(Pool *p, int64_t n, PoolFn *fn, void *arg)
{
    p->fn = fn;
    p->arg = arg;
    p->n = n;
    atomic_store(&p->next, 0);
    if (p->threads == 1 || n == 1) { /* nothing to share: wake nobody */
        drain(p, 0);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->busy = p->threads - 1;
    p->round++;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    drain(p, 0);
    pthread_mutex_lock(&p->lock);
    while (p->busy > 0)
        pthread_cond_wait(&p->done, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void pool_free(Pool *p)
{
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->work);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->threads; i++)
        pthread_join(p->id[i], NULL);
    free(p->id);
    free(p);
}
