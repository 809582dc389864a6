#include "learn/log.h"

#include "base/mem.h"
#include "base/outfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

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

Log *log_open(const char *path, Err *e)
{
    Buf b = {0};
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        err_sys(e, "%s", path);
        return NULL;
    }
    Log *l = mem_alloc(sizeof *l);
    *l = (Log){fd, mem_str(path)};
    buf_fmt(&b, "step\tepoch\tloss\tlr\tgrad_norm\trows_per_s\ttokens_per_s\tseconds\t"
                "valid_loss\tvalid_accuracy\tvalid_macro_f1\tvalid_micro_f1\n");
    if (put(l, &b, e) == 0)
        return l;
    log_close(l, NULL);
    return NULL;
}

static void field(Buf *b, int digits, double x)
{
    buf_fmt(b, "\t");
    if (!isnan(x))
        buf_fmt(b, "%.*g", digits, x);
}

int log_line(Log *l, const LogLine *line, Err *e)
{
    const Summary none = {NAN, NAN, NAN, NAN, NAN}, *v = line->valid ? line->valid : &none;
    Buf b = {0};
    buf_fmt(&b, "%" PRId64, line->step);
    field(&b, 6, line->epoch);
    field(&b, 9, line->loss);
    field(&b, 6, line->lr);
    field(&b, 9, line->grad_norm);
    field(&b, 6, line->rows_per_s);
    field(&b, 6, line->tokens_per_s);
    field(&b, 6, line->seconds);
    field(&b, 9, v->loss);
    field(&b, 6, v->accuracy);
    field(&b, 6, v->macro_f1);
    field(&b, 6, v->micro_f1);
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
