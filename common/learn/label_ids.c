#include "learn/label_ids.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    const Str *s = &((const Name *)a)->text, *t = &((const Name *)b)->text;
    int d = memcmp(s->p, t->p, s->n < t->n ? s->n : t->n);
    return d ? d : (s->n > t->n) - (s->n < t->n);
}

Naming *naming_new(void)
{
    return mem_zero(1, sizeof(Naming));
}

int32_t naming_id(Naming *n, Str text, const char *place, int64_t row)
{
    Name key = {.text = text};
    Name **found = tfind(&key, &n->tree, by_text);
    if (found)
        return (*found)->id;
    Name *name = mem_zero(1, sizeof *name);
    *name = (Name){.text = {mem_strn(text.p, text.n), text.n}, .id = n->count,
                   .place = mem_str(place), .row = row};
    n->name = mem_resize(n->name, (size_t)n->count + 1, sizeof *n->name);
    n->name[n->count] = name;
    if (!tsearch(name, &n->tree, by_text))
        abort(); /* no memory for three words */
    return n->count++;
}

static void keep(void *node)
{
    (void)node; /* it is freed by id */
}

void naming_free(Naming *n)
{
    if (!n)
        return;
    tdestroy(n->tree, keep);
    for (int32_t i = 0; i < n->count; i++) {
        free((char *)n->name[i]->text.p);
        free(n->name[i]->place);
        free(n->name[i]);
    }
    free(n->name);
    free(n);
}
