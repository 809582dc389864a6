#include "kernels/hugemem.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 2 << 20, RUN = 32 << 20, ALIGN = 64 };

/* A run of pages; pieces of it are given out from the front, and it goes with its last one. */
typedef struct Run {
    size_t used, size;
    int users;
} Run;

/* Before each piece: whose it is. */
typedef struct Head {
    Run *run;
    char pad[ALIGN - sizeof(Run *)];
} Head;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Run *open_run; /* the one that small requests are carved from */

static Run *run_new(size_t size)
{
    void *p = NULL;
    size = (size + PAGE - 1) / PAGE * PAGE;
    if (posix_memalign(&p, PAGE, size) != 0)
        return NULL;
    madvise(p, size, MADV_HUGEPAGE); /* a wish: without it everything still works */
    Run *r = p;
    *r = (Run){.used = ALIGN, .size = size};
    return r;
}

static void run_leave(Run *r)
{
    if (--r->users > 0)
        return;
    if (r == open_run)
        open_run = NULL;
    free(r);
}

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer watches the bounds of its own allocations, not of pieces within them. */
enum { WATCHED = 1 };
#else
enum { WATCHED = 0 };
#endif

void *huge_alloc(size_t bytes)
{
    void *p = NULL;
    if (WATCHED)
        return posix_memalign(&p, ALIGN, bytes ? bytes : 1) == 0 ? p : NULL;
    if (bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = sizeof(Head) + (bytes + ALIGN - 1) / ALIGN * ALIGN;
    pthread_mutex_lock(&lock);
    Run *r = open_run;
    if (need > RUN / 4)
        r = run_new(need + ALIGN); /* too large to share a run */
    else if (!r || r->size - r->used < need)
        r = open_run = run_new(RUN);
    Head *h = NULL;
    if (r) {
        h = (Head *)((char *)r + r->used);
        h->run = r;
        r->used += need;
        r->users++;
    }
    pthread_mutex_unlock(&lock);
    return h ? h + 1 : NULL;
}

void huge_free(void *p)
{
    if (WATCHED || !p) {
        free(p);
        return;
    }
    pthread_mutex_lock(&lock);
    run_leave(((Head *)p - 1)->run);
    pthread_mutex_unlock(&lock);
}
