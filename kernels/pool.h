/* pool.h - a pool of threads that run pieces. Ours, on condition variables: a waiting thread
 * gives its core to the other programs of the pipeline, which spinning ones do not. */
#ifndef WEFT_POOL_H
#define WEFT_POOL_H

#include <stdint.h>

typedef struct Pool Pool;

/* fn(arg, i, thread) for each i in [0, n); thread in [0, threads). */
typedef void PoolFn(void *arg, int64_t i, int thread);

/* `start` is called once on each thread, the caller's too. NULL: no memory. */
Pool *pool_new(int threads, void (*start)(void));
/* Returns when all n are done. The caller works along as thread 0. Not from inside fn. */
void pool_run(Pool *p, int64_t n, PoolFn *fn, void *arg);
void pool_free(Pool *p);

#endif
