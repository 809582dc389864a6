#include "io/begins.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TELLS = 9, HEADER_MAX = 100000000 }; /* bytes that tell a stream; its longest header */

/* Can these first n bytes of standard input begin a stream: a header's length in eight bytes,
 * then '{'? */
static bool like_stream(const unsigned char *p, size_t n)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n && i < 8; i++)
        length |= (uint64_t)p[i] << 8 * i;
    return length <= HEADER_MAX && (n < TELLS || p[8] == '{');
}

/* The first bytes of a pipe, which stay in it. They may come one by one, and poll(2) cannot
 * wait for more than there is; so while they leave it open, look again after a growing nap. */
static bool pipe_begins_stream(void)
{
    int copy[2];
    unsigned char p[TELLS];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec nap = {.tv_nsec = 250000};
    if (pipe2(copy, O_CLOEXEC) < 0)
        return false;
    for (;;) {
        if (poll(&in, 1, -1) < 0 && errno != EINTR)
            return false;
        bool all = (in.revents & POLLHUP) != 0; /* seen before the copy, so nothing is missed */
        ssize_t n = tee(STDIN_FILENO, copy[1], TELLS, SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n > 0 && read(copy[0], p, (size_t)n) != n)
            return false;
        if (n == TELLS || (n > 0 && !like_stream(p, (size_t)n)))
            return like_stream(p, (size_t)n);
        if (all)
            return false;
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 20000000)
            nap.tv_nsec *= 2;
    }
}

/* The bytes from where reading would go on. */
static bool regular_begins_stream(int fd)
{
    unsigned char p[TELLS];
    struct stat st;
    off_t at = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
    return at >= 0 && pread(fd, p, TELLS, at) == TELLS && like_stream(p, TELLS);
}

bool stdin_begins_stream(void)
{
    struct stat st;
    bool pipe = fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
    return pipe ? pipe_begins_stream() : regular_begins_stream(STDIN_FILENO);
}

bool file_begins_stream(const char *path)
{
    struct stat st;
    bool regular = stat(path, &st) == 0 && S_ISREG(st.st_mode); /* else opening it is felt */
    int fd = regular ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    bool begins = fd >= 0 && regular_begins_stream(fd);
    if (fd >= 0)
        close(fd);
    return begins;
}
