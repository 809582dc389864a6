/* headsave.c - the writing half of headfile.h. */
#include "base/mem.h"
#include "base/outfile.h"
#include "base/outfolder.h"
#include "model/head/headfile.h"
#include "store/safetensors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The folder that a path's file or folder lies in, in place. */
static void up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    else
        memcpy(path, ".", 2);
}

/* The way from the folder that this config.json will lie in (it is filled beside its place) to the
 * folder `to`, absolute: both can be moved together. NULL: there is none. */
static char *way_to(const char *config, const char *to)
{
    char *path = mem_fmt("./%s", config);
    if (config[0] == '/')
        memmove(path, config, strlen(config) + 1);
    up(path);
    up(path);
    char *from = *to == '/' ? realpath(path, NULL) : NULL;
    free(path);
    if (!from)
        return NULL;
    size_t same = 0;
    for (size_t i = 0;; i++) {
        bool ends = (!from[i] || from[i] == '/') && (!to[i] || to[i] == '/');
        if (ends)
            same = i;
        if (from[i] != to[i] || !from[i])
            break;
    }
    Buf way = {0};
    buf_str(&way, "..");
    for (const char *p = from + same; *p; p++)
        if (*p == '/' && p[1])
            buf_str(&way, "/..");
    buf_str(&way, to + same);
    buf_add(&way, "", 1);
    free(from);
    return way.p;
}

static json_t *encoder_json(const HeadFile *h, const char *config)
{
    json_t *layer = h->layer < 0 ? json_null() : json_integer(h->layer);
    char *way = way_to(config, h->model);
    json_t *o = json_pack("{s:s, s:s*, s:s, s:s, s:o, s:I}", "model", h->model, "relative", way,
                          "fingerprint", h->encoder, "vocab", h->vocab, "layer", layer,
                          "hidden_size", (json_int_t)h->size[0]);
    free(way);
    return o;
}

static json_t *shape_json(const HeadFile *h)
{
    json_t *sizes = json_array();
    for (int i = 1; i < h->layers; i++)
        json_array_append_new(sizes, json_integer(h->size[i]));
    return json_pack("{s:o, s:s, s:f}", "sizes", sizes, "activation", "relu", "dropout",
                     h->dropout);
}

static char *config_text(const HeadFile *h, const char *path, const char *training)
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
                  "weft-head", "architectures", "WeftHead", "encoder", encoder_json(h, path),
                  "pool", h->pool, "head", shape_json(h), "num_labels", (json_int_t)n, "id2label",
                  names, "label2id", ids, "problem_type", "single_label_classification", "training",
                  training ? json_loads(training, 0, NULL) : NULL);
    char *text = c ? json_dumps(c, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(c);
    return text;
}

static int write_config(const char *path, const HeadFile *h, const char *training, Err *e)
{
    char *text = config_text(h, path, training);
    if (!text)
        return err_set(e, "a name in the stream is not UTF-8");
    int status = outfile_text(path, text, e);
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

int headfile_write(OutFolder *o, const HeadFile *h, const char *training, Err *e)
{
    int status = write_config(outfolder_file(o, "config.json"), h, training, e);
    return status == 0 ? write_weights(outfolder_file(o, "model.safetensors"), h, e) : -1;
}
