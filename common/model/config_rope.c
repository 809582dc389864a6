#include "model/config_in.h"

#include "store/jsonfile.h"

#include <string.h>

static double number(const json_t *j, const char *key, double other, Err *e)
{
    double x = json_get_real(j, key, other, e);
    if (!e->text[0] && !(x > 0))
        err_set(e, "%s is to be more than 0", key);
    return x;
}

/* rope_scaling, or what transformers 5 writes in its place. */
static int read_scaling(Config *c, const json_t *s, const char *key, Err *e)
{
    Rope *r = &c->rope;
    const char *kind = json_get_str(s, "rope_type", json_get_str(s, "type", "default", e), e);
    if (e->text[0])
        return -1;
    if (strcmp(kind, "default") == 0)
        return 0;
    if (strcmp(kind, "linear") != 0 && strcmp(kind, "llama3") != 0)
        return err_set(e, "%s of type '%.40s' is not supported (default, linear and llama3 are)",
                       key, kind);
    r->kind = kind[1] == 'i' ? ROPE_LINEAR : ROPE_LLAMA3;
    r->factor = number(s, "factor", 1, e);
    if (r->kind == ROPE_LINEAR)
        return e->text[0] ? -1 : 0;
    r->low = number(s, "low_freq_factor", 1, e);
    r->high = number(s, "high_freq_factor", 4, e);
    r->length = json_get_int(s, "original_max_position_embeddings", c->positions, e);
    if (!e->text[0] && (r->length < 1 || r->high <= r->low))
        return err_set(e,
                       "%s: high_freq_factor is to be more than low_freq_factor, and "
                       "original_max_position_embeddings at least 1",
                       key);
    return e->text[0] ? -1 : 0;
}

int config_rope(Config *c, const json_t *j, Err *e)
{
    const Keys *k = c->family->keys;
    if (c->family->positions != POSITIONS_ROTARY)
        return 0;
    const json_t *scaling = json_object_get(j, "rope_scaling");
    const json_t *all = json_object_get(j, "rope_parameters");
    const char *key = json_is_object(all) ? "rope_parameters" : "rope_scaling";
    c->rope.base = number(j, k->base.name, k->base.other, e);
    if (k->near_base.name)
        c->rope.near_base = number(j, k->near_base.name, k->near_base.other, e);
    if (json_is_object(all)) {
        const char *name;
        json_t *v;
        json_object_foreach((json_t *)all, name, v)
            if (json_is_object(v))
                return err_set(e, "rope_parameters by kind of layer ('%.40s') is not supported",
                               name);
        c->rope.base = number(all, "rope_theta", c->rope.base, e);
        scaling = all;
    }
    if (e->text[0] || (json_is_object(scaling) && read_scaling(c, scaling, key, e) < 0))
        return -1;
    if (json_get_real(j, "partial_rotary_factor", 1, e) != 1)
        return e->text[0] ? -1 : err_set(e, "partial_rotary_factor is not supported: only 1");
    c->turned = c->size;
    if (c->size % 2)
        return err_set(e, "heads of %lld columns, which cannot be turned: they are to be even",
                       (long long)c->size);
    return 0;
}

/* Every layer's kind, where it is said, must be `one`. */
static int check_kinds(const json_t *j, const char *one, Err *e)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(j, "layer_types"), i, v) {
        const char *kind = json_is_string(v) ? json_string_value(v) : "";
        if (strcmp(kind, one) != 0)
            return err_set(e, "layer_types with '%.40s' is not supported: only %s", kind, one);
    }
    return 0;
}

int config_window(Config *c, const json_t *j, Err *e)
{
    const Key *k = &c->family->keys->window;
    if (c->family->positions != POSITIONS_ROTARY)
        return 0;
    if (json_get_bool(j, "use_sliding_window", false, e) || e->text[0])
        return e->text[0] ? -1 : err_set(e, "use_sliding_window true is not supported");
    if (!k->name)
        return check_kinds(j, "full_attention", e);
    const json_t *said = json_object_get(j, k->name);
    int64_t n = said && json_is_null(said) ? 0 : json_get_int(j, k->name, k->other, e);
    if (e->text[0])
        return -1;
    if (n < 0 || n > 1 << 24)
        return err_set(e, "%s %lld is out of range: 0 to %d", k->name, (long long)n, 1 << 24);
    if (c->causal) /* so many keys, the query's own among them */
        c->window = n > 1 && n < c->positions ? n - 1 : 0;
    else { /* half before, half behind */
        c->window = n / 2;
        c->every = json_get_int(j, "global_attn_every_n_layers", 3, e);
        if (!e->text[0] && c->every < 1)
            return err_set(e, "global_attn_every_n_layers %lld is to be at least 1",
                           (long long)c->every);
    }
    return e->text[0] ? -1 : 0;
}

bool config_near(const Config *c, int64_t layer)
{
    return c->window && (!c->every || layer % c->every);
}
