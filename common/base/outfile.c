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
    char *folder, *old; /* of the place; and where what is there can stand aside */
    bool aside, placed;
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

/* A name beside the place, hidden. */
static char *name_beside(const OutFile *o, int i, const char *what)
{
    const char *slash = strrchr(o->place, '/');
    const char *name = slash ? slash + 1 : o->place;
    return mem_fmt("%.*s.%.200s.%ld.%d.%s", (int)(name - o->place), o->place, name, (long)getpid(),
                   i, what);
}

/* Creates the file beside its place, with a name that nobody has. A descriptor or -1. */
static int create_beside(OutFile *o)
{
    for (int i = 0;; i++) {
        o->temp = name_beside(o, i, "tmp");
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

/* ---- into their places ---- */

int sync_fd(int fd)
{
    return fsync(fd) < 0 && errno != EINVAL && errno != ENOTSUP && errno != EROFS ? -1 : 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return !slash ? mem_str(".") : mem_strn(path, slash == path ? 1 : (size_t)(slash - path));
}

static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) /* one that may be written to and not be read */
        return errno == EACCES || errno == EPERM ? 0 : -1;
    int status = sync_fd(fd), saved = errno;
    close(fd);
    errno = saved;
    return status;
}

int sync_folder_of(const char *path)
{
    char *folder = folder_of(path);
    int status = sync_folder(folder), saved = errno;
    free(folder);
    errno = saved;
    return status;
}

/* All that was written, onto the disk. */
static int finish(OutFile *o, Err *e)
{
    int fd = o->fd, status = o->temp ? sync_fd(fd) : 0;
    o->fd = -1;
    if (status < 0) {
        cannot_write(o, e);
        close(fd);
        return -1;
    }
    return close(fd) < 0 ? cannot_write(o, e) : 0;
}

/* Do both belong into one place? Their temporary files, which nobody else has, tell: they lie in
 * one folder, and their places have one name there. */
static bool same_place(const OutFile *a, const OutFile *b)
{
    const char *s = a->temp ? strrchr(a->place, '/') : NULL,
               *t = b->temp ? strrchr(b->place, '/') : NULL;
    struct stat x, y;
    if (!a->temp || !b->temp || strcmp(s ? s + 1 : a->place, t ? t + 1 : b->place) != 0)
        return false;
    char *there = mem_fmt("%.*s%s", t ? (int)(t + 1 - b->place) : 0, b->place,
                          strrchr(a->temp, '/') ? strrchr(a->temp, '/') + 1 : a->temp);
    bool same = stat(a->temp, &x) == 0 && stat(there, &y) == 0 && x.st_dev == y.st_dev &&
                x.st_ino == y.st_ino;
    free(there);
    return same;
}

static int check_places(OutFile **o, int n, Err *e)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < i; k++)
            if (same_place(o[k], o[i]))
                return err_set(e, "%s and %s are one file", o[k]->path, o[i]->path);
    return 0;
}

/* The names that it takes: no memory is asked for between the first move and the last one. */
static void prepare(OutFile *o)
{
    struct stat st;
    if (!o->temp)
        return;
    o->folder = folder_of(o->place);
    for (int i = 0;; i++) {
        o->old = name_beside(o, i, "old");
        if (lstat(o->old, &st) < 0)
            return;
        free(o->old);
        free(o->folder);
    }
}

/* Moves aside what is in the place. */
static int set_aside(OutFile *o, Err *e)
{
    if (!o->temp)
        return 0;
    o->aside = rename(o->place, o->old) == 0;
    return o->aside || errno == ENOENT ? 0 : cannot_write(o, e);
}

static int put_in_place(OutFile *o, Err *e)
{
    if (!o->temp)
        return 0;
    if (rename(o->temp, o->place) < 0)
        return cannot_write(o, e);
    o->placed = true;
    tidy_forget(o->temp);
    return 0;
}

/* As it was before set_aside() and put_in_place(): and first of all nothing of what is new. */
static void undo(OutFile **o, int n)
{
    for (int i = 0; i < n; i++)
        if (o[i]->placed)
            unlink(o[i]->place);
    for (int i = 0; i < n; i++)
        if (o[i]->aside)
            rename(o[i]->old, o[i]->place);
}

static int sync_folders(OutFile **o, int n, Err *e)
{
    for (int i = 0; i < n; i++)
        if (o[i]->temp && sync_folder(o[i]->folder) < 0)
            return cannot_write(o[i], e);
    return 0;
}

/* Of several files none is put in place before all old ones are out of the way, on the disk too:
 * whatever ends the program meanwhile, old and new ones never stand side by side. */
static int swap(OutFile **o, int n, Err *e)
{
    bool aside = false;
    for (int i = 0; i < n && n > 1; i++) {
        if (set_aside(o[i], e) < 0)
            return -1;
        aside = aside || o[i]->aside;
    }
    if (aside && sync_folders(o, n, e) < 0)
        return -1;
    for (int i = 0; i < n; i++)
        if (put_in_place(o[i], e) < 0)
            return -1;
    return 0;
}

/* A signal waits until that is done. */
static int swap_undisturbed(OutFile **o, int n, Err *e)
{
    tidy_hold();
    int status = swap(o, n, e);
    if (status < 0) {
        undo(o, n);
    } else {
        status = sync_folders(o, n, e);
        for (int i = 0; i < n; i++)
            if (o[i]->aside)
                unlink(o[i]->old);
    }
    tidy_release();
    return status;
}

int outfile_commit_all(OutFile **o, int n, Err *e)
{
    int status = check_places(o, n, e);
    for (int i = 0; status == 0 && i < n; i++)
        status = finish(o[i], e);
    for (int i = 0; i < n; i++)
        prepare(o[i]);
    if (status == 0)
        status = swap_undisturbed(o, n, e);
    for (int i = 0; i < n; i++)
        outfile_abort(o[i]);
    return status;
}

int outfile_commit(OutFile *o, Err *e)
{
    return outfile_commit_all(&o, 1, e);
}

void outfile_abort(OutFile *o)
{
    if (!o)
        return;
    if (o->fd >= 0)
        close(o->fd);
    if (o->temp && !o->placed) {
        unlink(o->temp);
        tidy_forget(o->temp);
    }
    free(o->temp);
    free(o->old);
    free(o->folder);
    free(o->place);
    free(o->path);
    free(o);
}

int outfile_text(const char *path, const char *text, Err *e)
{
    OutFile *o = outfile_open(path, e);
    if (!o)
        return -1;
    if (outfile_write(o, text, strlen(text), e) == 0 && outfile_write(o, "\n", 1, e) == 0)
        return outfile_commit(o, e);
    outfile_abort(o);
    return -1;
}
