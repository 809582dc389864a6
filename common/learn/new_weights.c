#include "learn/new_weights.h"

#include "base/mem.h"
#include "base/rand.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static uint64_t name_seed(const char *name, uint64_t seed)
{
    uint64_t h = 0xcbf29ce484222325 ^ seed; /* FNV-1a */
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3;
    return h;
}

/* Box and Muller 1958. */
static double normal(Rand *r)
{
    double u = 1 - rand_unit(r), v = rand_unit(r);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* T5: each matrix by what goes into it. */
static double t5_spread(const Config *c, const Param *a)
{
    double hidden = (double)c->hidden, wide = (double)(c->heads * c->size);
    if (ends_in(a->name, "SelfAttention.q.weight"))
        return c->init / sqrt(hidden * (double)c->size);
    if (ends_in(a->name, "SelfAttention.o.weight"))
        return c->init / sqrt(wide);
    if (ends_in(a->name, "DenseReluDense.wo.weight"))
        return c->init / sqrt((double)c->inner);
    return ends_in(a->name, "shared.weight") || ends_in(a->name, "embed_tokens.weight")
               ? c->init
               : c->init / sqrt(hidden);
}

static double spread_of(const Config *c, const Param *a)
{
    if (c->family->positions == POSITIONS_DISTANCE)
        return t5_spread(c, a);
    if (ends_in(a->name, "c_proj.weight"))
        return c->init / sqrt(2 * (double)c->layers);
    return c->init;
}

static void draw(Transformer *t, int param, uint64_t seed, float *to)
{
    const Config *c = transformer_settings(t);
    const Param *a = &transformer_plan(t)->params.param[param];
    int64_t n = param_numbers(a), pad = plan_padding(transformer_plan(t), c, param);
    Rand r = rand_new(name_seed(a->name, seed));
    bool adapter_b = a->adapter && ends_in(a->name, "lora_B.weight");
    bool stack = strncmp(a->name, "head.", 5) == 0 || a->adapter, bias = ends_in(a->name, "bias");
    /* A stack's bias is drawn as its matrix, which stands before it. */
    double inputs = (double)(a->cols ? a->cols : a[-1].cols);
    double spread = stack ? 1 / sqrt(inputs) : spread_of(c, a);
    for (int64_t i = 0; i < n; i++)
        to[i] = adapter_b            ? 0
                : stack              ? (float)(spread * (2 * rand_unit(&r) - 1))
                : bias               ? 0
                : !a->cols           ? 1
                : i / a->cols == pad ? 0
                                     : (float)(spread * normal(&r));
}

void new_weights(Transformer *t, uint64_t seed)
{
    const Params *all = &transformer_plan(t)->params;
    Device *dev = transformer_device(t);
    for (int i = 0; i < all->count; i++) {
        const Param *a = &all->param[i];
        if (a->waves || (!a->fresh && transformer_has_weights(t)))
            continue;
        float *p = mem_array((size_t)param_numbers(a), sizeof *p);
        draw(t, i, seed, p);
        dev->put(dev, transformer_numbers(t) + a->at, p, (size_t)param_numbers(a) * sizeof *p);
        free(p);
    }
    transformer_renew(t, NULL);
}
