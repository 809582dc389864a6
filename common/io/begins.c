#include "io/begins.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADER_MAX = 100000000, /* the longest header of a stream */
    TOLD = 64,              /* bytes that tell either way, and more */
    PATIENCE = 100000000    /* nanoseconds that a short line waits for what may make it a stream */
};

typedef enum Told { TOLD_NO, TOLD_YES, TOLD_MORE } Told;

/* What the first n bytes of the input say. */
typedef Told Look(const unsigned char *p, size_t n);

/* A header's length in eight bytes, then '{'. */
static Told like_stream(const unsigned char *p, size_t n)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n && i < 8; i++)
        length |= (uint64_t)p[i] << 8 * i;
    if (length > HEADER_MAX)
        return TOLD_NO;
    return n < 9 ? TOLD_MORE : p[8] == '{' ? TOLD_YES : TOLD_NO;
}

/* The same with all that comes first in ours; and its length is one of whole eight bytes. */
static Told is_stream(const unsigned char *p, size_t n)
{
    static const char ours[] = "{\"__metadata__\":{\"weft\":";
    Told told = like_stream(p, n);
    if (told == TOLD_NO || (n && p[0] % 8))
        return TOLD_NO;
    for (size_t i = 0; i < sizeof ours - 1; i++)
        if (8 + i >= n)
            return TOLD_MORE;
        else if (p[8 + i] != (unsigned char)ours[i])
            return TOLD_NO;
    return TOLD_YES;
}

/* The first bytes of a pipe, which stay in it, by way of `copy`, another one. They may come one by
 * one, and poll(2) cannot wait for more than there is; so while they leave it open, look again
 * after a growing nap. `patience`: nanoseconds that another byte may take; 0: any time. */
static bool pipe_tells(const int copy[2], Look *look, long patience)
{
    unsigned char p[TOLD];
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    struct timespec nap = {.tv_nsec = 250000};
    ssize_t had = 0;
    for (long waited = 0;; waited += nap.tv_nsec) {
        if (poll(&in, 1, -1) < 0 && errno != EINTR)
            return false;
        bool all = (in.revents & POLLHUP) != 0; /* seen before the copy, so nothing is missed */
        ssize_t n = tee(STDIN_FILENO, copy[1], TOLD, SPLICE_F_NONBLOCK);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n > 0 && read(copy[0], p, (size_t)n) != n)
            return false;
        Told told = n > 0 ? look(p, (size_t)n) : TOLD_MORE;
        if (told != TOLD_MORE || all)
            return told == TOLD_YES;
        if (n > had || n <= 0)
            waited = 0;
        if (patience && waited > patience)
            return false;
        had = n;
        nanosleep(&nap, NULL);
        if (nap.tv_nsec < 20000000)
            nap.tv_nsec *= 2;
    }
}

static bool pipe_begins(Look *look, long patience)
{
    int copy[2];
    if (pipe2(copy, O_CLOEXEC) < 0)
        return false;
    bool begins = pipe_tells(copy, look, patience);
    close(copy[0]);
    close(copy[1]);
    return begins;
}

/* The bytes from where reading would go on. */
static bool regular_begins(int fd, Look *look)
{
    unsigned char p[TOLD];
    struct stat st;
    off_t at = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
    ssize_t n = at >= 0 ? pread(fd, p, TOLD, at) : -1;
    return n > 0 && look(p, (size_t)n) == TOLD_YES;
}

static bool stdin_begins(Look *look, long patience)
{
    struct stat st;
    bool pipe = fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
    return pipe ? pipe_begins(look, patience) : regular_begins(STDIN_FILENO, look);
}

static bool file_begins(const char *path, Look *look)
{
    struct stat st;
    bool regular = stat(path, &st) == 0 && S_ISREG(st.st_mode); /* else opening it is felt */
    int fd = regular ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    bool begins = fd >= 0 && regular_begins(fd, look);
    if (fd >= 0)
        close(fd);
    return begins;
}

bool stdin_begins_stream(void)
{
    return stdin_begins(like_stream, 0);
}

bool file_begins_stream(const char *path)
{
    return file_begins(path, like_stream);
}

bool stdin_is_stream(void)
{
    return stdin_begins(is_stream, PATIENCE);
}

bool file_is_stream(const char *path)
{
    return file_begins(path, is_stream);
}
