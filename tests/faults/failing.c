/* failing.so - for LD_PRELOAD: one call of a program fails, or ends it.
 *
 *     FAIL=KIND:N   the Nth call of that kind (from 1) fails; 0: none does
 *     FAIL_COUNT=FILE   how many calls of the kind there were is written there at exit
 *
 * KINDS: memory (malloc and its kin: ENOMEM; not those of the C++ library and oneDNN, which has a
 * test of its own in tests/ops), thread (pthread_create: EAGAIN), map (mmap of a file: ENOMEM),
 * write (write, writev, pwrite: ENOSPC), read (read, pread: EIO), file (open to write, close,
 * fsync, rename, mkdir, symlink, link, chmod of files and folders: EIO), kill (before and behind
 * whatever of `file` and `write` there is, and unlink, rmdir, ftruncate: SIGKILL). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

typedef enum Kind { NONE, MEMORY, THREAD, MAP, WRITE, READ, FILES, KILL } Kind;
static const char *const names[] = {"none",  "memory", "thread", "map",
                                    "write", "read",   "file",   "kill"};

static Kind kind;
static long at;
static atomic_long calls;

/* Code of libraries that are left alone. */
static struct {
    uintptr_t begin, end;
} spared[8];
static int spares;

static int spare(struct dl_phdr_info *info, size_t size, void *ctx)
{
    static const char *const library[] = {"libdnnl", "libstdc++", "libgcc", "libgomp", "ld-linux"};
    (void)size, (void)ctx;
    for (size_t i = 0; i < sizeof library / sizeof *library; i++)
        if (info->dlpi_name && strstr(info->dlpi_name, library[i]))
            for (int k = 0; k < info->dlpi_phnum && spares < 8; k++)
                if (info->dlpi_phdr[k].p_type == PT_LOAD && info->dlpi_phdr[k].p_flags & PF_X) {
                    spared[spares].begin = info->dlpi_addr + info->dlpi_phdr[k].p_vaddr;
                    spared[spares].end = spared[spares].begin + info->dlpi_phdr[k].p_memsz;
                    spares++;
                }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *what = getenv("FAIL"), *colon = what ? strchr(what, ':') : NULL;
    dl_iterate_phdr(spare, NULL);
    for (int k = 1; colon && k <= KILL; k++)
        if (strlen(names[k]) == (size_t)(colon - what) && !memcmp(names[k], what, colon - what))
            kind = k;
    at = colon ? strtol(colon + 1, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
    const char *file = getenv("FAIL_COUNT");
    char text[32];
    long n = calls;
    kind = NONE;
    int fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : -1;
    if (fd >= 0 && write(fd, text, (size_t)snprintf(text, sizeof text, "%ld\n", n)) < 0)
        return;
}

/* Is it this one? */
static bool now(Kind k, int error)
{
    if (kind != k || atomic_fetch_add(&calls, 1) + 1 != at)
        return false;
    if (k == KILL)
        raise(SIGKILL);
    errno = error;
    return true;
}

static bool fails(Kind k, int error)
{
    now(KILL, 0);
    return now(k, error);
}

static bool is_spared(void *caller)
{
    for (int i = 0; i < spares; i++)
        if ((uintptr_t)caller >= spared[i].begin && (uintptr_t)caller < spared[i].end)
            return true;
    return false;
}

#define NO_MEMORY() (!is_spared(__builtin_return_address(0)) && now(MEMORY, ENOMEM))

void *malloc(size_t n)
{
    return NO_MEMORY() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return NO_MEMORY() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return NO_MEMORY() ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return NO_MEMORY() ? NULL : __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    void *q = NO_MEMORY() ? NULL : __libc_memalign(align, n);
    if (q)
        *p = q;
    return q ? 0 : ENOMEM;
}

#define REAL(name)                                                                                 \
    static __typeof__(name) *real;                                                                 \
    if (!real)                                                                                     \
    real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
/* The call, and behind it another place to be killed at. */
#define PASS(call)                                                                                 \
    do {                                                                                           \
        __typeof__(call) got = call;                                                               \
        now(KILL, 0);                                                                              \
        return got;                                                                                \
    } while (0)

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
    REAL(pthread_create);
    return now(THREAD, EAGAIN) ? EAGAIN : real(t, a, run, arg);
}

void *mmap(void *p, size_t n, int prot, int flags, int fd, off_t from)
{
    REAL(mmap);
    return fd >= 0 && now(MAP, ENOMEM) ? MAP_FAILED : real(p, n, prot, flags, fd, from);
}

ssize_t read(int fd, void *p, size_t n)
{
    REAL(read);
    return now(READ, EIO) ? -1 : real(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t from)
{
    REAL(pread);
    return now(READ, EIO) ? -1 : real(fd, p, n, from);
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(write);
    if (fd == STDERR_FILENO) /* which is to say what failed */
        return real(fd, p, n);
    if (fails(WRITE, ENOSPC))
        return -1;
    PASS(real(fd, p, n));
}

ssize_t writev(int fd, const struct iovec *part, int parts)
{
    REAL(writev);
    if (fails(WRITE, ENOSPC))
        return -1;
    PASS(real(fd, part, parts));
}

int open(const char *path, int flags, ...)
{
    REAL(open);
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if ((flags & O_ACCMODE) == O_RDONLY)
        return real(path, flags, mode);
    if (fails(FILES, EIO))
        return -1;
    PASS(real(path, flags, mode));
}

#define FAILING(kind, type, name, parameters, arguments)                                           \
    type name parameters                                                                           \
    {                                                                                              \
        REAL(name);                                                                                \
        if (fails(kind, EIO))                                                                      \
            return -1;                                                                             \
        PASS(real arguments);                                                                      \
    }

FAILING(FILES, int, fsync, (int fd), (fd))
FAILING(FILES, int, rename, (const char *a, const char *b), (a, b))
FAILING(FILES, int, renameat2, (int a, const char *b, int c, const char *d, unsigned f),
        (a, b, c, d, f))
FAILING(FILES, int, mkdir, (const char *p, mode_t m), (p, m))
FAILING(FILES, int, symlink, (const char *a, const char *b), (a, b))
FAILING(FILES, int, link, (const char *a, const char *b), (a, b))
FAILING(FILES, int, chmod, (const char *p, mode_t m), (p, m))
FAILING(NONE, int, unlink, (const char *p), (p))
FAILING(NONE, int, rmdir, (const char *p), (p))
FAILING(NONE, int, ftruncate, (int fd, off_t n), (fd, n))

/* It closes all the same, as Linux does. */
int close(int fd)
{
    REAL(close);
    bool fails_now = fails(FILES, EIO);
    int got = real(fd);
    now(KILL, 0);
    return fails_now ? -1 : got;
}
