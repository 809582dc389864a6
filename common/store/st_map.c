/* st_map.c - safetensors files mapped into memory, one or the shards of a folder. */
#include "store/safetensors.h"

#include "base/mapping.h"
#include "store/filekind.h"
#include "store/mapfile.h"
#include "store/shards.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct Part { /* one file */
    char *name;
    Mapping *map;
    uint64_t size;
    const char *data; /* behind the header */
    StHeader head;
} Part;

typedef struct Entry { /* for finding by name */
    const StTensor *tensor;
    const Part *part;
} Entry;

struct StFile {
    Part *part;
    int parts;
    Entry *entry, *sorted; /* in order of files and data; in order of names */
    int count;
};

static int map_file(const char *path, Part *p, Err *e)
{
    int fd = file_open(path, &p->size, e);
    if (fd < 0)
        return -1;
    int status = p->size ? 0 : err_set(e, "empty file");
    if (status == 0 && !(p->map = mapping_new(fd, 0, (size_t)p->size, PROT_READ, MAP_SHARED, path)))
        status = err_sys(e, "cannot read");
    close(fd);
    return status;
}

static int read_part(Part *p, Err *e)
{
    const unsigned char *b = mapping_bytes(p->map);
    uint64_t length = 0;
    Str begins = str_of((const char *)b, p->size < FILEKIND_BYTES ? p->size : FILEKIND_BYTES);
    const char *other;
    if (filekind_check(begins, e) < 0)
        return -1;
    if (p->size < 8)
        return err_set(e, "%" PRIu64 " bytes are no safetensors file: was it fetched in full?",
                       p->size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | b[i];
    if (length > ST_HEADER_MAX && (other = filekind_weights(begins)))
        return err_set(e, "not a safetensors file, but %s", other);
    if (length > ST_HEADER_MAX)
        return err_set(e, "not a safetensors file (its header would have %" PRIu64 " bytes)",
                       length);
    if (length > p->size - 8)
        return err_set(e, "the file ends within its header: was it fetched in full?");
    if (st_parse((const char *)b + 8, (size_t)length, &p->head, e) < 0)
        return -1;
    p->data = (const char *)b + 8 + length;
    uint64_t data = p->size - 8 - length;
    if (p->head.data != data)
        return err_set(e,
                       "the header tells of %" PRIu64 " bytes of data, the file holds %" PRIu64
                       ": was it fetched in full?",
                       p->head.data, data);
    return 0;
}

/* Opens PATH as the next part, which is called name. */
static int add_part(StFile *s, const char *path, const char *name, Err *e)
{
    s->part = mem_resize(s->part, (size_t)s->parts + 1, sizeof *s->part);
    Part *p = &s->part[s->parts++];
    *p = (Part){.name = mem_str(name)};
    if (map_file(path, p, e) < 0 || read_part(p, e) < 0)
        return err_at(e, "%s", path);
    s->count += p->head.count;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const Entry *)a)->tensor->name, ((const Entry *)b)->tensor->name);
}

static int list_tensors(StFile *s, Err *e)
{
    int n = 0;
    s->entry = mem_array((size_t)s->count, sizeof *s->entry);
    s->sorted = mem_array((size_t)s->count, sizeof *s->sorted);
    for (int i = 0; i < s->parts; i++)
        for (int k = 0; k < s->part[i].head.count; k++)
            s->entry[n++] = (Entry){&s->part[i].head.tensor[k], &s->part[i]};
    if (n) {
        memcpy(s->sorted, s->entry, (size_t)n * sizeof *s->entry);
        qsort(s->sorted, (size_t)n, sizeof *s->sorted, by_name);
    }
    for (int i = 1; i < n; i++)
        if (by_name(&s->sorted[i - 1], &s->sorted[i]) == 0)
            return err_set(e, "%.100s is in %.100s and in %.100s", s->sorted[i].tensor->name,
                           s->sorted[i - 1].part->name, s->sorted[i].part->name);
    return 0;
}

/* ---- shards ---- */

/* Every tensor is in the file that the map says. */
static int check_map(const StFile *s, const json_t *map, Err *e)
{
    const char *key;
    json_t *file;
    json_object_foreach((json_t *)map, key, file) {
        StTensor like = {.name = (char *)key};
        Entry *got =
            bsearch(&(Entry){&like, NULL}, s->sorted, (size_t)s->count, sizeof *s->sorted, by_name);
        if (!got || strcmp(got->part->name, json_string_value(file)) != 0)
            return err_set(e, "%.100s is not in %.100s", key, json_string_value(file));
    }
    return 0;
}

static int read_index(StFile *s, const char *path, Err *e)
{
    Shards shards;
    int status = shards_read(path, &shards, e);
    for (int i = 0; i < shards.count && status == 0; i++)
        status = add_part(s, shards.path[i], shards.name[i], e);
    if (status == 0 && (list_tensors(s, e) < 0 || check_map(s, shards.map, e) < 0))
        status = err_at(e, "%s", path);
    shards_clear(&shards);
    return status;
}

/* ---- the contract ---- */

StFile *st_open(const char *path, Err *e)
{
    static const char index[] = ".index.json";
    StFile *s = mem_zero(1, sizeof *s);
    size_t n = strlen(path), m = sizeof index - 1;
    int status;
    if (n > m && strcmp(path + n - m, index) == 0)
        status = read_index(s, path, e);
    else if ((status = add_part(s, path, path, e)) == 0)
        status = list_tensors(s, e);
    if (status == 0)
        return s;
    st_close(s);
    return NULL;
}

int st_count(const StFile *s)
{
    return s->count;
}

static StView view(const Entry *en)
{
    const StTensor *t = en->tensor;
    return (StView){t->name,
                    t->type,
                    t->rank,
                    t->shape,
                    en->part->data + t->begin,
                    (size_t)(t->end - t->begin)};
}

StView st_at(const StFile *s, int i)
{
    return view(&s->entry[i]);
}

int st_find(const StFile *s, const char *name, StView *v)
{
    StTensor like = {.name = (char *)name};
    const Entry *en =
        bsearch(&(Entry){&like, NULL}, s->sorted, (size_t)s->count, sizeof *s->sorted, by_name);
    if (!en)
        return -1;
    *v = view(en);
    return 0;
}

const char *st_meta(const StFile *s, const char *key)
{
    for (int i = 0; i < s->parts; i++)
        for (int k = 0; k < s->part[i].head.keys; k++)
            if (strcmp(s->part[i].head.key[k], key) == 0)
                return s->part[i].head.value[k];
    return NULL;
}

uint64_t st_bytes(const StFile *s)
{
    uint64_t n = 0;
    for (int i = 0; i < s->parts; i++)
        n += s->part[i].size;
    return n;
}

void st_done(const StFile *s, const void *p, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)p;
    uintptr_t from = (at + page - 1) / page * page, to = (at + n) / page * page;
    for (int i = 0; i < s->parts; i++) {
        uintptr_t map = (uintptr_t)mapping_bytes(s->part[i].map);
        if (at >= map && at + n <= map + s->part[i].size && from < to)
            madvise((void *)from, to - from, MADV_DONTNEED); /* only memory is saved by it */
    }
}

void st_close(StFile *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->parts; i++) {
        mapping_free(s->part[i].map);
        st_clear(&s->part[i].head);
        free(s->part[i].name);
    }
    free(s->part);
    free(s->entry);
    free(s->sorted);
    free(s);
}
