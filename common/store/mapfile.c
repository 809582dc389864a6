#include "store/mapfile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int map(int fd, size_t max, Str *out, Err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(e, "cannot read");
    if (!S_ISREG(st.st_mode))
        return err_set(e, "not a file");
    if (st.st_size == 0)
        return err_set(e, "empty");
    if ((uint64_t)st.st_size > max)
        return err_set(e, "too large: over %zu MB", max >> 20);
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return err_sys(e, "cannot read");
    *out = str_of(p, (size_t)st.st_size);
    return 0;
}

int mapfile_open(const char *path, size_t max, Str *out, Err *e)
{
    *out = str_of(NULL, 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us up */
    if (fd < 0)
        return err_sys(e, "cannot open");
    int status = map(fd, max, out, e);
    close(fd);
    return status;
}

void mapfile_close(Str *file)
{
    if (file->p)
        munmap((void *)file->p, file->n);
    *file = str_of(NULL, 0);
}
