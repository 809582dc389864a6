#include "learn/log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct Log {
    FILE *file;
    char *path;
};

static int flushed(Log *l, Err *e)
{
    if (fflush(l->file) == 0 && !ferror(l->file))
        return 0;
    return err_sys(e, "%s", l->path);
}

Log *log_open(const char *path, Err *e)
{
    FILE *f = fopen(path, "we");
    if (!f) {
        err_sys(e, "%s", path);
        return NULL;
    }
    Log *l = mem_alloc(sizeof *l);
    *l = (Log){f, mem_str(path)};
    fputs("step\tepoch\tloss\tlr\tgrad_norm\trows_per_s\ttokens_per_s\tseconds\t"
          "valid_loss\tvalid_accuracy\tvalid_macro_f1\tvalid_micro_f1\n",
          f);
    if (flushed(l, e) == 0)
        return l;
    log_close(l, NULL);
    return NULL;
}

static void field(FILE *f, int digits, double x)
{
    putc('\t', f);
    if (!isnan(x))
        fprintf(f, "%.*g", digits, x);
}

int log_line(Log *l, const LogLine *line, Err *e)
{
    const Summary none = {NAN, NAN, NAN, NAN, NAN}, *v = line->valid ? line->valid : &none;
    FILE *f = l->file;
    fprintf(f, "%" PRId64, line->step);
    field(f, 6, line->epoch);
    field(f, 8, line->loss);
    field(f, 6, line->lr);
    field(f, 6, line->grad_norm);
    field(f, 6, line->rows_per_s);
    field(f, 6, line->tokens_per_s);
    field(f, 6, line->seconds);
    field(f, 8, v->loss);
    field(f, 6, v->accuracy);
    field(f, 6, v->macro_f1);
    field(f, 6, v->micro_f1);
    putc('\n', f);
    return flushed(l, e);
}

int log_close(Log *l, Err *e)
{
    if (!l)
        return 0;
    int status = fclose(l->file) == 0 ? 0 : err_sys(e, "%s", l->path);
    free(l->path);
    free(l);
    return status;
}
