/* headsave.c - the writing half of headfile.h. */
#include "base/mem.h"
#include "base/outfile.h"
#include "base/tidy.h"
#include "model/head/headfile.h"
#include "store/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const own[] = {"config.json", "model.safetensors"};

/* The place without slashes at its end; behind a symbolic link where one is there. */
static char *place_of(const char *folder)
{
    char *real = realpath(folder, NULL);
    if (real || errno == ENOMEM)
        return mem_got(real, PATH_MAX);
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    return mem_strn(folder, n);
}

static int parent_writable(const char *place, Err *e)
{
    const char *slash = strrchr(place, '/');
    char *parent = !slash ? mem_str(".") : mem_strn(place, slash == place ? 1 : slash - place);
    int status = access(parent, W_OK | X_OK);
    if (status < 0)
        err_sys(e, "%s: no folder can be made there", parent);
    free(parent);
    return status;
}

int headfile_place(const char *folder, bool replace, Err *e)
{
    struct stat st;
    char *place = place_of(folder);
    int status;
    if (!*folder)
        status = err_set(e, "the output folder has no name");
    else if (lstat(place, &st) < 0)
        status = errno == ENOENT ? parent_writable(place, e) : err_sys(e, "%s", folder);
    else if (!replace)
        status = err_set(e, "%s is there already: remove it, or --force", folder);
    else if (!headfile_is(place))
        status = err_set(e, "%s is no folder that train made, so --force leaves it alone", folder);
    else
        status = parent_writable(place, e);
    free(place);
    return status;
}

static json_t *encoder_json(const HeadFile *h)
{
    json_t *layer = h->layer < 0 ? json_null() : json_integer(h->layer);
    return json_pack("{s:s, s:s, s:s, s:o, s:I}", "model", h->model, "fingerprint", h->encoder,
                     "vocab", h->vocab, "layer", layer, "hidden_size", (json_int_t)h->size[0]);
}

static json_t *shape_json(const HeadFile *h)
{
    json_t *sizes = json_array();
    for (int i = 1; i < h->layers; i++)
        json_array_append_new(sizes, json_integer(h->size[i]));
    return json_pack("{s:o, s:s, s:f}", "sizes", sizes, "activation", "relu", "dropout",
                     h->dropout);
}

static char *config_text(const HeadFile *h, const char *training)
{
    json_t *names = json_object(), *ids = json_object(), *c;
    int64_t n = h->size[h->layers];
    for (int64_t i = 0; i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)i);
        json_object_set_new(names, key, json_string(h->label[i]));
        json_object_set_new(ids, h->label[i], json_integer(i));
    }
    c = json_pack("{s:s, s:[s], s:o, s:s, s:o, s:I, s:o, s:o, s:s, s:o*}", "model_type",
                  "weft-head", "architectures", "WeftHead", "encoder", encoder_json(h), "pool",
                  h->pool, "head", shape_json(h), "num_labels", (json_int_t)n, "id2label", names,
                  "label2id", ids, "problem_type", "single_label_classification", "training",
                  training ? json_loads(training, 0, NULL) : NULL);
    char *text = c ? json_dumps(c, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(c);
    return text;
}

static int write_config(const char *path, const HeadFile *h, const char *training, Err *e)
{
    char *text = config_text(h, training);
    if (!text)
        return err_set(e, "a name in the stream is not UTF-8");
    OutFile *o = outfile_open(path, e);
    int status = !o ? -1 : outfile_write(o, text, strlen(text), e);
    if (status == 0)
        status = outfile_write(o, "\n", 1, e);
    if (status == 0)
        status = outfile_commit(o, e);
    else
        outfile_abort(o);
    free(text);
    return status;
}

static int write_weights(const char *path, const HeadFile *h, Err *e)
{
    StView v[2 * HEAD_LAYERS];
    char name[2 * HEAD_LAYERS][32], *key = "format", *value = "pt";
    int64_t shape[HEAD_LAYERS][2];
    for (int i = 0; i < h->layers; i++) {
        size_t rows = (size_t)h->size[i + 1], cols = (size_t)h->size[i];
        shape[i][0] = h->size[i + 1];
        shape[i][1] = h->size[i];
        snprintf(name[2 * i], sizeof name[0], "head.%d.weight", 2 * i);
        snprintf(name[2 * i + 1], sizeof name[0], "head.%d.bias", 2 * i);
        v[2 * i] = (StView){.name = name[2 * i],
                            .type = DT_F32,
                            .rank = 2,
                            .shape = shape[i],
                            .data = h->weight[i],
                            .bytes = rows * cols * 4};
        v[2 * i + 1] = (StView){.name = name[2 * i + 1],
                                .type = DT_F32,
                                .rank = 1,
                                .shape = shape[i],
                                .data = h->bias[i],
                                .bytes = rows * 4};
    }
    return st_write(path, v, 2 * h->layers, &key, &value, 1, e);
}

/* ---- the folder ---- */

typedef int EntryFn(const char *from, const char *to, bool ours, Err *e);

/* fn for each entry of the folder, with what it would be called in folder `to`; stops at -1. */
static int each_entry(const char *folder, const char *to, EntryFn *fn, Err *e)
{
    DIR *d = opendir(folder);
    int status = d ? 0 : err_sys(e, "%s", folder);
    for (struct dirent *it; status == 0 && (it = readdir(d));) {
        bool ours = strcmp(it->d_name, own[0]) == 0 || strcmp(it->d_name, own[1]) == 0;
        if (strcmp(it->d_name, ".") == 0 || strcmp(it->d_name, "..") == 0)
            continue;
        char *a = mem_fmt("%s/%s", folder, it->d_name), *b = mem_fmt("%s/%s", to, it->d_name);
        status = fn(a, b, ours, e);
        free(a);
        free(b);
    }
    if (d)
        closedir(d);
    return status;
}

