/* Whole files, a record each: those that are named, and for "-" those that the lines of standard
 * input name. The label may be the folder's name, as in aclImdb/train/pos/0_9.txt. */
#include "records/records_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct Files {
    char **files;
    int nfiles, at; /* at: the operand whose turn it is */
    Window list;    /* standard input, while names are read from it */
    int64_t line;   /* of it */
    Buf name;       /* on that line */
    char *path;     /* the file that is being read */
    bool given;     /* it has been given out */
};

Files *rec_files_open(Window *in)
{
    Files *f = mem_zero(1, sizeof *f);
    *f = (Files){.files = in->files, .nfiles = in->nfiles, .at = -1, .list.fd = -1};
    *in = (Window){.files = &f->path, .nfiles = 1, .at = -1, .fd = -1};
    return f;
}

void rec_files_close(Files *f)
{
    if (!f)
        return;
    free(f->list.p);
    free(f->name.p);
    free(f);
}

static int next_line(Files *f, Err *e)
{
    Str line;
    int k = window_line(&f->list, '\n', &line, e);
    if (k != 1)
        return k;
    f->line++;
    if (!line.n || memchr(line.p, '\0', line.n))
        return err_set(e, "%s is no name of a file", line.n ? "a NUL in it" : "an empty line");
    f->name.n = 0;
    if (line.n == 1 && line.p[0] == '-') /* a file of that name */
        buf_str(&f->name, "./");
    buf_add(&f->name, line.p, line.n);
    buf_add(&f->name, "", 1);
    f->path = f->name.p;
    return 1;
}

/* The name of the next file: 1, REC_IDLE, 0 after the last, -1. */
static int next_name(Files *f, Err *e)
{
    for (;;) {
        if (f->list.fd >= 0) {
            int k = next_line(f, e);
            if (k != 0)
                return k;
            f->list.fd = -1;
        }
        if (f->at + 1 >= f->nfiles)
            return 0;
        f->path = f->files[++f->at];
        if (strcmp(f->path, "-") != 0)
            return 1;
        free(f->list.p);
        f->list = (Window){.fd = STDIN_FILENO};
        f->line = 0;
    }
}

static int open_file(Records *r, Err *e)
{
    struct stat st;
    r->in.at = -1;
    if (window_open(&r->in, e) != 1)
        return -1;
    if (fstat(r->in.fd, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(e, "%s: is a folder: name its files (find FOLDER -type f | tok -F)",
                       r->files->path);
    return 1;
}

int rec_files_begin(Records *r, Err *e)
{
    Files *f = r->files;
    int k = next_name(f, e);
    f->given = false;
    if (k == 1)
        k = open_file(r, e);
    if (f->list.fd < 0)
        return k;
    if (k < 0)
        return err_at(e, "stdin: record %" PRId64, f->line);
    /* A name on a line lives no longer than its file: rows are told by the line. */
    r->in.place = "stdin";
    r->in_file = f->line - 1;
    return k;
}

void rec_files_at(const Files *f, Err *e)
{
    if (f->list.fd >= 0)
        err_at(e, "%s", f->path);
}

/* The last folder of its path. */
static int folder(const char *path, Str *name, Err *e)
{
    const char *end = strrchr(path, '/'), *from;
    while (end && end > path && end[-1] == '/')
        end--;
    for (from = end; from && from > path && from[-1] != '/';)
        from--;
    *name = end ? str_of(from, (size_t)(end - from)) : str_of("", 0);
    if (!name->n || (name->n <= 2 && memcmp(name->p, "..", name->n) == 0))
        return err_set(e,
                       "its path has no folder whose name is the label: name it from above, "
                       "as in pos/%s",
                       end ? strrchr(path, '/') + 1 : path);
    return rec_text(*name, e);
}

static int whole(Records *r, Err *e)
{
    int k;
    while ((k = window_fill(&r->in, e)) == 1)
        ;
    if (k != 0)
        return k;
    Str text = str_of(r->in.p + r->in.begin, r->in.end - r->in.begin);
    if (r->in.suspect && rec_text(text, e) < 0)
        return -1;
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    r->field[0] = text;
    if (r->spec.columns > 1 && folder(r->files->path, &r->field[1], e) < 0)
        return -1;
    return 1;
}

int rec_files_next(Records *r, Err *e)
{
    if (r->files->given)
        return 0;
    int k = whole(r, e);
    r->files->given = k == 1;
    return k;
}
