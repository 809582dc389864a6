#include "model/head/pooling.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[POOL_NONE] = {"mean", "cls", "max", "last", "pooler"};
static const char *const normalized[POOL_NONE] = {
    "mean,normalize", "cls,normalize", "max,normalize", "last,normalize", "pooler,normalize"};

const char *pooling_name(Pooling p)
{
    return p.normalize ? normalized[p.kind] : names[p.kind];
}

int pooling_parse(const char *name, Pooling *p, Err *e)
{
    for (int i = 0; i < POOL_NONE; i++)
        for (int n = 0; n < 2; n++)
            if (strcmp(name, n ? normalized[i] : names[i]) == 0) {
                *p = (Pooling){(PoolKind)i, n};
                return 0;
            }
    return err_set(e, "pooling '%s' is not one that weft knows (mean, cls, max, last, pooler)",
                   name);
}

/* The Pooling module's own configuration: exactly one mode is on. */
static int read_module(const char *folder, const char *path, Pooling *p, Err *e)
{
    static const struct {
        const char *key;
        PoolKind kind;
    } modes[] = {{"pooling_mode_mean_tokens", POOL_MEAN},
                 {"pooling_mode_cls_token", POOL_CLS},
                 {"pooling_mode_max_tokens", POOL_MAX},
                 {"pooling_mode_lasttoken", POOL_LAST},
                 {"pooling_mode_mean_sqrt_len_tokens", POOL_NONE},
                 {"pooling_mode_weightedmean_tokens", POOL_NONE}};
    char *name = mem_fmt("%s/config.json", path);
    json_t *j = jsonfile_load(folder, name, false, e);
    int on = 0, r = j ? 0 : -1;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && r == 0; i++) {
        if (!json_get_bool(j, modes[i].key, false, e))
            continue;
        on++;
        p->kind = modes[i].kind;
        if (p->kind == POOL_NONE)
            r = err_set(e, "%s/%s: %s is not supported: choose one of --mean --cls --max --last",
                        folder, name, modes[i].key);
    }
    if (r == 0 && on != 1)
        r = err_set(e,
                    "%s/%s: %d pooling modes at a time: choose one of --mean --cls --max "
                    "--last",
                    folder, name, on);
    json_decref(j);
    free(name);
    return r;
}

static int read_modules(const char *folder, const json_t *modules, Pooling *p, Err *e)
{
    size_t i;
    const json_t *m;
    p->kind = POOL_NONE;
    json_array_foreach(modules, i, m) {
        const char *type = json_get_str(m, "type", "", e);
        const char *kind = strrchr(type, '.') ? strrchr(type, '.') + 1 : type;
        if (strcmp(kind, "Pooling") == 0) {
            if (read_module(folder, json_get_str(m, "path", "", e), p, e) < 0)
                return -1;
        } else if (strcmp(kind, "Normalize") == 0) {
            p->normalize = true;
        } else if (strcmp(kind, "Transformer") != 0) {
            return err_set(e,
                           "%s/modules.json: module '%s' is not supported (Transformer, "
                           "Pooling and Normalize are)",
                           folder, type);
        }
    }
    return 0;
}

int pooling_default(const char *folder, const Config *c, const Weights *w, Pooling *p, Err *e)
{
    *p = (Pooling){.kind = POOL_NONE};
    Err why = {0};
    json_t *modules = jsonfile_load(folder, "modules.json", true, &why);
    int r = why.text[0] ? err_set(e, "%s", why.text) : 0;
    if (modules)
        r = read_modules(folder, modules, p, e);
    json_decref(modules);
    if (r < 0 || p->kind != POOL_NONE)
        return r;
    if (pooling_parse(c->family->pool, p, e) < 0)
        return -1;
    char *name = mem_fmt("%s.weight", c->family->pooler ? c->family->pooler : "");
    if (p->kind == POOL_POOLER && !weights_has(w, name))
        p->kind = POOL_CLS;
    free(name);
    return 0;
}

struct Pooler {
    Pooling pooling;
    Device *dev;
    Weight *dense; /* POOL_POOLER's */
    float *gamma;  /* device: 1/sqrt(cols), with which the RMS norm is the length's */
    int64_t gamma_cols;
};

Pooler *pooler_new(Pooling pooling, Device *dev, const Config *c, Weights *w, Err *e)
{
    Pooler *p = mem_zero(1, sizeof *p);
    p->pooling = pooling;
    p->dev = dev;
    if (pooling.kind != POOL_POOLER)
        return p;
    if (!c->family->pooler) {
        err_set(e, "a %s model has no pooler: choose one of --mean --cls --max --last",
                c->family->type);
        goto fail;
    }
    char weight[128], bias[128];
    snprintf(weight, sizeof weight, "%s.weight", c->family->pooler);
    snprintf(bias, sizeof bias, "%s.bias", c->family->pooler);
    const float *m = weights_get(w, weight, c->hidden, c->hidden, e);
    const float *b = m ? weights_get(w, bias, c->hidden, 0, e) : NULL;
    if (!b)
        goto fail;
    View part = view_of((void *)(uintptr_t)m, K_F32, c->hidden, c->hidden);
    p->dense = dev->pack(dev, &part, &b, 1, false, K_F32);
    if (!p->dense) {
        err_set(e, "out of memory on %s", dev->name);
        goto fail;
    }
    return p;
fail:
    pooler_free(p);
    return NULL;
}

