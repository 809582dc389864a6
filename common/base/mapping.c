#include "base/mapping.h"

#include "base/mem.h"
#include "base/msg.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Every mapping there ever was, newest first: a handler goes over them at any time, so none leaves
 * the list; those that are free are used again. */
struct Mapping {
    Mapping *next, *next_free;
    void *p;
    size_t n;
    _Atomic uintptr_t begin, end; /* of its pages; equal: free */
    _Atomic(char *) name;
};

static _Atomic(Mapping *) all;
static Mapping *unused;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `unused` and who adds to `all` */
static struct sigaction before;

static void on_bus(int sig, siginfo_t *info, void *context)
{
    uintptr_t at = (uintptr_t)info->si_addr;
    (void)context;
    for (const Mapping *m = info->si_code > 0 ? atomic_load(&all) : NULL; m; m = m->next)
        if (at >= atomic_load(&m->begin) && at < atomic_load(&m->end))
            die_in_handler(atomic_load(&m->name),
                           "it was cut short, or cannot be read, while it was in use");
    sigaction(sig, &before, NULL);
    if (info->si_code <= 0) /* sent by somebody: it does not come again by itself */
        raise(sig);
}

static void listen_once(void)
{
    static bool done;
    struct sigaction act = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
    if (!done)
        sigaction(SIGBUS, &act, &before);
    done = true;
}

static Mapping *record(void)
{
    Mapping *m = unused;
    if (m) {
        unused = m->next_free;
        return m;
    }
    m = mem_zero(1, sizeof *m);
    m->next = atomic_load(&all);
    atomic_store(&all, m);
    return m;
}

Mapping *mapping_new(int fd, off_t at, size_t n, int prot, int flags, const char *name)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, n, prot, flags, fd, at);
    if (p == MAP_FAILED)
        return NULL;
    char *copy = mem_str(name);
    pthread_mutex_lock(&lock);
    listen_once();
    Mapping *m = record();
    pthread_mutex_unlock(&lock);
    m->p = p;
    m->n = n;
    atomic_store(&m->name, copy);
    atomic_store(&m->begin, (uintptr_t)p);
    atomic_store(&m->end, ((uintptr_t)p + n + page - 1) / page * page);
    return m;
}

void *mapping_bytes(const Mapping *m)
{
    return m->p;
}

void mapping_free(Mapping *m)
{
    if (!m)
        return;
    atomic_store(&m->end, 0);
    munmap(m->p, m->n);
    free(atomic_exchange(&m->name, NULL));
    pthread_mutex_lock(&lock);
    m->next_free = unused;
    unused = m;
    pthread_mutex_unlock(&lock);
}

Mapping *mapping_find(const void *p)
{
    for (Mapping *m = atomic_load(&all); m; m = m->next)
        if (atomic_load(&m->end) && m->p == p)
            return m;
    return NULL;
}
