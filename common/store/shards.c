#include "store/shards.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

static int by_string(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(Shards *s, Err *e)
{
    size_t n = 0;
    const char *key;
    json_t *file;
    s->name = mem_array(json_object_size(s->map), sizeof *s->name);
    json_object_foreach(s->map, key, file) {
        const char *f = json_string_value(file);
        if (!f || !*f || strchr(f, '/'))
            return err_set(e, "the file of %.100s is not one of this folder", key);
        s->name[n++] = f;
    }
    qsort(s->name, n, sizeof *s->name, by_string);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(s->name[i], s->name[i - 1]) != 0)
            s->name[s->count++] = s->name[i];
    return 0;
}

int shards_read(const char *path, Shards *s, Err *e)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash + 1 - path) : 0;
    *s = (Shards){0};
    json_t *root = jsonfile_read(path, e);
    if (!root)
        return -1;
    s->map = json_incref(json_object_get(root, "weight_map"));
    json_decref(root);
    if (!json_is_object(s->map) || json_object_size(s->map) == 0)
        return err_set(e, "%s: it has no weight_map", path);
    if (list_files(s, e) < 0) {
        s->count = 0;
        return err_at(e, "%s", path);
    }
    s->path = mem_zero((size_t)s->count, sizeof *s->path);
    for (int i = 0; i < s->count; i++)
        s->path[i] = mem_fmt("%.*s%s", folder, path, s->name[i]);
    return 0;
}

void shards_clear(Shards *s)
{
    for (int i = 0; i < s->count; i++)
        free(s->path[i]);
    free(s->path);
    free(s->name);
    json_decref(s->map);
    *s = (Shards){0};
}
