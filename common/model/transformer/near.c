#include "model/transformer/near.h"

#include "base/mem.h"

/* Not infinite: where all keys that are looked at together are far, differences stay numbers. */
static const float far_away = -1e30f;

static float *near_new(const Config *c)
{
    int64_t reach = c->window + 1, wide = 2 * reach + 1;
    if (!c->window)
        return NULL;
    float *t = mem_zero((size_t)(c->heads * wide), sizeof *t);
    for (int64_t h = 0; h < c->heads; h++)
        t[h * wide] = t[h * wide + wide - 1] = far_away;
    return t;
}

int near_hold(const Config *c, Device *dev, float **host, const float **near, Err *e)
{
    size_t bytes = (size_t)(c->heads * (2 * c->window + 3)) * sizeof(float);
    *near = NULL;
    if (!(*host = near_new(c)))
        return 0;
    *near = dev->hold(dev, *host, bytes);
    return *near ? 0 : err_set(e, "out of memory on %s", dev->name);
}
