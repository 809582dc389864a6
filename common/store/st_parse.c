/* st_parse.c - a safetensors header, read as it stands: without a tree of its JSON, which may be
 * fifty times as large. */
#include "store/safetensors.h"

#include "store/jsonscan.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct Parser {
    JsonScan scan;
    StHeader *h;
    int tensors, keys; /* there is room for */
    bool meta;         /* __metadata__ has come */
} Parser;

/* What a scan_ has told, with its place. */
static int no_json(const Parser *p, Err *e)
{
    return err_at(e, "the header is not the JSON that it should be (byte %td)",
                  p->scan.p - p->scan.begin);
}

/* A string of its own, or NULL. Names end in C where a NUL stands. */
static char *read_string(Parser *p, Err *e)
{
    Str s;
    if (scan_string(&p->scan, &s, e) < 0) {
        no_json(p, e);
        return NULL;
    }
    if (memchr(s.p, '\0', s.n)) {
        err_set(e, "the header has a string with a NUL byte in it");
        return NULL;
    }
    return mem_strn(s.p, s.n);
}

/* Before the next member of an object, whose name is *key: 1; behind the last: 0. */
static int next_member(Parser *p, bool *first, char **key, Err *e)
{
    int more = scan_more(&p->scan, '}', first, e);
    *key = NULL;
    if (more < 0)
        return no_json(p, e);
    if (more && !(*key = read_string(p, e)))
        return -1;
    if (more && scan_take(&p->scan, ':', e) < 0) {
        free(*key);
        return no_json(p, e);
    }
    return more;
}

/* ---- metadata ---- */

static int read_pair(Parser *p, char *key, Err *e)
{
    StHeader *h = p->h;
    if (h->keys == ST_KEYS_MAX) {
        free(key);
        return err_set(e, "__metadata__ has more than %d keys", ST_KEYS_MAX);
    }
    if (h->keys == p->keys) {
        p->keys = 2 * p->keys + 16;
        h->key = mem_resize(h->key, (size_t)p->keys, sizeof *h->key);
        h->value = mem_resize(h->value, (size_t)p->keys, sizeof *h->value);
    }
    h->key[h->keys] = key;
    h->value[h->keys++] = NULL;
    if (scan_next(&p->scan) != '"')
        return err_set(e, "__metadata__: the value of %.100s is no string", key);
    return (h->value[h->keys - 1] = read_string(p, e)) ? 0 : -1;
}

static int read_meta(Parser *p, Err *e)
{
    bool first = true;
    char *key;
    int more;
    if (p->meta)
        return err_set(e, "duplicate: __metadata__ stands there twice");
    p->meta = true;
    if (scan_next(&p->scan) == 'n' && p->scan.end - p->scan.p >= 4 &&
        memcmp(p->scan.p, "null", 4) == 0) { /* as good as none */
        p->scan.p += 4;
        return 0;
    }
    if (scan_next(&p->scan) != '{')
        return err_set(e, "__metadata__ is no object");
    p->scan.p++;
    while ((more = next_member(p, &first, &key, e)) > 0)
        if (read_pair(p, key, e) < 0)
            return -1;
    return more;
}

/* ---- a tensor ---- */

/* Counts in brackets, `most` of them: how many there are; -1: something else stands there. */
static int read_counts(Parser *p, int64_t *count, int most)
{
    bool first = true;
    int n = 0, more;
    if (scan_take(&p->scan, '[', NULL) < 0)
        return -1;
    while ((more = scan_more(&p->scan, ']', &first, NULL)) > 0) {
        int64_t *to = &count[n < most ? n : most - 1];
        if (scan_int(&p->scan, to, NULL) < 0 || *to < 0)
            return -1;
        n += n <= most;
    }
    return more < 0 ? -1 : n;
}

static int read_type(Parser *p, StTensor *t, Err *e)
{
    Str name;
    if (scan_next(&p->scan) != '"')
        return err_set(e, "%.100s: its dtype is no string", t->name);
    if (scan_string(&p->scan, &name, e) < 0)
        return no_json(p, e);
    int type = dtype_find(name.p, name.n);
    if (type < 0)
        return err_set(e, "%.100s: the type %.*s is not known", t->name,
                       name.n > 32 ? 32 : (int)name.n, name.p);
    t->type = (DType)type;
    return 0;
}

static int read_shape(Parser *p, StTensor *t, Err *e)
{
    t->rank = read_counts(p, t->shape, ST_RANKS);
    if (t->rank < 0)
        return err_set(e, "%.100s: its shape is no list of counts", t->name);
    if (t->rank > ST_RANKS)
        return err_set(e, "%.100s has more than %d axes", t->name, ST_RANKS);
    return 0;
}

static int read_offsets(Parser *p, StTensor *t, Err *e)
{
    int64_t at[2];
    if (read_counts(p, at, 2) != 2 || at[1] < at[0])
        return err_set(e, "%.100s: its data_offsets are not two places in order", t->name);
    t->begin = (uint64_t)at[0];
    t->end = (uint64_t)at[1];
    return 0;
}

static const char *const members[] = {"dtype", "shape", "data_offsets"};
enum { TYPE, SHAPE, OFFSETS, MEMBERS };

