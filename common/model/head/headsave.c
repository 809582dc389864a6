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
    if (real)
        return real;
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

/* The old head lies at `old`: its two files go, others move over to the new one. */
static void clear_away(const char *old, const char *place)
{
    DIR *d = opendir(old);
    for (struct dirent *it; d && (it = readdir(d));) {
        bool ours = strcmp(it->d_name, own[0]) == 0 || strcmp(it->d_name, own[1]) == 0;
        char *from = mem_fmt("%s/%s", old, it->d_name);
        char *to = mem_fmt("%s/%s", place, it->d_name);
        if (ours)
            unlink(from);
        else if (strcmp(it->d_name, ".") != 0 && strcmp(it->d_name, "..") != 0)
            rename(from, to);
        free(from);
        free(to);
    }
    if (d)
        closedir(d);
    rmdir(old);
}

/* Puts the folder `made` at `place`. */
static int put_in_place(const char *made, const char *place, bool replace, Err *e)
{
    if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL && access(place, F_OK) < 0) /* a file system without that promise */
        return rename(made, place) == 0 ? 0 : err_sys(e, "%s", place);
    if (!replace || !headfile_is(place))
        return err_sys(e, "%s", place);
    if (renameat2(AT_FDCWD, made, AT_FDCWD, place, RENAME_EXCHANGE) == 0) {
        clear_away(made, place);
        return 0;
    }
    char *old = mem_fmt("%s.old", made);
    int status = 0;
    if (rename(place, old) < 0) {
        status = err_sys(e, "%s", place);
    } else if (rename(made, place) < 0) {
        status = err_sys(e, "%s", place);
        rename(old, place);
    } else {
        clear_away(old, place);
    }
    free(old);
    return status;
}

/* The new folder is registered for removal before its files, which so go first. */
int headfile_save(const char *folder, const HeadFile *h, const char *training, bool replace, Err *e)
{
    char *place = place_of(folder), *made = mem_fmt("%s.tmp.%ld", place, (long)getpid());
    char *config = mem_fmt("%s/%s", made, own[0]), *weights = mem_fmt("%s/%s", made, own[1]);
    char *path[] = {made, config, weights};
    int status = 0;
    for (int i = 0; i < 3; i++)
        tidy_add(path[i]);
    if (mkdir(made, 0777) < 0)
        status = err_sys(e, "%s", made);
    if (status < 0 || write_config(config, h, training, e) < 0 ||
        write_weights(weights, h, e) < 0 || put_in_place(made, place, replace, e) < 0) {
        unlink(config);
        unlink(weights);
        rmdir(made);
        status = -1;
    }
    for (int i = 0; i < 3; i++) {
        tidy_forget(path[i]);
        free(path[i]);
    }
    free(place);
    return status;
}
