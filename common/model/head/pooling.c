#include "model/head/pooling.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char past[] = ",past-prompt";
static const char *const names[POOL_NONE] = {"mean",   "cls",  "max",     "last",
                                             "pooler", "sqrt", "weighted"};

bool pooling_has(const Pooling *p, PoolKind kind)
{
    for (int i = 0; i < p->joins; i++)
        if (p->joined[i] == kind)
            return true;
    return p->kind == kind;
}

const char *pooling_name(Pooling *p)
{
    int n = snprintf(p->name, sizeof p->name, "%s", names[p->kind]);
    for (int i = 0; i < p->joins; i++)
        n += snprintf(p->name + n, sizeof p->name - (size_t)n, "+%s", names[p->joined[i]]);
    snprintf(p->name + n, sizeof p->name - (size_t)n, "%s%s%s", p->past_prompt ? past : "", p->tail,
             p->normalize ? ",normalize" : "");
    return p->name;
}

static int add_kind(Pooling *p, PoolKind kind)
{
    if (p->kind != POOL_NONE && (pooling_has(p, kind) || p->joins == POOL_NONE))
        return -1;
    if (p->kind == POOL_NONE)
        p->kind = kind;
    else
        p->joined[p->joins++] = kind;
    return 0;
}

/* One of the ways, of n bytes; POOL_NONE: none of them. */
static PoolKind find_kind(const char *name, size_t n)
{
    PoolKind k = POOL_MEAN;
    while (k < POOL_NONE && (strlen(names[k]) != n || memcmp(names[k], name, n) != 0))
        k++;
    return k;
}

int pooling_parse(const char *name, Pooling *p, Err *e)
{
    static const char last[] = ",normalize";
    const char *tail = name + strcspn(name, ","), *at = name;
    *p = (Pooling){.kind = POOL_NONE};
    for (size_t n; at <= tail; at += n + 1) {
        n = strcspn(at, "+,");
        PoolKind kind = find_kind(at, n);
        if (kind == POOL_NONE || add_kind(p, kind) < 0)
            return err_set(e, "pooling '%s' is not one that weft knows", name);
    }
    p->past_prompt = strncmp(tail, past, sizeof past - 1) == 0;
    tail += p->past_prompt ? sizeof past - 1 : 0;
    p->normalize = strcmp(tail, last) == 0;
    p->modules = *tail && !p->normalize;
    if (p->modules && (strlen(tail) >= sizeof p->tail || strncmp(tail, ",", 1) != 0))
        return err_set(e, "pooling '%s' is not one that weft knows", name);
    if (p->modules)
        snprintf(p->tail, sizeof p->tail, "%s", tail);
    return 0;
}

/* ---- what a folder says ---- */

/* The ways as sentence-transformers calls them, in the order in which flags of old join them. */
static const struct {
    const char *name, *flag;
    PoolKind kind;
} modes[] = {
    {"cls", "pooling_mode_cls_token", POOL_CLS},
    {"max", "pooling_mode_max_tokens", POOL_MAX},
    {"mean", "pooling_mode_mean_tokens", POOL_MEAN},
    {"mean_sqrt_len_tokens", "pooling_mode_mean_sqrt_len_tokens", POOL_SQRT},
    {"weightedmean", "pooling_mode_weightedmean_tokens", POOL_WEIGHTED},
    {"lasttoken", "pooling_mode_lasttoken", POOL_LAST},
};
enum { MODES = sizeof modes / sizeof *modes };

static int add_mode(Pooling *p, const json_t *name, Err *e)
{
    const char *s = json_is_string(name) ? json_string_value(name) : "";
    for (int i = 0; i < MODES; i++)
        if (strcmp(modes[i].name, s) == 0 && add_kind(p, modes[i].kind) == 0)
            return 0;
    return err_set(e, "pooling_mode '%s' is not supported, or there twice", s);
}

