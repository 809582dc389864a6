/* show - a stream, a model folder or this machine, to read. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/write.h"
#include "bin/programs.h"
#include "io/save.h"
#include "model/find.h"
#include "report/folder.h"
#include "report/machine.h"
#include "report/npy.h"
#include "report/stream_report.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_PAD = OPT_LONG, KEY_DIGEST, KEY_LENGTHS, KEY_MACHINE };

static const Opt options[] = {
    {'r', "rows", NULL, "a JSON object a row", OPT_KEY},
    {'n', "name", "TENSOR", "one tensor of all frames as a NumPy file", OPT_KEY},
    {KEY_PAD, "pad", "N", "rows padded to N tokens (0: the longest) with their attention mask",
     OPT_KEY},
    {'o', "output", "FILE", "all frames as one safetensors document", OPT_KEY},
    {KEY_DIGEST, "digest", NULL, "a hash of each tensor, row by row", OPT_KEY},
    {KEY_LENGTHS, "lengths", NULL, "the distribution of tokens a row", OPT_KEY},
    {KEY_MACHINE, "machine", NULL, "this machine", OPT_KEY},
    {0},
};

typedef struct Show {
    int mode;          /* an option's key; 0: the overview */
    const char *value; /* of -n and -o */
    int64_t pad;       /* of --pad; -1: not given */
    StreamReport report;
} Show;

static void read_options(Show *s, Args *a)
{
    for (int k; (k = args_next(a)) != -1;) {
        bool array = (s->mode == 'n' && k == KEY_PAD) || (s->mode == KEY_PAD && k == 'n');
        if (s->mode && s->mode != k && !array)
            die_usage("one of -r, -n, -o, --pad, --digest, --lengths, --machine at a time, but -n "
                      "with --pad");
        s->mode = array ? 'n' : k;
        if (k == 'n' || k == 'o')
            s->value = a->value;
        else if (k == KEY_PAD)
            s->report.pad = s->pad = args_int(a, 0, 1 << 20);
    }
    s->report.spelling.model = a->common.model;
    if (s->mode == 'n' && isatty(STDOUT_FILENO))
        die_usage("-n writes a NumPy file: send standard output to one");
    if (s->mode == KEY_MACHINE && a->nfiles)
        die_usage("--machine takes no file");
}

/* A folder, or the name of a model in the cache; the caller frees it. NULL: a stream. */
static char *folder_of(const Args *a)
{
    struct stat st;
    Err e = {0};
    if (a->nfiles != 1 || strcmp(a->files[0], "-") == 0)
        return NULL;
    if (stat(a->files[0], &st) == 0)
        return S_ISDIR(st.st_mode) ? mem_str(a->files[0]) : NULL;
    return model_find(a->files[0], &e);
}

static int show_stream(Show *s, In *in, Err *e)
{
    switch (s->mode) {
    case 'n': return npy_stream(s->value, s->pad, in, e);
    case 'o': return save_stream(s->value, in, e);
    case 'r': s->report.kind = REPORT_ROWS; break;
    case KEY_PAD: s->report.kind = REPORT_PADDED; break;
    case KEY_DIGEST: s->report.kind = REPORT_DIGEST; break;
    case KEY_LENGTHS: s->report.kind = REPORT_LENGTHS; break;
    default: s->report.kind = REPORT_OVERVIEW;
    }
    return stream_report(&s->report, in, e);
}

/* This machine, or a folder. */
static int show_place(const char *folder, int threads, Err *e)
{
    Buf out = {0};
    int status = 0;
    if (folder)
        status = folder_put(&out, folder, e);
    else
        machine_put(&out, threads);
    if (status == 0)
        status = put_out(&out, e);
    free(out.p);
    return status;
}

int main(int argc, char **argv)
{
    Err e = {0};
    Show s = {.pad = -1};
    Args a = args_begin(PROGRAM(show), options, NULL, argc, argv);
    read_options(&s, &a);
    char *folder = s.mode == KEY_MACHINE ? NULL : folder_of(&a);
    if (folder && s.mode)
        die_usage("%s is a model folder: that option is for streams", folder);
    if (s.mode == KEY_MACHINE || folder) {
        if (show_place(folder, a.common.threads, &e) < 0)
            die(&e);
    } else {
        In *in = in_open(a.files, a.nfiles);
        if (show_stream(&s, in, &e) < 0)
            die(&e);
        in_close(in);
    }
    stream_report_clear(&s.report);
    free(folder);
    return 0;
}
