/* inject.c - LD_PRELOAD: the calls of inject.h, one of which fails. Counted are those of the
 * program proper from main() on: its own, and those that libc, jansson, libcsv, libzip and utf8proc
 * make for it. What oneDNN and the dynamic linker do is their own affair. */
#include "tests/faults/inject.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t on, size_t n);

static Inject *will;
static bool on; /* main() runs */

/* ---- who calls ---- */

enum { RANGES = 32 };
static struct {
    char name[40];
    unsigned long base, from, to;
    bool counts;
} range[RANGES];
static int ranges;

static int note_range(struct dl_phdr_info *i, size_t size, void *ctx)
{
    static const char *const ours[] = {"libc.so", "libjansson", "libcsv", "libzip", "libutf8proc"};
    const char *slash = strrchr(i->dlpi_name, '/'), *name = slash ? slash + 1 : i->dlpi_name;
    (void)size, (void)ctx;
    if (ranges == RANGES)
        return 0;
    range[ranges].base = i->dlpi_addr;
    range[ranges].from = -1UL;
    range[ranges].to = 0;
    range[ranges].counts = ranges == 0; /* the program */
    snprintf(range[ranges].name, sizeof range->name, "%s",
             ranges ? name : program_invocation_short_name);
    for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
        range[ranges].counts |= strncmp(name, ours[k], strlen(ours[k])) == 0;
    for (int k = 0; k < i->dlpi_phnum; k++) {
        unsigned long at = i->dlpi_addr + i->dlpi_phdr[k].p_vaddr;
        if (i->dlpi_phdr[k].p_type != PT_LOAD)
            continue;
        range[ranges].from = at < range[ranges].from ? at : range[ranges].from;
        if (at + i->dlpi_phdr[k].p_memsz > range[ranges].to)
            range[ranges].to = at + i->dlpi_phdr[k].p_memsz;
    }
    ranges++;
    return 0;
}

static int range_of(unsigned long at)
{
    for (int i = 0; i < ranges; i++)
        if (at >= range[i].from && at < range[i].to)
            return i;
    return -1;
}

/* ---- what fails ---- */

static void trace(void)
{
    void *at[INJECT_TRACE + 3];
    int n = backtrace(at, INJECT_TRACE + 3);
    for (int i = 3; i < n; i++) {
        int r = range_of((unsigned long)at[i]);
        if (r >= 0)
            snprintf(will->where[i - 3], sizeof will->where[0], "%s+0x%lx", range[r].name,
                     (unsigned long)at[i] - range[r].base - 1);
    }
}

/* Is this the one that is to fail? */
static bool fails(Call call, const void *from)
{
    if (!on)
        return false;
    int r = range_of((unsigned long)from);
    if (r < 0 || !range[r].counts)
        return false;
    long n = atomic_fetch_add(&will->calls[call], 1) + 1;
    if (!will->at || call != will->call || n < will->at || (n > will->at && !will->on))
        return false;
    if (atomic_fetch_add(&will->fired, 1) == 0 && getenv("FAULTS_TRACE")) {
        on = false;
        trace();
        on = true;
    }
    return true;
}

/* The same, with errno set, for what has no other way to fail. */
static bool stops(Call call, const void *from)
{
    if (!fails(call, from) || will->error == ERROR_SHORT)
        return false;
    errno = will->error;
    return true;
}

static void moment(void)
{
    if (on && atomic_fetch_add(&will->moments, 1) + 1 == will->kill)
        raise(SIGKILL);
}

#define FROM __builtin_return_address(0)
#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* A call that changes files: KIND's, or killed on either side of it. */
#define CHANGE(kind, name, ...)                                                                    \
    do {                                                                                           \
        moment();                                                                                  \
        if (stops(kind, FROM))                                                                     \
            return -1;                                                                             \
        int got = REAL(name)(__VA_ARGS__);                                                         \
        moment();                                                                                  \
        return got;                                                                                \
    } while (0)

/* ---- memory ---- */

void *malloc(size_t n)
{
    return stops(CALL_ALLOC, FROM) ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t size)
{
    return stops(CALL_ALLOC, FROM) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t n)
{
    return stops(CALL_ALLOC, FROM) ? NULL : __libc_realloc(p, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    void *got = stops(CALL_ALLOC, FROM) ? NULL : __libc_memalign(align, n);
    if (!got)
        return ENOMEM;
    *p = got;
    return 0;
}

void *aligned_alloc(size_t align, size_t n)
{
    return stops(CALL_ALLOC, FROM) ? NULL : __libc_memalign(align, n);
}

void *mmap(void *p, size_t n, int protection, int flags, int fd, off_t at)
{
    if (stops(CALL_MMAP, FROM))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, p, n, protection, flags, fd, at);
}

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    return stops(CALL_THREAD, FROM) ? will->error : REAL(pthread_create)(t, attr, fn, arg);
}

/* ---- reading and writing ---- */

/* How much of n goes through where it is a part. */
static size_t part(size_t n)
{
    return n > 1 ? 1 + n / 3 : n;
}

static ssize_t read_some(int fd, void *p, size_t n, off_t at, const void *from)
{
    if (fails(CALL_READ, from)) {
        if (will->error != ERROR_SHORT)
            return errno = will->error, -1;
        n = part(n);
    }
    return at < 0 ? syscall(SYS_read, fd, p, n) : syscall(SYS_pread64, fd, p, n, at);
}

ssize_t read(int fd, void *p, size_t n)
{
    return read_some(fd, p, n, -1, FROM);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    return read_some(fd, p, n, at, FROM);
}

