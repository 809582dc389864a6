/* memory.cc - device memory: each allocation on pages of its own, at their end, a closed page
 * on either side. All is closed to everybody; while a kernel or a copy runs, the first touch of
 * an allocation opens it (the signal's handler does), and afterwards it is closed again. What
 * is left of the pages is filled and looked at then. */
#include "inside.h"

#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, ALIGN = 256, BESIDE = 0xb5 };

typedef struct Region {
    char *pages, *p; /* p .. p + bytes is the allocation */
    size_t size, bytes;
    bool open;
} Region;

static Region *region; /* by address */
static int regions, room;
static int opened[4096], opens;
static size_t in_use;
static const char *caller;
static bool running;

void standin_fault(const char *fmt, ...)
{
    char where[512], what[512];
    va_list ap;
    if (!grid_where(where, sizeof where))
        snprintf(where, sizeof where, "%s", caller ? caller : "host");
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    fprintf(stderr, "cuda-on-cpu: %s: %s\n", where, what);
    _exit(99);
}

/* The region whose pages, the closed ones beside them included, hold p; or NULL. */
static Region *around(const void *p)
{
    int lo = 0, hi = regions;
    while (lo < hi) {
        int i = (lo + hi) / 2;
        if ((const char *)p >= region[i].pages + region[i].size + PAGE)
            lo = i + 1;
        else
            hi = i;
    }
    if (lo < regions && (const char *)p >= region[lo].pages - PAGE)
        return &region[lo];
    return NULL;
}

size_t memory_from(const void *p)
{
    const Region *r = around(p);
    const char *at = (const char *)p;
    return r && at >= r->p && at < r->p + r->bytes ? (size_t)(r->p + r->bytes - at) : 0;
}

static void open_region(Region *r)
{
    if (opens == sizeof opened / sizeof *opened)
        standin_fault("more allocations in one kernel than the stand-in can open");
    mprotect(r->pages, r->size, PROT_READ | PROT_WRITE);
    r->open = true;
    opened[opens++] = (int)(r - region);
}

static void on_segv(int sig, siginfo_t *info, void *)
{
    char *at = (char *)info->si_addr;
    Region *r = around(at);
    if (r && running && !r->open && at >= r->pages && at < r->pages + r->size) {
        open_region(r);
        return;
    }
    if (r && at >= r->p && at < r->p + r->bytes)
        standin_fault("the host touches device memory, byte %td of %zu", at - r->p, r->bytes);
    if (r)
        standin_fault("out of bounds: byte %td of an allocation of %zu", at - r->p, r->bytes);
    if (fiber_guards(at))
        standin_fault("the thread's stack is full");
    char where[512];
    if (grid_where(where, sizeof where))
        standin_fault("out of bounds: address %p", (void *)at);
    signal(sig, SIG_DFL); /* not ours: comes again, and ends the program */
}

/* What -fsanitize=alignment does. */
static void on_trap(int sig)
{
    char where[512];
    if (grid_where(where, sizeof where))
        standin_fault("misaligned access");
    signal(sig, SIG_DFL);
}

/* On a stack of their own: a fiber's may be full. */
static void handle_signals(void)
{
    static char stack[64 << 10];
    stack_t s = {};
    s.ss_sp = stack;
    s.ss_size = sizeof stack;
    sigaltstack(&s, NULL);
    struct sigaction a = {};
    a.sa_sigaction = on_segv;
    a.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGBUS, &a, NULL);
    a.sa_flags = SA_ONSTACK;
    a.sa_handler = on_trap;
    sigaction(SIGILL, &a, NULL);
    sigaction(SIGTRAP, &a, NULL);
}

size_t memory_left(void)
{
    return ((size_t)DEVICE_MEMORY_MB << 20) - in_use;
}

static void insert(Region r)
{
    int at = regions;
    if (regions == room) {
        room = room ? 2 * room : 256;
        region = (Region *)realloc(region, (size_t)room * sizeof *region);
        if (!region)
            abort();
    }
    for (; at > 0 && region[at - 1].pages > r.pages; at--)
        region[at] = region[at - 1];
    region[at] = r;
    regions++;
}

void *memory_new(size_t bytes)
{
    static bool handled;
    if (!handled)
        handle_signals();
    handled = true;
    size_t size = (bytes + ALIGN - 1) / ALIGN * ALIGN, pages = (size + PAGE - 1) / PAGE * PAGE;
    if (bytes == 0 || pages > memory_left())
        return NULL;
    void *m = mmap(NULL, pages + 2 * PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED)
        return NULL;
    Region r = {(char *)m + PAGE, (char *)m + PAGE + pages - size, pages, bytes, false};
    memset(r.pages, BESIDE, pages);
    memset(r.p, 0xff, bytes);
    mprotect(m, pages + 2 * PAGE, PROT_NONE);
    in_use += pages;
    insert(r);
    return r.p;
}

bool memory_drop(void *p)
{
    Region *r = around(p);
    if (!r || r->p != p)
        return false;
    munmap(r->pages - PAGE, r->size + 2 * PAGE);
    in_use -= r->size;
    memmove(r, r + 1, (size_t)(region + --regions - r) * sizeof *r);
    return true;
}

void memory_open(const char *who)
{
    caller = who;
    running = true;
}

static void look_beside(const Region *r)
{
    const char *end = r->pages + r->size;
    for (const char *at = r->pages; at < end; at++) {
        if (at == r->p)
            at += r->bytes;
        if (at < end && *at != (char)BESIDE)
            standin_fault("byte %td of an allocation of %zu was written", at - r->p, r->bytes);
    }
}

void memory_close(void)
{
    for (; opens > 0; opens--) {
        Region *r = &region[opened[opens - 1]];
        look_beside(r);
        mprotect(r->pages, r->size, PROT_NONE);
        r->open = false;
    }
    running = false;
    caller = NULL;
}
