/* source.c - frames from a file descriptor, piece by piece. Memory follows what has really
 * come: a header may announce anything. */
#include "io/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { AHEAD = 1 << 16, FIRST_DATA = 1 << 20 };

struct Source {
    int fd;
    char *ahead; /* AHEAD bytes, of which [at, n) are not used yet */
    size_t at, n;
    enum { LENGTH, HEADER, DATA } phase; /* of the frame that is coming */
    size_t got;                          /* of its phase */
    unsigned char length[8];
    size_t header_need;
    Buf header;
    StHeader st;
    Block *block;
    size_t largest; /* data of the largest frame so far */
};

Source *source_open(int fd)
{
    Source *s = mem_zero(1, sizeof *s);
    s->fd = fd;
    s->ahead = mem_alloc(AHEAD);
    wire_widen(fd);
    return s;
}

void source_close(Source *s)
{
    if (!s)
        return;
    close(s->fd);
    st_clear(&s->st);
    block_drop(s->block);
    free(s->header.p);
    free(s->ahead);
    free(s);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Is there something to read? Waits at most *patience. */
static bool ready(const Source *s, double *patience)
{
    if (!patience)
        return true;
    double start = now_ms();
    int k = poll(&(struct pollfd){.fd = s->fd, .events = POLLIN}, 1,
                 *patience > 0 ? (int)(*patience + 0.999) : 0);
    *patience -= now_ms() - start;
    return k > 0;
}

/* read(2) without its interruptions. */
static ssize_t read_some(const Source *s, void *p, size_t n)
{
    for (;;) {
        ssize_t k = read(s->fd, p, n);
        if (k >= 0 || (errno != EINTR && errno != EAGAIN))
            return k;
        if (errno == EAGAIN) /* somebody left it non-blocking */
            poll(&(struct pollfd){.fd = s->fd, .events = POLLIN}, 1, -1);
    }
}

/* Reads on until `want` bytes of this phase are at dst: SOURCE_FRAME when they are, else why
 * not (SOURCE_END for the end of the file, wherever it comes). */
static int fill(Source *s, void *dst, size_t want, double *patience, Err *e)
{
    while (s->got < want) {
        char *to = (char *)dst + s->got;
        size_t left = want - s->got, here = s->n - s->at;
        if (here) {
            size_t n = here < left ? here : left;
            memcpy(to, s->ahead + s->at, n);
            s->at += n;
            s->got += n;
            continue;
        }
        if (!ready(s, patience))
            return SOURCE_LATER;
        bool direct = left >= AHEAD;
        ssize_t n = read_some(s, direct ? to : s->ahead, direct ? left : AHEAD);
        if (n < 0)
            return err_sys(e, "cannot read");
        if (n == 0)
            return SOURCE_END;
        if (direct) {
            s->got += (size_t)n;
        } else {
            s->at = 0;
            s->n = (size_t)n;
        }
    }
    return SOURCE_FRAME;
}

static int not_a_stream(Err *e)
{
    return err_set(e, "not a weft stream (if it is text, run it through `tok` first)");
}

static int read_length(Source *s, double *patience, Err *e)
{
    uint64_t n = 0;
    int k = fill(s, s->length, sizeof s->length, patience, e);
    if (k != SOURCE_FRAME)
        return k;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | s->length[i];
    /* Text would say a length of 2^56 and more. */
    if (n > ST_HEADER_MAX && n <= UINT32_MAX)
        return err_set(e, "not a weft stream: a header of %" PRIu64 " bytes, at most %d", n,
                       ST_HEADER_MAX);
    if (n < 2 || n > ST_HEADER_MAX)
        return not_a_stream(e);
    s->header_need = (size_t)n;
    s->phase = HEADER;
    s->got = 0;
    return SOURCE_FRAME;
}

static int read_header(Source *s, double *patience, Err *e)
{
    while (s->got < s->header_need) {
        size_t left = s->header_need - s->got, step = s->got < AHEAD ? AHEAD : s->got;
        s->header.n = s->got;
        buf_room(&s->header, left < step ? left : step);
        int k = fill(s, s->header.p, s->got + (left < step ? left : step), patience, e);
        if (s->got && s->header.p[0] != '{')
            return not_a_stream(e);
        if (k != SOURCE_FRAME)
            return k;
    }
    if (st_parse(s->header.p, s->header_need, &s->st, e) < 0)
        return SOURCE_ERROR;
    s->phase = DATA;
    s->got = 0;
    return SOURCE_FRAME;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static Block *grown(Block *old, size_t size)
{
    Block *b = block_new(size);
    memcpy(b->p, old->p, old->size);
    block_drop(old);
    return b;
}

static int read_data(Source *s, double *patience, Err *e)
{
    size_t need = (size_t)s->st.data;
    if (!s->block)
        s->block = block_new(least(need, s->largest > FIRST_DATA ? s->largest : FIRST_DATA));
    while (s->got < need) {
        if (s->got == s->block->size)
            s->block = grown(s->block, least(need, 2 * s->block->size));
        int k = fill(s, s->block->p, s->block->size, patience, e);
        if (k != SOURCE_FRAME)
            return k;
    }
    if (need > s->largest)
        s->largest = need;
    return SOURCE_FRAME;
}

static int read_on(Source *s, double *patience, Err *e)
{
    int k = SOURCE_FRAME;
    if (s->phase == LENGTH)
        k = read_length(s, patience, e);
    if (k == SOURCE_FRAME && s->phase == HEADER)
        k = read_header(s, patience, e);
    if (k == SOURCE_FRAME)
        k = read_data(s, patience, e);
    return k;
}

int source_next(Source *s, double *patience, Frame **f, bool *foreign, Err *e)
{
    int k = read_on(s, patience, e);
    if (k == SOURCE_END)
        return s->phase == LENGTH && s->got == 0 ? SOURCE_END : SOURCE_CUT;
    if (k != SOURCE_FRAME)
        return k;
    *f = wire_frame(&s->st, s->block, s->block->p, foreign, e);
    st_clear(&s->st);
    s->block = NULL;
    s->phase = LENGTH;
    s->got = 0;
    return *f ? SOURCE_FRAME : SOURCE_ERROR;
}
