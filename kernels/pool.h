/* pool.h - a pool of threads that run pieces. Ours: a thread that waits looks for the next pieces
 * for some microseconds, since stages follow each other, and then gives its core to the other
 * programs of the pipeline. Where threads share a core none waits for one that has not begun. */
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
