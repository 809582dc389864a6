#include "base/outfile.h"

#include "base/mem.h"
#include "base/tidy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct OutFile {
    int fd;
    char *path;         /* as given, for messages */
    char *place, *temp; /* where it belongs and where it is made; NULL: written directly */
};

/* Drops the n bytes that are out from the front. */
static void advance(struct iovec **part, int *parts, size_t n)
{
    for (; *parts && n >= (*part)->iov_len; (*part)++, (*parts)--)
        n -= (*part)->iov_len;
    if (*parts) {
        (*part)->iov_base = (char *)(*part)->iov_base + n;
        (*part)->iov_len -= n;
    }
}

int writev_all(int fd, struct iovec *part, int parts)
{
    advance(&part, &parts, 0); /* a call that writes nothing would tell nothing */
    while (parts) {
        ssize_t n = writev(fd, part, parts < IOV_MAX ? parts : IOV_MAX);
        if (n >= 0) {
            advance(&part, &parts, (size_t)n);
        } else if (errno == EPIPE) { /* whoever started us has SIGPIPE ignored: we end as if not */
            tidy_raise(SIGPIPE);
            return -1;
        } else if (errno == EAGAIN) { /* somebody left it non-blocking */
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

int write_all(int fd, const void *p, size_t n)
{
    return writev_all(fd, &(struct iovec){(void *)p, n}, 1);
}

/* Follows symbolic links to the end, whether or not anything is there. NULL with errno. */
static char *follow(const char *path)
{
    char *at = mem_str(path);
    for (int depth = 0; depth < 40; depth++) {
        char link[PATH_MAX];
        ssize_t n = readlink(at, link, sizeof link - 1);
        if (n < 0)
            return at; /* no link, or nothing there */
        const char *slash = strrchr(at, '/');
        char *next = link[0] == '/' || !slash
                         ? mem_strn(link, (size_t)n)
                         : mem_fmt("%.*s%.*s", (int)(slash + 1 - at), at, (int)n, link);
        free(at);
        at = next;
    }
    free(at);
    errno = ELOOP;
    return NULL;
}

/* Creates the file beside its place, with a name that nobody has. A descriptor or -1. */
static int create_beside(OutFile *o)
{
    const char *slash = strrchr(o->place, '/');
    const char *name = slash ? slash + 1 : o->place;
    for (int i = 0;; i++) {
        o->temp = mem_fmt("%.*s.%.200s.%ld.%d.tmp", (int)(name - o->place), o->place, name,
                          (long)getpid(), i);
        tidy_add(o->temp);
        int fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0)
            return fd;
        int saved = errno;
        tidy_forget(o->temp);
        free(o->temp);
        o->temp = NULL;
        errno = saved;
        if (saved != EEXIST)
            return -1;
    }
}

OutFile *outfile_open(const char *path, Err *e)
{
    OutFile *o = mem_zero(1, sizeof *o);
    struct stat st;
    bool there = stat(path, &st) == 0;
    o->path = mem_str(path);
    if (there && !S_ISREG(st.st_mode)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
    } else {
        o->place = follow(path);
        o->fd = o->place ? create_beside(o) : -1;
        if (o->fd >= 0 && there)
            fchmod(o->fd, st.st_mode & 07777); /* not every file system can: no fault */
    }
    if (o->fd >= 0)
        return o;
    err_sys(e, "%s: cannot create", path);
    outfile_abort(o);
    return NULL;
}

int outfile_fd(const OutFile *o)
{
    return o->fd;
}

static int cannot_write(const OutFile *o, Err *e)
{
    return err_sys(e, "%s: cannot write", o->path);
}

int outfile_write(OutFile *o, const void *p, size_t n, Err *e)
{
    return write_all(o->fd, p, n) < 0 ? cannot_write(o, e) : 0;
}

int outfile_commit(OutFile *o, Err *e)
{
    int fd = o->fd;
    o->fd = -1;
    if (close(fd) < 0 || (o->temp && rename(o->temp, o->place) < 0)) {
        cannot_write(o, e);
        outfile_abort(o);
        return -1;
    }
    if (o->temp)
        tidy_forget(o->temp);
    free(o->temp);
    o->temp = NULL;
    outfile_abort(o);
    return 0;
}

void outfile_abort(OutFile *o)
{
    if (!o)
        return;
    if (o->fd >= 0)
        close(o->fd);
    if (o->temp) {
        unlink(o->temp);
        tidy_forget(o->temp);
    }
    free(o->temp);
    free(o->place);
    free(o->path);
    free(o);
}