static ssize_t write_some(int fd, const void *p, size_t n, const void *from)
{
    moment();
    if (fd != STDERR_FILENO && fails(CALL_WRITE, from)) {
        if (will->error != ERROR_SHORT)
            return errno = will->error, -1;
        n = part(n);
    }
    return syscall(SYS_write, fd, p, n);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return write_some(fd, p, n, FROM);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    moment();
    if (fd != STDERR_FILENO && fails(CALL_WRITE, FROM)) {
        if (will->error != ERROR_SHORT)
            return errno = will->error, -1;
        return syscall(SYS_write, fd, v[0].iov_base, part(v[0].iov_len));
    }
    return syscall(SYS_writev, fd, v, n);
}

int ftruncate(int fd, off_t n)
{
    CHANGE(CALL_TRUNCATE, ftruncate, fd, n);
}

/* ---- files and folders ---- */

static int open_at(int folder, const char *path, int flags, mode_t mode, const void *from)
{
    if (flags & O_CREAT)
        moment();
    if (stops(CALL_OPEN, from))
        return -1;
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (flags & O_CREAT)
        moment();
    return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;
}

#define OPEN(folder)                                                                               \
    do {                                                                                           \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return open_at(folder, path, flags, mode, FROM);                                           \
    } while (0)

int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD);
}

int openat(int folder, const char *path, int flags, ...)
{
    OPEN(folder);
}

int mkostemp(char *path, int flags)
{
    CHANGE(CALL_OPEN, mkostemp, path, flags);
}

static int close_of(int fd, const void *from)
{
    moment();
    bool bad = stops(CALL_CLOSE, from);
    int got = (int)syscall(SYS_close, fd);
    moment();
    if (bad)
        errno = will->error;
    return bad ? -1 : got;
}

int close(int fd)
{
    return close_of(fd, FROM);
}

/* libc's own reads and writes are out of reach: its files become files of these. */
static ssize_t cookie_read(void *cookie, char *p, size_t n)
{
    if (will->error == EINTR) /* which does not happen to a file on disk */
        return syscall(SYS_read, (int)(long)cookie, p, n);
    return read_some((int)(long)cookie, p, n, -1, (void *)range[0].from);
}

static ssize_t cookie_write(void *cookie, const char *p, size_t n)
{
    ssize_t k = write_some((int)(long)cookie, p, n, (void *)range[0].from);
    return k < 0 ? 0 : k;
}

static int cookie_seek(void *cookie, off64_t *at, int whence)
{
    off_t to = lseek((int)(long)cookie, *at, whence);
    *at = to;
    return to < 0 ? -1 : 0;
}

static int cookie_close(void *cookie)
{
    return close_of((int)(long)cookie, (void *)range[0].from);
}

FILE *fopen(const char *path, const char *mode)
{
    static const cookie_io_functions_t calls = {cookie_read, cookie_write, cookie_seek,
                                                cookie_close};
    int flags = *mode == 'r'   ? O_RDONLY
                : *mode == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                               : O_WRONLY | O_CREAT | O_APPEND;
    int r = range_of((unsigned long)FROM);
    if (!on || strchr(mode, '+') || r < 0 || !range[r].counts)
        return REAL(fopen)(path, mode);
    int fd = open_at(AT_FDCWD, path, flags | O_CLOEXEC, 0666, FROM);
    char plain[2] = {*mode, '\0'};
    return fd < 0 ? NULL : fopencookie((void *)(long)fd, plain, calls);
}

FILE *fopen64(const char *path, const char *mode) __attribute__((alias("fopen")));

int fsync(int fd)
{
    CHANGE(CALL_SYNC, fsync, fd);
}

int fdatasync(int fd)
{
    CHANGE(CALL_SYNC, fdatasync, fd);
}

int rename(const char *a, const char *b)
{
    CHANGE(CALL_RENAME, rename, a, b);
}

int renameat2(int at, const char *a, int bt, const char *b, unsigned flags)
{
    CHANGE(CALL_RENAME, renameat2, at, a, bt, b, flags);
}

int mkdir(const char *path, mode_t mode)
{
    CHANGE(CALL_FOLDER, mkdir, path, mode);
}

int symlink(const char *to, const char *path)
{
    CHANGE(CALL_FOLDER, symlink, to, path);
}

int unlink(const char *path)
{
    CHANGE(CALL_FOLDER, unlink, path);
}

int rmdir(const char *path)
{
    CHANGE(CALL_FOLDER, rmdir, path);
}

/* ---- main ---- */

static int (*real_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **env)
{
    const char *path = getenv("FAULTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    void *p = MAP_FAILED;
    if (fd >= 0) {
        p = (void *)syscall(SYS_mmap, NULL, sizeof *will, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            0L);
        syscall(SYS_close, fd);
    }
    if (p != MAP_FAILED) {
        will = p;
        dl_iterate_phdr(note_range, NULL);
        backtrace((void *[1]){NULL}, 1); /* it loads what it needs the first time */
        on = will->who == getpid();
    }
    return real_main(argc, argv, env);
}

int __libc_start_main(int (*start)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*ld_fini)(void), void *stack);
int __libc_start_main(int (*start)(int, char **, char **), int argc, char **argv,
                      void (*init)(void), void (*fini)(void), void (*ld_fini)(void), void *stack)
{
    real_main = start;
    return REAL(__libc_start_main)(counted_main, argc, argv, init, fini, ld_fini, stack);
}
