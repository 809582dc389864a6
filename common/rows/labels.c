#include "rows/labels.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int find(char **list, int n, Str s)
{
    for (int i = 0; i < n; i++)
        if (strlen(list[i]) == s.n && memcmp(list[i], s.p, s.n) == 0)
            return i;
    return -1;
}

int labels_parse(Labels *l, const char *given, Err *e)
{
    for (const char *p = given;; p++) {
        size_t n = strcspn(p, ","), raw = strcspn(p, "=,");
        size_t name = raw < n ? raw + 1 : 0; /* where the name begins */
        if (!raw || name == n)
            return err_set(e, "'%s' has an empty name: write A,B or 0=A,4=B", given);
        if (find(l->raw, l->count, str_of(p, raw)) >= 0)
            return err_set(e, "'%.*s' is there twice", (int)raw, p);
        l->raw = mem_resize(l->raw, (size_t)l->count + 1, sizeof *l->raw);
        l->name = mem_resize(l->name, (size_t)l->count + 1, sizeof *l->name);
        l->raw[l->count] = mem_strn(p, raw);
        l->name[l->count++] = mem_strn(p + name, n - name);
        p += n;
        if (!*p)
            return 0;
    }
}

int labels_name(const Labels *l, Str raw, Str *name, Err *e)
{
    *name = raw;
    if (!l->count || !raw.n)
        return 0;
    int i = find(l->raw, l->count, raw);
    if (i >= 0) {
        *name = str_of(l->name[i], strlen(l->name[i]));
        return 0;
    }
    Buf all = {0};
    for (int k = 0; k < l->count; k++)
        buf_fmt(&all, "%s%s", k ? ", " : "", l->raw[k]);
    err_set(e, "label '%.*s' is not one of %.*s", (int)(raw.n < 100 ? raw.n : 100), raw.p,
            (int)all.n, all.p);
    free(all.p);
    return -1;
}

char *labels_json(const Labels *l)
{
    json_t *list = json_array();
    for (int i = 0; i < l->count; i++)
        if (find(l->name, i, str_of(l->name[i], strlen(l->name[i]))) < 0)
            json_array_append_new(list, json_string(l->name[i]));
    char *s = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return s;
}

void labels_free(Labels *l)
{
    for (int i = 0; i < l->count; i++) {
        free(l->raw[i]);
        free(l->name[i]);
    }
    free(l->raw);
    free(l->name);
    *l = (Labels){0};
}
