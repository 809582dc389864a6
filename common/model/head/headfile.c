#include "model/head/headfile.h"

#include "base/mem.h"
#include "store/jsonfile.h"
#include "store/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH_MAX = 1 << 30 };

static bool is_head(const json_t *config)
{
    return strcmp(json_get_str(config, "model_type", "", NULL), "weft-head") == 0;
}

bool headfile_is(const char *folder)
{
    json_t *c = jsonfile_load(folder, "config.json", true, NULL);
    bool is = is_head(c);
    json_decref(c);
    return is;
}

static int width(int64_t n, const char *what, int64_t *out, Err *e)
{
    *out = n;
    return n < 1 || n > WIDTH_MAX ? err_set(e, "%s is no width", what) : 0;
}

static int read_encoder(const json_t *config, HeadFile *h, Err *e)
{
    json_t *o = json_object_get(config, "encoder");
    Err fault = {0};
    if (!json_is_object(o))
        return err_set(e, "it has no encoder");
    h->layer = json_get_int(o, "layer", -1, &fault);
    h->model = mem_str(json_get_str(o, "model", "", &fault));
    h->encoder = mem_str(json_get_str(o, "fingerprint", "", &fault));
    h->vocab = mem_str(json_get_str(o, "vocab", "", &fault));
    h->pool = mem_str(json_get_str(config, "pool", "", &fault));
    int64_t hidden = json_get_int(o, "hidden_size", 0, &fault);
    if (fault.text[0])
        return err_set(e, "%s", fault.text);
    return width(hidden, "hidden_size", &h->size[0], e);
}

static int read_shape(const json_t *head, HeadFile *h, Err *e)
{
    json_t *sizes = json_object_get(head, "sizes");
    Err fault = {0};
    const char *act = json_get_str(head, "activation", "", &fault);
    size_t hidden = json_array_size(sizes);
    if (!json_is_array(sizes) || hidden >= HEAD_LAYERS)
        return err_set(e, "head.sizes is no list of at most %d widths", HEAD_LAYERS - 1);
    if (hidden && strcmp(act, "relu") != 0)
        return err_set(e, "activation '%.100s' is not known: relu", act);
    for (size_t i = 0; i < hidden; i++)
        if (width(json_integer_value(json_array_get(sizes, i)), "head.sizes", &h->size[i + 1], e) <
            0)
            return -1;
    h->layers = (int)hidden + 1;
    h->dropout = json_get_real(head, "dropout", 0, &fault);
    return fault.text[0] ? err_set(e, "%s", fault.text) : 0;
}

static int read_outputs(const json_t *config, HeadFile *h, Err *e)
{
    Err fault = {0};
    int64_t labels = json_get_int(config, "num_labels", 0, &fault);
    if (fault.text[0])
        return err_set(e, "%s", fault.text);
    return width(labels, "num_labels", &h->size[h->layers], e);
}

static int read_labels(const json_t *config, HeadFile *h, Err *e)
{
    json_t *names = json_object_get(config, "id2label");
    int64_t n = h->size[h->layers];
    if ((int64_t)json_object_size(names) != n)
        return err_set(e, "id2label does not name num_labels = %lld classes", (long long)n);
    h->label = mem_zero((size_t)n, sizeof *h->label);
    for (int64_t i = 0; i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%lld", (long long)i);
        const char *s = json_string_value(json_object_get(names, key));
        if (!s)
            return err_set(e, "id2label has no name for class %lld", (long long)i);
        h->label[i] = mem_str(s);
    }
    return 0;
}

static int read_config(const json_t *config, HeadFile *h, Err *e)
{
    static const char one[] = "single_label_classification";
    const char *problem = json_get_str(config, "problem_type", one, NULL);
    if (!is_head(config))
        return err_set(e, "model_type is not weft-head");
    if (strcmp(problem, one) != 0)
        return err_set(e, "problem_type '%.100s' is not known: %s", problem, one);
    if (read_encoder(config, h, e) < 0 || read_shape(json_object_get(config, "head"), h, e) < 0 ||
        read_outputs(config, h, e) < 0)
        return -1;
    return read_labels(config, h, e);
}

static float *read_tensor(const StFile *s, int layer, const char *what, int64_t rows, int64_t cols,
                          Err *e)
{
    StView v;
    char name[64];
    snprintf(name, sizeof name, "head.%d.%s", 2 * layer, what);
    if (st_find(s, name, &v) < 0)
        return err_set(e, "it has no tensor %s", name), NULL;
    int rank = cols ? 2 : 1;
    if (v.type != DT_F32 || v.rank != rank || v.shape[0] != rows || (cols && v.shape[1] != cols))
        return err_set(e, "tensor %s is not F32 of config.json's shape", name), NULL;
    float *p = mem_aligned(v.bytes);
    memcpy(p, v.data, v.bytes);
    return p;
}

static int read_weights(const char *folder, const char *name, HeadFile *h, Err *e)
{
    char *path = mem_fmt("%s/%s", folder, name);
    StFile *s = st_open(path, e);
    bool ok = s != NULL;
    for (int i = 0; ok && i < h->layers; i++) {
        h->weight[i] = read_tensor(s, i, "weight", h->size[i + 1], h->size[i], e);
        h->bias[i] = h->weight[i] ? read_tensor(s, i, "bias", h->size[i + 1], 0, e) : NULL;
        ok = h->bias[i] != NULL;
    }
    if (s && !ok)
        err_at(e, "%s", path);
    if (s)
        st_close(s);
    free(path);
    return ok ? 0 : -1;
}

int headfile_load(const char *folder, HeadFile *h, Err *e)
{
    *h = (HeadFile){0};
    json_t *config = jsonfile_load(folder, "config.json", false, e);
    if (!config)
        return -1;
    int status = read_config(config, h, e);
    if (status < 0)
        err_at(e, "%s/config.json", folder);
    json_decref(config);
    if (status == 0)
        status = read_weights(folder, "model.safetensors", h, e);
    if (status < 0)
        headfile_free(h);
    return status;
}

/* ---- beside a model ---- */

int headfile_beside(const char *folder, int64_t width, int64_t outputs, HeadFile *h, Err *e)
{
    *h = (HeadFile){0};
    json_t *config = jsonfile_load(folder, "config.json", false, e);
    const json_t *head = json_object_get(config, "weft_head");
    Err fault = {0};
    int status = !config ? -1 : head != NULL;
    if (status == 1) {
        h->pool = mem_str(json_get_str(head, "pool", "", &fault));
        h->size[0] = width;
        status = fault.text[0] ? err_set(e, "%s", fault.text) : read_shape(head, h, e);
        if (status < 0)
            err_at(e, "%s/config.json: weft_head", folder);
        h->size[h->layers] = outputs;
        if (status == 0)
            status = read_weights(folder, "head.safetensors", h, e) < 0 ? -1 : 1;
    }
    json_decref(config);
    if (status < 0)
        headfile_free(h);
    return status;
}

void headfile_free(HeadFile *h)
{
    for (int64_t i = 0; h->label && i < h->size[h->layers]; i++)
        free(h->label[i]);
    free(h->label);
    for (int i = 0; i < HEAD_LAYERS; i++) {
        free(h->weight[i]);
        free(h->bias[i]);
    }
    free(h->model);
    free(h->encoder);
    free(h->vocab);
    free(h->pool);
    *h = (HeadFile){0};
}
