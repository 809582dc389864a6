#include "learn/label_ids.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    const Str *s = &((const LabelId *)a)->text, *t = &((const LabelId *)b)->text;
    int d = memcmp(s->p, t->p, s->n < t->n ? s->n : t->n);
    return d ? d : (s->n > t->n) - (s->n < t->n);
}

LabelIds *label_ids_new(void)
{
    return mem_zero(1, sizeof(LabelIds));
}

int32_t label_ids_of(LabelIds *n, Str text, const char *place, int64_t row)
{
    LabelId key = {.text = text};
    LabelId **found = tfind(&key, &n->tree, by_text);
    if (found)
        return (*found)->id;
    LabelId *name = mem_zero(1, sizeof *name);
    *name = (LabelId){.text = {mem_strn(text.p, text.n), text.n},
                      .id = n->count,
                      .place = mem_str(place),
                      .row = row};
    n->name = mem_resize(n->name, (size_t)n->count + 1, sizeof *n->name);
    n->name[n->count] = name;
    mem_got(tsearch(name, &n->tree, by_text), 3 * sizeof(void *)); /* a node of the tree */
    return n->count++;
}

static void keep(void *node)
{
    (void)node; /* it is freed by id */
}

void label_ids_free(LabelIds *n)
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
