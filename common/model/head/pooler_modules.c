/* pooler_modules.c - Dense, LayerNorm and Normalize of a sentence-transformers folder. */
#include "model/head/pooler_in.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

/* torch.nn's activations, by the last word of their names. */
static const struct {
    const char *class;
    Act act;
} acts[] = {
    {"Identity", ACT_NONE}, {"Tanh", ACT_TANH}, {"ReLU", ACT_RELU},
    {"GELU", ACT_GELU},     {"SiLU", ACT_SILU},
};

static int read_act(PoolStep *s, const json_t *j, Err *e)
{
    const char *name = json_get_str(j, "activation_function", "torch.nn.Tanh", e);
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; i < sizeof acts / sizeof *acts && !e->text[0]; i++)
        if (dot && strncmp(name, "torch.", 6) == 0 && strcmp(dot + 1, acts[i].class) == 0) {
            s->act = acts[i].act;
            return 0;
        }
    return e->text[0] ? -1
                      : err_set(e,
                                "activation_function '%s' is not supported (Identity, Tanh, "
                                "ReLU, GELU and SiLU of torch.nn are)",
                                name);
}

static float *put(Device *d, const float *host, int64_t n, Err *e)
{
    float *p = d->alloc(d, (size_t)n * sizeof *p);
    if (p)
        d->put(d, p, host, (size_t)n * sizeof *p);
    else
        err_set(e, "out of memory on %s", d->name);
    return p;
}

float *pooler_fill(Device *d, int64_t n, float x, Err *e)
{
    float *host = mem_array((size_t)n, sizeof *host);
    for (int64_t i = 0; i < n; i++)
        host[i] = x;
    float *p = put(d, host, n, e);
    free(host);
    return p;
}

static int pack(Device *d, Weights *w, const char *name, PoolStep *s, const float *bias,
                bool residual, Err *e)
{
    const float *m = weights_get(w, name, s->out, s->in, e);
    if (!m)
        return -1;
    View part = view_of((void *)(uintptr_t)m, K_F32, s->out, s->in);
    Weight **to = residual ? &s->residual : &s->dense;
    *to = d->pack(d, &part, bias ? &bias : NULL, 1, false, K_F32);
    return *to ? 0 : err_set(e, "out of memory on %s", d->name);
}

/* Only the sentence's vector is read and written. */
static int check_name(const json_t *j, const char *key, Err *e)
{
    const char *name = json_get_str(j, key, "sentence_embedding", e);
    if (!e->text[0] && strcmp(name, "sentence_embedding") != 0)
        err_set(e, "%s '%s' is not supported: sentence_embedding is", key, name);
    return e->text[0] ? -1 : 0;
}

static int read_dense(Pooler *p, PoolStep *s, const char *folder, const json_t *j, Err *e)
{
    int64_t in = json_get_int(j, "in_features", -1, e),
            out = json_get_int(j, "out_features", -1, e);
    bool biased = json_get_bool(j, "bias", true, e),
         adds = json_get_bool(j, "use_residual", false, e);
    if (e->text[0] || read_act(s, j, e) < 0)
        return -1;
    if (in != s->in || out < 1 || out > 1 << 20)
        return err_set(e,
                       "in_features %lld and out_features %lld, but the vectors have %lld numbers",
                       (long long)in, (long long)out, (long long)s->in);
    s->out = out;
    s->adds = adds && in == out;
    Weights *w = weights_open(folder, "", e);
    const float *bias = w && biased ? weights_get(w, "linear.bias", out, 0, e) : NULL;
    if (w && (bias || !biased))
        pack(p->dev, w, "linear.weight", s, bias, false, e);
    if (s->dense && adds && !s->adds)
        pack(p->dev, w, "residual.weight", s, NULL, true, e);
    weights_close(w);
    return e->text[0] ? -1 : 0;
}

static int read_norm(Pooler *p, PoolStep *s, const char *folder, const json_t *j, Err *e)
{
    int64_t wide = json_get_int(j, "dimension", -1, e);
    if (!e->text[0] && wide != s->in)
        err_set(e, "dimension %lld, but the vectors have %lld numbers", (long long)wide,
                (long long)s->in);
    Weights *w = e->text[0] ? NULL : weights_open(folder, "", e);
    const float *gamma = w ? weights_get(w, "norm.weight", wide, 0, e) : NULL;
    const float *beta = gamma ? weights_get(w, "norm.bias", wide, 0, e) : NULL;
    if (beta && (s->gamma = put(p->dev, gamma, wide, e)))
        s->beta = put(p->dev, beta, wide, e);
    weights_close(w);
    return e->text[0] ? -1 : 0;
}

static int add_step(Pooler *p, const Module *m, int64_t in, Err *e)
{
    p->step = mem_resize(p->step, (size_t)p->steps + 1, sizeof *p->step);
    PoolStep *s = &p->step[p->steps++];
    *s = (PoolStep){.kind = m->kind, .in = in, .out = in};
    /* Normalize has had none, or one that says which vector it is about. */
    json_t *j = jsonfile_load(m->path, "config.json", m->kind == MODULE_NORMALIZE, e);
    if (!e->text[0] &&
        (check_name(j, "module_input_name", e) < 0 || check_name(j, "module_output_name", e) < 0))
        err_at(e, "%s/config.json", m->path);
    if (!e->text[0] && m->kind == MODULE_DENSE && read_dense(p, s, m->path, j, e) < 0)
        err_at(e, "%s", m->path);
    if (!e->text[0] && m->kind == MODULE_LAYER_NORM && read_norm(p, s, m->path, j, e) < 0)
        err_at(e, "%s", m->path);
    if (!e->text[0] && m->kind == MODULE_NORMALIZE)
        s->gamma = pooler_fill(p->dev, in, 1.0f / __builtin_sqrtf((float)in), e);
    json_decref(j);
    return e->text[0] ? -1 : 0;
}

int pooler_add_modules(Pooler *p, const char *home, int64_t cols, Err *e)
{
    Modules all;
    int r = modules_read(home, &all, e);
    bool pooled = all.count && all.module[0].kind == MODULE_STATIC;
    for (int i = 0; i < all.count && r == 0; i++) {
        const Module *m = &all.module[i];
        if (pooled && i && m->kind != MODULE_NOTHING)
            r = add_step(p, m, cols, e);
        pooled = pooled || m->kind == MODULE_POOLING;
        cols = p->steps ? p->step[p->steps - 1].out : cols;
    }
    modules_clear(&all);
    return r;
}