void pooler_free(Pooler *p)
{
    if (!p)
        return;
    p->dev->unpack(p->dev, p->dense);
    p->dev->free(p->dev, p->gamma);
    free(p);
}

typedef struct Run {
    Pooler *p;
    View hidden, out; /* device */
    const int64_t *starts, *index;
    const float *weight;
} Run;

static void stage(Piece *p, void *ctx)
{
    const Run *u = ctx;
    Pooling how = u->p->pooling;
    View y = view_rows(u->out, p->lo, p->hi);
    if (how.kind == POOL_MAX)
        p->dev->segmax(p, &(Segmax){.x = u->hidden, .y = y, .starts = u->starts + p->lo});
    else if (how.kind == POOL_MEAN)
        p->dev->gather(p, &(Gather){.x = u->hidden,
                                    .y = y,
                                    .starts = u->starts + p->lo,
                                    .weight = u->weight + p->lo});
    else
        p->dev->gather(p, &(Gather){.x = u->hidden, .y = y, .index = u->index + p->lo});
    if (how.kind == POOL_POOLER) {
        View t = temp_view(p, K_F32, y.rows, y.cols);
        p->dev->mix(p, &(Mix){.x = y, .y = t, .a = 1});
        p->dev->linear(p, &(Linear){.x = t, .w = u->p->dense, .y = y, .act = ACT_TANH});
    }
    /* x / |x| is an RMS norm without its root of cols; the zero vector stays zero. */
    if (how.normalize)
        p->dev->norm(p, &(Norm){.x = y, .y = y, .gamma = u->p->gamma, .eps = 1e-24f, .rms = true});
}

static int set_gamma(Pooler *p, int64_t cols, Err *e)
{
    if (p->gamma && p->gamma_cols == cols)
        return 0;
    size_t bytes = (size_t)cols * sizeof(float);
    float *host = mem_alloc(bytes);
    for (int64_t i = 0; i < cols; i++)
        host[i] = 1.0f / __builtin_sqrtf((float)cols);
    p->dev->free(p->dev, p->gamma);
    p->gamma = p->dev->alloc(p->dev, bytes);
    p->gamma_cols = cols;
    if (p->gamma)
        p->dev->put(p->dev, p->gamma, host, bytes);
    free(host);
    return p->gamma ? 0 : err_set(e, "out of memory on %s", p->dev->name);
}

/* Host arrays beside the rows: which token is picked, and one over the length. */
static int plan(const Pooler *p, const PoolIn *in, int64_t *index, float *weight, Err *e)
{
    bool picks = p->pooling.kind != POOL_MEAN && p->pooling.kind != POOL_MAX;
    for (int64_t r = 0; r < in->rows; r++) {
        int64_t from = in->starts[r], to = in->starts[r + 1];
        if (picks && from == to) {
            e->row = r + 1;
            return err_set(e, "no tokens to take the %s one of", names[p->pooling.kind]);
        }
        index[r] = p->pooling.kind == POOL_LAST ? to - 1 : from;
        weight[r] = from == to ? 0.0f : 1.0f / (float)(to - from);
    }
    return 0;
}

static int run(Run *u, const PoolIn *in, float *out, Err *e)
{
    Device *d = u->p->dev;
    size_t bytes = (size_t)(in->rows * in->hidden.cols) * sizeof *out;
    char why[256];
    void *y = d->alloc(d, bytes);
    if (!y || !u->hidden.p || !u->starts || !u->index || !u->weight) {
        d->free(d, y);
        return err_set(e, "out of memory on %s", d->name);
    }
    u->out = view_of(y, K_F32, in->rows, in->hidden.cols);
    d->each(d, EACH_ROWS, &(Batch){.tokens = in->rows}, stage, u);
    d->get(d, out, y, bytes);
    int r = d->wait(d, why, sizeof why);
    d->free(d, y);
    return r < 0 ? err_set(e, "%s", why) : 0;
}

int pooler_run(Pooler *p, const PoolIn *in, float *out, Err *e)
{
    Device *d = p->dev;
    View x = in->hidden;
    size_t n = (size_t)in->rows;
    int64_t *index = mem_array(n, sizeof *index);
    float *weight = mem_array(n, sizeof *weight);
    int r = plan(p, in, index, weight, e);
    if (r == 0 && p->pooling.normalize)
        r = set_gamma(p, x.cols, e);
    if (r == 0) {
        Run u = {.p = p, .hidden = x};
        u.hidden.p =
            (void *)(uintptr_t)d->hold(d, x.p, (size_t)(x.rows * x.cols) * ktype_size(x.type));
        u.starts = d->hold(d, in->starts, (n + 1) * sizeof *in->starts);
        u.index = d->hold(d, index, n * sizeof *index);
        u.weight = d->hold(d, weight, n * sizeof *weight);
        r = run(&u, in, out, e);
        d->release(d, u.hidden.p);
        d->release(d, u.starts);
        d->release(d, u.index);
        d->release(d, u.weight);
    }
    free(index);
    free(weight);
    return r;
}
