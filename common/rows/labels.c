#include "rows/labels.h"

#include "base/utf8.h"
#include "rows/quoted.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int find(char *const *list, int n, Str s)
{
    for (int i = 0; i < n; i++)
        if (strlen(list[i]) == s.n && memcmp(list[i], s.p, s.n) == 0)
            return i;
    return -1;
}

/* A name, quoted or not, up to one of the characters of `stops`; the caller frees *name. */
static int take_name(const char **p, const char *stops, char **name, Err *e)
{
    Buf b = {0};
    *name = NULL;
    if (**p != '"') {
        size_t n = strcspn(*p, stops);
        *name = mem_strn(*p, n);
        *p += n;
        return 0;
    }
    int status = quoted_name(&b, p, stops, e);
    if (status == 0)
        *name = mem_strn(b.p ? b.p : "", b.n);
    free(b.p);
    return status;
}

/* RAW or RAW=NAME, with *p behind it. */
static int take_label(Labels *l, const char *given, const char **p, Err *e)
{
    char *raw, *name = NULL;
    int status = take_name(p, "=,", &raw, e);
    if (status == 0 && **p == '=') {
        ++*p;
        status = take_name(p, ",", &name, e);
    } else if (status == 0) {
        name = mem_str(raw);
    }
    if (status == 0 && (!*raw || !*name))
        status = err_set(e, "'%s' has an empty name: write A,B or 0=A,4=B", given);
    if (status == 0 && find(l->raw, l->count, str_of(raw, strlen(raw))) >= 0)
        status = err_set(e, "'%s' is there twice", raw);
    if (status < 0) {
        free(raw);
        free(name);
        return -1;
    }
    l->raw = mem_resize(l->raw, (size_t)l->count + 1, sizeof *l->raw);
    l->name = mem_resize(l->name, (size_t)l->count + 1, sizeof *l->name);
    l->raw[l->count] = raw;
    l->name[l->count++] = name;
    return 0;
}

int labels_parse(Labels *l, const char *given, Err *e)
{
    if (utf8_check(given, strlen(given)) < strlen(given))
        return err_set(e, "not UTF-8");
    for (const char *p = given;; p++) {
        if (take_label(l, given, &p, e) < 0)
            return -1;
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