static int keep_mode(const char *new, mode_t old, Err *e)
{
    struct stat is;
    if (stat(new, &is) < 0 || ((is.st_mode ^ old) & 07777) == 0)
        return 0;
    return chmod(new, old & 07777) < 0 ? err_sys(e, "%s", new) : 0;
}

/* The modes of an old head's files are the new ones'. */
static int keep_modes(const char *place, const char *made, Err *e)
{
    int status = 0;
    struct stat was;
    for (int i = 0; i < 2 && status == 0; i++) {
        char *old = mem_fmt("%s/%s", place, own[i]), *new = mem_fmt("%s/%s", made, own[i]);
        if (stat(old, &was) == 0)
            status = keep_mode(new, was.st_mode, e);
        free(old);
        free(new);
    }
    return status;
}

/* What lies in an old folder besides a head is in the new one before that takes its place, so that
 * nothing is lost whenever the program ends. A folder cannot be in two: it moves over later. */
static int share(const char *from, const char *to, bool ours, Err *e)
{
    bool both = ours || link(from, to) == 0;
    (void)both, (void)e; /* what is not in both move_over() moves */
    return 0;
}

static int unshare(const char *from, const char *to, bool ours, Err *e)
{
    (void)from, (void)e;
    if (!ours)
        unlink(to);
    return 0;
}

static int move_over(const char *from, const char *to, bool ours, Err *e)
{
    struct stat a, b;
    bool shared =
        lstat(from, &a) == 0 && lstat(to, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if ((ours || shared ? unlink(from) : rename(from, to)) < 0)
        return err_sys(e, "%s", from);
    return 0;
}

/* The old head lies at `old`: its two files go, others are in the new folder or move there, whose
 * mode then is the old one's. */
static int clear_away(const char *old, const char *place, Err *e)
{
    struct stat was;
    int status = stat(old, &was) < 0 ? err_sys(e, "%s", old) : keep_mode(old, 0700, e);
    if (status == 0)
        status = each_entry(old, place, move_over, e);
    if (status == 0 && rmdir(old) < 0)
        status = err_sys(e, "%s", old);
    if (status < 0)
        return err_at(e, "what lay beside the old head stays in %s", old);
    return keep_mode(place, was.st_mode, e);
}

static int put_back(const char *old, const char *place, Err *e)
{
    err_sys(e, "%s", place);
    return rename(old, place) < 0 ? err_set(e, "%s: what was there is now %s", place, old) : -1;
}

static int replace_old(const char *made, const char *place, Err *e)
{
    char *old = mem_fmt("%s.old", made);
    int status = 0;
    bool exchanged = false;
    if (keep_modes(place, made, e) < 0 || each_entry(place, made, share, e) < 0)
        status = -1;
    else if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_EXCHANGE) == 0)
        exchanged = true;
    else if (rename(place, old) < 0)
        status = err_sys(e, "%s", place);
    else if (rename(made, place) < 0)
        status = put_back(old, place, e);
    if (status < 0)
        each_entry(place, made, unshare, NULL);
    else
        status = clear_away(exchanged ? made : old, place, e);
    free(old);
    return status;
}

/* Puts the folder `made` at `place`. */
static int put_in_place(const char *made, const char *place, bool replace, Err *e)
{
    if (replace && headfile_is(place)) {
        tidy_hold();
        int status = replace_old(made, place, e);
        tidy_release();
        return status;
    }
    if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return 0;
    bool no_promise = errno == EINVAL; /* a file system that does not know that */
    if (no_promise && access(place, F_OK) < 0 && rename(made, place) == 0)
        return 0;
    return err_sys(e, "%s", place);
}

/* A new folder beside the place, whose name nobody has, not even a run that was killed. It is
 * nobody else's as long as an old one's mode may have to be kept. */
static char *make_folder(const char *place, bool old, Err *e)
{
    for (int i = 0;; i++) {
        char *made = mem_fmt("%s.tmp.%ld.%d", place, (long)getpid(), i);
        tidy_add(made);
        if (mkdir(made, old ? 0700 : 0777) == 0)
            return made;
        int saved = errno;
        tidy_forget(made);
        errno = saved;
        if (errno != EEXIST) {
            err_sys(e, "%s", made);
            free(made);
            return NULL;
        }
        free(made);
    }
}

static int save_in(const char *made, const char *place, const HeadFile *h, const char *training,
                   bool replace, Err *e)
{
    char *config = mem_fmt("%s/%s", made, own[0]), *weights = mem_fmt("%s/%s", made, own[1]);
    char *path[] = {config, weights};
    int status = -1;
    for (int i = 0; i < 2; i++) /* registered behind their folder, and so removed before it */
        tidy_add(path[i]);
    if (write_config(config, h, training, e) == 0 && write_weights(weights, h, e) == 0 &&
        put_in_place(made, place, replace, e) == 0)
        status = sync_folder_of(place) < 0 ? err_sys(e, "%s", place) : 0;
    for (int i = 0; i < 2; i++) {
        if (status < 0)
            unlink(path[i]);
        tidy_forget(path[i]);
        free(path[i]);
    }
    return status;
}

int headfile_save(const char *folder, const HeadFile *h, const char *training, bool replace, Err *e)
{
    char *place = place_of(folder), *made;
    made = make_folder(place, replace && access(place, F_OK) == 0, e);
    int status = made ? save_in(made, place, h, training, replace, e) : -1;
    if (made) {
        if (status < 0)
            rmdir(made);
        tidy_forget(made);
    }
    free(made);
    free(place);
    return status;
}
