#include "learn/log.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/outfile.h"
#include "store/mapfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char header[] = "step\tepoch\tloss\tlr\tgrad_norm\trows_per_s\ttokens_per_s\tseconds\t"
                             "valid_loss\tvalid_accuracy\tvalid_macro_f1\tvalid_micro_f1\n";
#define LOG_MOST ((size_t)1 << 32)

struct Log {
    int fd;
    char *path;
};

/* What is in b is out at once. */
static int put(Log *l, Buf *b, Err *e)
{
    int status = write_all(l->fd, b->p, b->n) < 0 ? err_sys(e, "%s: cannot write", l->path) : 0;
    free(b->p);
    return status;
}

static Log *log_of(int fd, const char *path)
{
    Log *l = mem_alloc(sizeof *l);
    *l = (Log){fd, mem_str(path)};
    return l;
}

Log *log_open(const char *path, Err *e)
{
    Buf b = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        err_sys(e, "%s", path);
        return NULL;
    }
    Log *l = log_of(fd, path);
    buf_str(&b, header);
    if (put(l, &b, e) == 0)
        return l;
    log_close(l, NULL);
    return NULL;
}

/* A line's first field; -1: it is no number. */
static int64_t step_of(const char *line, const char *end)
{
    const char *tab = memchr(line, '\t', (size_t)(end - line));
    char *text = mem_strn(line, (size_t)((tab ? tab : end) - line));
    int64_t step;
    int bad = num_int(text, 0, INT64_MAX, &step, NULL);
    free(text);
    return bad ? -1 : step;
}

/* How many bytes of a log's are lines up to the step: whole ones, behind its header. */
static size_t lines_to(const char *p, size_t n, int64_t step)
{
    size_t at = sizeof header - 1;
    if (n < at || memcmp(p, header, at) != 0)
        return 0;
    while (at < n) {
        const char *end = memchr(p + at, '\n', n - at);
        if (!end || step_of(p + at, end) > step)
            break;
        at = (size_t)(end + 1 - p);
    }
    return at;
}

Log *log_go_on(const char *path, int64_t step, Err *e)
{
    struct stat st;
    Buf b = {0};
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return log_open(path, e); /* there is nothing to go on with */
    if (file_read(path, LOG_MOST, &b, e) < 0)
        return NULL;
    size_t keep = lines_to(b.p, b.n, step);
    free(b.p);
    if (!keep)
        return log_open(path, e);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)keep) == 0)
        return log_of(fd, path);
    err_sys(e, "%s", path);
    if (fd >= 0)
        close(fd);
    return NULL;
}

static void field(Buf *b, double x)
{
    buf_fmt(b, "\t");
    if (!isnan(x))
        buf_fmt(b, "%.9g", x);
}

int log_line(Log *l, const LogLine *line, Err *e)
{
    const Summary none = {NAN, NAN, NAN, NAN, NAN}, *v = line->valid ? line->valid : &none;
    Buf b = {0};
    buf_fmt(&b, "%" PRId64, line->step);
    field(&b, line->epoch);
    field(&b, line->loss);
    field(&b, line->lr);
    field(&b, line->grad_norm);
    field(&b, line->rows_per_s);
    field(&b, line->tokens_per_s);
    field(&b, line->seconds);
    field(&b, v->loss);
    field(&b, v->accuracy);
    field(&b, v->macro_f1);
    field(&b, v->micro_f1);
    buf_fmt(&b, "\n");
    return put(l, &b, e);
}

int log_close(Log *l, Err *e)
{
    if (!l)
        return 0;
    int status = close(l->fd) == 0 ? 0 : err_sys(e, "%s", l->path);
    free(l->path);
    free(l);
    return status;
}