static int read_member(Parser *p, StTensor *t, const char *key, bool had[MEMBERS], Err *e)
{
    int i = 0;
    while (i < MEMBERS && strcmp(members[i], key) != 0)
        i++;
    if (i == MEMBERS)
        return scan_skip(&p->scan, e) < 0 ? no_json(p, e) : 0;
    if (had[i])
        return err_set(e, "duplicate: %.100s has two %s", t->name, key);
    had[i] = true;
    return i == TYPE    ? read_type(p, t, e)
           : i == SHAPE ? read_shape(p, t, e)
                        : read_offsets(p, t, e);
}

static int check_tensor(const StTensor *t, const bool had[MEMBERS], Err *e)
{
    for (int i = 0; i < MEMBERS; i++)
        if (!had[i])
            return err_set(e, "%.100s has no %s", t->name, members[i]);
    int64_t bytes = shape_bytes(t->type, t->rank, t->shape);
    if (bytes < 0)
        return err_set(e, "%.100s: its shape is too large", t->name);
    if ((uint64_t)bytes != t->end - t->begin)
        return err_set(e, "%.100s: its shape takes %" PRId64 " bytes, its data_offsets %" PRIu64,
                       t->name, bytes, t->end - t->begin);
    return 0;
}

static int read_tensor(Parser *p, char *name, Err *e)
{
    StHeader *h = p->h;
    bool first = true, had[MEMBERS] = {false};
    char *key;
    int more;
    if (h->count == ST_TENSORS_MAX) {
        free(name);
        return err_set(e, "the header has more than %d tensors", ST_TENSORS_MAX);
    }
    if (h->count == p->tensors) {
        p->tensors += p->tensors / 2 + 16;
        h->tensor = mem_resize(h->tensor, (size_t)p->tensors, sizeof *h->tensor);
    }
    StTensor *t = &h->tensor[h->count++];
    *t = (StTensor){.name = name};
    if (scan_next(&p->scan) != '{')
        return err_set(e, "%.100s is no object with dtype, shape and data_offsets", name);
    p->scan.p++;
    while ((more = next_member(p, &first, &key, e)) > 0) {
        int bad = read_member(p, t, key, had, e);
        free(key);
        if (bad)
            return -1;
    }
    return more < 0 ? -1 : check_tensor(t, had, e);
}

/* ---- all of it ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* n names at `name` and each `step` bytes behind the last; no two are the same. */
static int check_names(const void *name, size_t step, int n, Err *e)
{
    const char **sorted = mem_array((size_t)n, sizeof *sorted);
    int status = 0;
    for (int i = 0; i < n; i++)
        sorted[i] = *(char *const *)((const char *)name + (size_t)i * step);
    qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (int i = 1; i < n && status == 0; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            status = err_set(e, "duplicate: %.100s stands there twice", sorted[i]);
    free(sorted);
    return status;
}

static int by_place(const void *a, const void *b)
{
    const StTensor *s = a, *t = b;
    int begin = (s->begin > t->begin) - (s->begin < t->begin);
    return begin ? begin : (s->end > t->end) - (s->end < t->end);
}

/* Neither holes nor overlap: each tensor begins where the one before it ends. */
static int check_places(StHeader *h, Err *e)
{
    if (h->count)
        qsort(h->tensor, (size_t)h->count, sizeof *h->tensor, by_place);
    for (int i = 0; i < h->count; i++) {
        if (h->tensor[i].begin != h->data)
            return err_set(e,
                           "%.100s begins at byte %" PRIu64 ", but what stands before it "
                           "ends at %" PRIu64,
                           h->tensor[i].name, h->tensor[i].begin, h->data);
        h->data = h->tensor[i].end;
    }
    return 0;
}

static int read_header(Parser *p, Err *e)
{
    StHeader *h = p->h;
    bool first = true;
    char *name;
    int more, bad = 0;
    p->scan.p++; /* its '{' */
    while (!bad && (more = next_member(p, &first, &name, e)) > 0) {
        bool meta = strcmp(name, "__metadata__") == 0;
        bad = meta ? read_meta(p, e) : read_tensor(p, name, e);
        if (meta)
            free(name);
    }
    if (bad || more < 0)
        return -1;
    scan_next(&p->scan);
    if (p->scan.p < p->scan.end) {
        scan_unexpected(&p->scan, "the end", e);
        return no_json(p, e);
    }
    if (check_names(h->tensor, sizeof *h->tensor, h->count, e) < 0 ||
        check_names(h->key, sizeof *h->key, h->keys, e) < 0)
        return -1;
    return check_places(h, e);
}

int st_parse(const char *json, size_t n, StHeader *h, Err *e)
{
    Parser p = {.scan = scan_of(json, n), .h = h};
    *h = (StHeader){0};
    if (n > ST_HEADER_MAX)
        return err_set(e, "the header has %zu bytes: at most %d", n, ST_HEADER_MAX);
    if (n < 2 || json[0] != '{')
        return err_set(e, "the header is no JSON object that begins with '{'");
    int status = read_header(&p, e);
    scan_free(&p.scan);
    if (status < 0)
        st_clear(h);
    return status;
}
