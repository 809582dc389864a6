#include "model/weights.h"

#include "base/mem.h"
#include "io/jsonfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Weights {
    StFile *file;
    char *folder, *prefix;
    float **own; /* widened copies */
    int owned;
};

Weights *weights_open(const char *folder, const char *prefix, Err *e)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json"};
    const char *name = NULL;
    for (int i = 0; i < 2 && !name; i++)
        if (file_exists(folder, names[i]))
            name = names[i];
    if (!name) {
        bool old = file_exists(folder, "pytorch_model.bin");
        err_set(e, "%s: no model.safetensors%s", folder,
                old ? " (pytorch_model.bin is not read yet: save it with safe_serialization=True)"
                    : ": no weights there");
        return NULL;
    }
    char *path = mem_fmt("%s/%s", folder, name);
    StFile *file = st_open(path, e);
    free(path);
    if (!file)
        return NULL;
    Weights *w = mem_zero(1, sizeof *w);
    *w = (Weights){.file = file, .folder = mem_str(folder), .prefix = mem_str(prefix)};
    return w;
}

void weights_close(Weights *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->owned; i++)
        free(w->own[i]);
    free(w->own);
    free(w->folder);
    free(w->prefix);
    st_close(w->file);
    free(w);
}

/* The name, the name behind the prefix, and the same two by TensorFlow's words for a norm. */
static int find(const Weights *w, const char *name, StView *v)
{
    static const char *const old[2][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                          {"LayerNorm.bias", "LayerNorm.beta"}};
    char *full = mem_fmt("%s%s", w->prefix, name), *older = NULL;
    int r = st_find(w->file, name, v) == 0 || st_find(w->file, full, v) == 0 ? 0 : -1;
    for (int i = 0; i < 2 && r < 0 && !older; i++) {
        size_t n = strlen(full), m = strlen(old[i][0]);
        if (n >= m && strcmp(full + n - m, old[i][0]) == 0)
            older = mem_fmt("%.*s%s", (int)(n - m), full, old[i][1]);
    }
    if (older && (st_find(w->file, older, v) == 0 ||
                  st_find(w->file, older + strlen(w->prefix), v) == 0))
        r = 0;
    free(full);
    free(older);
    return r;
}

bool weights_has(const Weights *w, const char *name)
{
    StView v;
    return find(w, name, &v) == 0;
}

static void shape_text(const StView *v, Buf *b)
{
    buf_str(b, "[");
    for (int i = 0; i < v->rank; i++)
        buf_fmt(b, "%s%lld", i ? ", " : "", (long long)v->shape[i]);
    buf_str(b, "]");
    buf_add(b, "", 1);
}

static const float *widen(Weights *w, const StView *v, int64_t n)
{
    float *f = mem_array((size_t)n, sizeof *f);
    for (int64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, (const char *)v->data + 2 * i, sizeof h);
        f[i] = v->type == DT_BF16 ? f32_from_bf16(h) : f32_from_f16(h);
    }
    w->own = mem_resize(w->own, (size_t)w->owned + 1, sizeof *w->own);
    return w->own[w->owned++] = f;
}

const float *weights_get(Weights *w, const char *name, int64_t rows, int64_t cols, Err *e)
{
    StView v;
    int rank = cols ? 2 : 1;
    int64_t n = rows * (cols ? cols : 1);
    if (find(w, name, &v) < 0) {
        err_set(e, "%s: no tensor %s (nor %s%s): is it another architecture?", w->folder, name,
                w->prefix, name);
        return NULL;
    }
    if (v.rank != rank || v.shape[0] != rows || (cols && v.shape[1] != cols)) {
        Buf b = {0};
        shape_text(&v, &b);
        if (cols)
            err_set(e, "%s: tensor %s is %s, but config.json wants [%lld, %lld]", w->folder,
                    v.name, b.p, (long long)rows, (long long)cols);
        else
            err_set(e, "%s: tensor %s is %s, but config.json wants [%lld]", w->folder, v.name,
                    b.p, (long long)rows);
        free(b.p);
        return NULL;
    }
    if (v.type == DT_F16 || v.type == DT_BF16)
        return widen(w, &v, n);
    if (v.type != DT_F32) {
        err_set(e, "%s: tensor %s is of type %s: weights are F32, F16 or BF16", w->folder,
                v.name, dtype_name(v.type));
        return NULL;
    }
    if ((uintptr_t)v.data % sizeof(float) == 0)
        return v.data;
    float *f = mem_array((size_t)n, sizeof *f);
    memcpy(f, v.data, v.bytes);
    w->own = mem_resize(w->own, (size_t)w->owned + 1, sizeof *w->own);
    return w->own[w->owned++] = f;
}

void weights_hash(const Weights *w, const char *name, Hash *h)
{
    enum { SAMPLES = 18, SAMPLE = 64 };
    StView v;
    hash_add(h, name, strlen(name) + 1);
    if (find(w, name, &v) < 0)
        return;
    hash_add(h, dtype_name(v.type), strlen(dtype_name(v.type)));
    hash_add(h, v.shape, (size_t)v.rank * sizeof *v.shape);
    if (v.bytes <= SAMPLES * SAMPLE) {
        hash_add(h, v.data, v.bytes);
        return;
    }
    for (size_t i = 0; i < SAMPLES; i++)
        hash_add(h, (const char *)v.data + (v.bytes - SAMPLE) / (SAMPLES - 1) * i, SAMPLE);
}
