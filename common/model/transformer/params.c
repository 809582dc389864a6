#include "model/transformer/params.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const char *const part_names[PARTS] = {"embeddings", "layers", "pooler", "heads"};

int params_add(Params *p, Param a)
{
    if ((p->count & (p->count - 1)) == 0) /* full: room grows by doubling */
        p->param = mem_resize(p->param, (size_t)(p->count ? 2 * p->count : 1), sizeof *p->param);
    a.name = mem_str(a.name);
    p->numbers += param_numbers(&a);
    p->param[p->count] = a;
    return p->count++;
}

void params_place(Params *p)
{
    int64_t at = 0;
    for (int decays = 1; decays >= 0; decays--)
        for (int i = 0; i < p->count; i++)
            if (p->param[i].decays == decays) {
                p->param[i].at = at;
                at += param_numbers(&p->param[i]);
            }
}

int params_find(const Params *p, const char *name, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;
    const char *inner = n && strncmp(name, prefix, n) == 0 ? name + n : name;
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->param[i].name, inner) == 0 || strcmp(p->param[i].name, name) == 0)
            return i;
    return -1;
}

void params_clear(Params *p)
{
    for (int i = 0; i < p->count; i++)
        free(p->param[i].name);
    free(p->param);
    *p = (Params){0};
}
