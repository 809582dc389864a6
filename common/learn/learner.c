#include "learn/learner.h"

#include "base/mem.h"

#include <stdlib.h>

float *learner_bring(const Learner *l, const float *from, int64_t n, Err *e)
{
    char why[256];
    float *to = mem_array((size_t)n + 1, sizeof *to);
    l->dev->get(l->dev, to, from, (size_t)n * sizeof *to);
    if (l->dev->wait(l->dev, why, sizeof why) == 0)
        return to;
    err_set(e, "%s", why);
    free(to);
    return NULL;
}

float *learner_numbers(const Learner *l, Err *e)
{
    return learner_bring(l, l->param, l->params->numbers, e);
}