static int read_modes(const json_t *j, Pooling *p, Err *e)
{
    const json_t *mode = json_object_get(j, "pooling_mode"), *one;
    size_t i;
    if (json_is_string(mode))
        return add_mode(p, mode, e);
    if (json_is_array(mode)) {
        json_array_foreach(mode, i, one) {
            if (add_mode(p, one, e) < 0)
                return -1;
        }
    } else if (mode) {
        return err_set(e, "pooling_mode is neither a name nor a list of names");
    }
    for (int k = 0; k < MODES && !mode; k++)
        if (json_get_bool(j, modes[k].flag, false, e))
            add_kind(p, modes[k].kind);
    if (!e->text[0] && p->kind == POOL_NONE)
        p->kind = POOL_MEAN;
    return e->text[0] ? -1 : 0;
}

static int read_pooling(const Module *m, const Config *c, Pooling *p, Err *e)
{
    Err why = {0};
    json_t *j = jsonfile_load(m->path, "config.json", false, e);
    if (!j)
        return -1;
    const char *key = json_object_get(j, "embedding_dimension") ? "embedding_dimension"
                                                                : "word_embedding_dimension";
    int64_t wide = json_get_int(j, key, c->hidden, &why);
    p->past_prompt = !json_get_bool(j, "include_prompt", true, &why);
    if (!why.text[0] && wide != c->hidden)
        err_set(&why, "%s %lld, but the model's hidden states have %lld", key, (long long)wide,
                (long long)c->hidden);
    if (!why.text[0])
        read_modes(j, p, &why);
    json_decref(j);
    return why.text[0] ? err_set(e, "%s/config.json: %s", m->path, why.text) : 0;
}

/* A list that ends with Normalize, or with the Pooling itself, needs none of its weights. */
static int read_modules(const char *home, const Modules *all, const Config *c, Pooling *p, Err *e)
{
    bool pooled = all->count && all->module[0].kind == MODULE_STATIC;
    char tail[POOL_NAME] = "";
    size_t n = 0;
    for (int i = 1; i < all->count; i++) {
        const Module *m = &all->module[i];
        if (m->kind == MODULE_POOLING && pooled)
            return err_set(e, "%s/modules.json: two Pooling modules", home);
        if (m->kind == MODULE_POOLING && read_pooling(m, c, p, e) < 0)
            return -1;
        if (!pooled && m->kind != MODULE_POOLING && m->kind != MODULE_NOTHING)
            return err_set(e, "%s/modules.json: no Pooling before the other modules", home);
        pooled = pooled || m->kind == MODULE_POOLING;
        const char *done = m->kind == MODULE_DENSE        ? ",dense"
                           : m->kind == MODULE_LAYER_NORM ? ",norm"
                           : m->kind == MODULE_NORMALIZE  ? ",normalize"
                                                          : "";
        p->modules = p->modules || m->kind == MODULE_DENSE || m->kind == MODULE_LAYER_NORM;
        if (n + strlen(done) < sizeof p->tail)
            n += (size_t)snprintf(tail + n, sizeof tail - n, "%s", done);
    }
    if (p->modules)
        snprintf(p->tail, sizeof p->tail, "%s", tail);
    else
        p->normalize = n > 0;
    return 0;
}

int pooling_of_bag(const char *home, bool normalize, Pooling *p, Err *e)
{
    Modules all;
    *p = (Pooling){.kind = POOL_MEAN};
    int r = modules_read(home, &all, e);
    if (r == 0)
        r = read_modules(home, &all, NULL, p, e);
    modules_clear(&all);
    if (normalize && !strstr(p->tail, ",normalize"))
        p->normalize = true;
    return r;
}

int pooling_default(const char *home, const Config *c, const Weights *w, Pooling *p, Err *e)
{
    Modules all;
    *p = (Pooling){.kind = POOL_NONE};
    int r = modules_read(home, &all, e);
    if (r == 0)
        r = read_modules(home, &all, c, p, e);
    modules_clear(&all);
    if (r < 0 || p->kind != POOL_NONE)
        return r;
    bool normalize = p->normalize;
    if (pooling_parse(c->family->pool, p, e) < 0)
        return -1;
    p->normalize = normalize;
    char *name = mem_fmt("%s.weight", c->family->pooler ? c->family->pooler : "");
    if (p->kind == POOL_POOLER && !weights_has(w, name))
        p->kind = POOL_CLS;
    free(name);
    return 0;
}
