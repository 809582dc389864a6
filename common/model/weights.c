#include "model/weights.h"

#include "base/mem.h"
#include "store/jsonfile.h"
#include "store/torchfile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Weights {
    StFile *file;
    TorchFile *torch; /* one of the two */
    char *folder, *prefix;
    float **own; /* widened copies */
    int owned;
};

Weights *weights_open(const char *folder, const char *prefix, Err *e)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json",
                                        "pytorch_model.bin", "pytorch_model.bin.index.json"};
    size_t i = 0, all = sizeof names / sizeof *names;
    while (i < all && !file_exists(folder, names[i]))
        i++;
    if (i == all) {
        err_set(e,
                file_exists(folder, "adapter_model.safetensors")
                    ? "%s: adapters alone: train without --lora-only writes the model with them"
                    : "%s: no model.safetensors: no weights there",
                folder);
        return NULL;
    }
    Weights *w = mem_zero(1, sizeof *w);
    char *path = mem_fmt("%s/%s", folder, names[i]);
    if (i < 2)
        w->file = st_open(path, e);
    else
        w->torch = torch_open(path, e);
    free(path);
    w->folder = mem_str(folder);
    w->prefix = mem_str(prefix);
    if (w->file || w->torch)
        return w;
    weights_close(w);
    return NULL;
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
    torch_close(w->torch);
    free(w);
}

int weights_count(const Weights *w)
{
    return w->file ? st_count(w->file) : torch_count(w->torch);
}

StView weights_at(const Weights *w, int i)
{
    return w->file ? st_at(w->file, i) : torch_at(w->torch, i);
}

uint64_t weights_bytes(const Weights *w)
{
    return w->file ? st_bytes(w->file) : torch_bytes(w->torch);
}

static int find_exactly(const Weights *w, const char *name, StView *v)
{
    return w->file ? st_find(w->file, name, v) : torch_find(w->torch, name, v);
}

/* Gives a view that was found its numbers. */
static int bring(const Weights *w, StView *v, Err *e)
{
    return w->file ? 0 : torch_read(w->torch, v, e);
}

/* The name, the name behind the prefix, and the same two by TensorFlow's words for a norm. */
static int find(const Weights *w, const char *name, StView *v)
{
    static const char *const old[2][2] = {{"LayerNorm.weight", "LayerNorm.gamma"},
                                          {"LayerNorm.bias", "LayerNorm.beta"}};
    char *full = mem_fmt("%s%s", w->prefix, name), *older = NULL;
    int r = find_exactly(w, name, v) == 0 || find_exactly(w, full, v) == 0 ? 0 : -1;
    for (int i = 0; i < 2 && r < 0 && !older; i++) {
        size_t n = strlen(full), m = strlen(old[i][0]);
        if (n >= m && strcmp(full + n - m, old[i][0]) == 0)
            older = mem_fmt("%.*s%s", (int)(n - m), full, old[i][1]);
    }
    if (older &&
        (find_exactly(w, older, v) == 0 || find_exactly(w, older + strlen(w->prefix), v) == 0))
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

float *weights_own(Weights *w, size_t n)
{
    w->own = mem_resize(w->own, (size_t)w->owned + 1, sizeof *w->own);
    return w->own[w->owned++] = mem_array(n, sizeof **w->own);
}

static const float *widen(Weights *w, const StView *v, int64_t n)
{
    float *f = weights_own(w, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, (const char *)v->data + 2 * i, sizeof h);
        f[i] = v->type == DT_BF16 ? f32_from_bf16(h) : f32_from_f16(h);
    }
    return f;
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
            err_set(e, "%s: tensor %s is %s, but config.json wants [%lld, %lld]", w->folder, v.name,
                    b.p, (long long)rows, (long long)cols);
        else
            err_set(e, "%s: tensor %s is %s, but config.json wants [%lld]", w->folder, v.name, b.p,
                    (long long)rows);
        free(b.p);
        return NULL;
    }
    if (bring(w, &v, e) < 0)
        return NULL;
    if (v.type == DT_F16 || v.type == DT_BF16)
        return widen(w, &v, n);
    if (v.type != DT_F32) {
        err_set(e, "%s: tensor %s is of type %s: weights are F32, F16 or BF16", w->folder, v.name,
                dtype_name(v.type));
        return NULL;
    }
    if ((uintptr_t)v.data % sizeof(float) == 0)
        return v.data;
    float *f = weights_own(w, (size_t)n);
    memcpy(f, v.data, v.bytes);
    return f;
}

void weights_done(const Weights *w, const float *p, int64_t n)
{
    if (w->file)
        st_done(w->file, p, (size_t)n * sizeof *p);
}

void weights_hash(const Weights *w, const char *name, Hash *h)
{
    enum { SAMPLES = 18, SAMPLE = 64 };
    StView v;
    hash_add(h, name, strlen(name) + 1);
    if (find(w, name, &v) < 0 || bring(w, &v, NULL) < 0)
        return;
    hash_add(h, dtype_name(v.type), strlen(dtype_name(v.type)));
    hash_add(h, v.shape, (size_t)v.rank * sizeof *v.shape);
    if (v.bytes <= SAMPLES * SAMPLE) {
        hash_add(h, v.data, v.bytes);
        return;
    }
    for (size_t i = 0; i < SAMPLES; i++)
        hash_add(h, (const char *)v.data + (v.bytes - SAMPLE) / (SAMPLES - 1) * i, SAMPLE);
    if (w->file) /* looking at a few bytes may have mapped all of it */
        st_done(w->file, v.data, v.bytes);
}
