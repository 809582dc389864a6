#include "store/mapfile.h"

#include "base/mapping.h"
#include "store/filekind.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(const char *path, uint64_t *size, Err *e)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENXIO) /* a socket, or a device that nobody drives */
        return err_set(e, "not a file");
    if (fd < 0)
        return err_sys(e, "cannot open");
    int status = fstat(fd, &st);
    if (status < 0)
        err_sys(e, "cannot read");
    else if (!S_ISREG(st.st_mode))
        status = err_set(e, "not a file");
    if (status == 0) {
        *size = (uint64_t)st.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

static int check_kind(const char *p, size_t n, Err *e)
{
    return filekind_check(str_of(p, n < FILEKIND_BYTES ? n : FILEKIND_BYTES), e);
}

static int check_size(uint64_t size, size_t max, Err *e)
{
    return size > max ? err_set(e, "too large: over %zu MB", max >> 20) : 0;
}

/* A file that grows meanwhile is read on, as far as `max` goes. */
static int read_all(int fd, uint64_t size, size_t max, Buf *b, Err *e)
{
    size_t begin = b->n;
    buf_room(b, (size_t)size + 1); /* its end is seen without more room */
    for (;;) {
        buf_room(b, 1);
        ssize_t n = read(fd, b->p + b->n, b->cap - b->n);
        if (n < 0 && errno != EINTR)
            return err_sys(e, "cannot read");
        if (n == 0)
            return 0;
        b->n += n < 0 ? 0 : (size_t)n;
        if (check_size(b->n - begin, max, e) < 0)
            return -1;
    }
}

int file_read(const char *path, size_t max, Buf *b, Err *e)
{
    uint64_t size;
    int fd = file_open(path, &size, e);
    if (fd < 0)
        return -1;
    size_t begin = b->n;
    int status = check_size(size, max, e) < 0 ? -1 : read_all(fd, size, max, b, e);
    close(fd);
    return status < 0 ? -1 : check_kind(b->p + begin, b->n - begin, e);
}

int mapfile_open(const char *path, size_t max, Str *out, Err *e)
{
    uint64_t size = 0;
    *out = str_of(NULL, 0);
    int fd = file_open(path, &size, e);
    if (fd < 0)
        return -1;
    int status = size == 0 ? err_set(e, "empty") : check_size(size, max, e);
    if (status == 0) {
        Mapping *m = mapping_new(fd, 0, (size_t)size, PROT_READ, MAP_PRIVATE, path);
        if (m)
            *out = str_of(mapping_bytes(m), (size_t)size);
        else
            status = err_sys(e, "cannot read");
    }
    close(fd);
    if (status == 0 && (status = check_kind(out->p, out->n, e)) < 0)
        mapfile_close(out);
    return status;
}

void mapfile_close(Str *file)
{
    if (file->p)
        mapping_free(mapping_find(file->p));
    *file = str_of(NULL, 0);
}
