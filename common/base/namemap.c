#include "base/namemap.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct Entry {
    Str name;
    int64_t number;
    char copy[]; /* of the name */
} Entry;

static int by_name(const void *a, const void *b)
{
    const Str *s = &((const Entry *)a)->name, *t = &((const Entry *)b)->name;
    if (s->n != t->n)
        return s->n < t->n ? -1 : 1;
    return s->n ? memcmp(s->p, t->p, s->n) : 0;
}

static Entry *find(const NameMap *m, Str name)
{
    Entry **at = tfind(&(Entry){.name = name}, &m->root, by_name);
    return at ? *at : NULL;
}

int64_t *namemap_at(NameMap *m, Str name, bool *fresh)
{
    Entry *en = find(m, name);
    *fresh = !en;
    if (!en) {
        en = mem_alloc(sizeof *en + name.n);
        *en = (Entry){.name = str_of(en->copy, name.n)};
        if (name.n)
            memcpy(en->copy, name.p, name.n);
        mem_got(tsearch(en, &m->root, by_name), 3 * sizeof(void *));
    }
    return &en->number;
}

bool namemap_has(const NameMap *m, Str name)
{
    return find(m, name) != NULL;
}

void namemap_free(NameMap *m)
{
    tdestroy(m->root, free);
    m->root = NULL;
}
