#include "io/spool.h"

#include "io/wire.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Place { /* of a frame in the file */
    off_t at;          /* on a page */
    size_t size;
    int64_t rows;
} Place;

struct Spool {
    int fd;
    char *name; /* what it is called where it cannot be read */
    off_t end;
    int64_t rows;
    Place *place;
    int frames;
};

static const char *folder(void)
{
    const char *dir = getenv("TMPDIR");
    return dir && *dir ? dir : "/tmp";
}

int spool_file(Err *e)
{
    char *path = mem_fmt("%s/weft-XXXXXX", folder());
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        err_sys(e, "%s: cannot lay the input aside (TMPDIR names another folder)", folder());
    else
        unlink(path);
    free(path);
    return fd;
}

static off_t next_page(off_t at)
{
    off_t page = sysconf(_SC_PAGESIZE);
    return (at + page - 1) / page * page;
}

/* Each frame begins on a page, so that it can be mapped alone. */
static int add(Spool *s, const Frame *f, Err *e)
{
    if (s->frames == INT_MAX)
        return err_set(e, "too many frames");
    Place p = {.at = next_page(s->end), .rows = f->rows};
    if (lseek(s->fd, p.at, SEEK_SET) < 0 || wire_write(s->fd, f) < 0)
        return err_sys(e, "%s: cannot write", folder());
    s->end = lseek(s->fd, 0, SEEK_CUR);
    p.size = (size_t)(s->end - p.at);
    s->place = mem_resize(s->place, (size_t)s->frames + 1, sizeof *s->place);
    s->place[s->frames++] = p;
    s->rows += f->rows;
    return 0;
}

Spool *spool_in(In *in, Err *e)
{
    int fd = spool_file(e);
    if (fd < 0)
        return NULL;
    Spool *s = mem_zero(1, sizeof *s);
    Frame *f;
    int k;
    s->fd = fd;
    s->name = mem_fmt("%s: what was laid aside", folder());
    in_want(in, FRAME_TOKENS);
    while ((k = in_next(in, &f, e)) == 1) {
        k = add(s, f, e);
        frame_free(f);
        if (k < 0)
            break;
    }
    if (k == 0)
        return s;
    spool_free(s);
    return NULL;
}

int64_t spool_rows(const Spool *s)
{
    return s->rows;
}

int spool_frames(const Spool *s)
{
    return s->frames;
}

int64_t spool_frame_rows(const Spool *s, int i)
{
    return s->place[i].rows;
}

static size_t header_length(const unsigned char *p)
{
    size_t n = 0;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | p[i];
    return n;
}

Frame *spool_frame(const Spool *s, int i, Err *e)
{
    const Place *p = &s->place[i];
    Mapping *mapping =
        mapping_new(s->fd, p->at, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE, s->name);
    if (!mapping) {
        err_sys(e, "%s: cannot read back what was laid aside", folder());
        return NULL;
    }
    char *map = mapping_bytes(mapping);
    Block *block = mem_alloc(sizeof *block);
    *block = (Block){.users = 1, .size = p->size, .p = map, .mapping = mapping};
    size_t n = header_length((unsigned char *)map);
    StHeader h;
    bool foreign;
    if (st_parse(map + 8, n, &h, e) < 0) {
        block_drop(block);
        return NULL;
    }
    Frame *f = wire_frame(&h, block, map + 8 + n, &foreign, e);
    st_clear(&h);
    if (f && frame_check(f, e) < 0) { /* sets rows and tokens */
        frame_free(f);
        return NULL;
    }
    return f;
}

void spool_free(Spool *s)
{
    if (!s)
        return;
    close(s->fd);
    free(s->name);
    free(s->place);
    free(s);
}
