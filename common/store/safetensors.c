#include "store/safetensors.h"

#include "base/outfile.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- reading a header ---- */

static int read_meta(const json_t *meta, StHeader *h, Err *e)
{
    const char *key;
    json_t *value;
    if (!json_is_object(meta))
        return err_set(e, "__metadata__ is no object");
    h->key = mem_array(json_object_size(meta), sizeof *h->key);
    h->value = mem_array(json_object_size(meta), sizeof *h->value);
    json_object_foreach((json_t *)meta, key, value) {
        if (!json_is_string(value))
            return err_set(e, "__metadata__: the value of %.100s is no string", key);
        h->key[h->keys] = mem_str(key);
        h->value[h->keys++] = mem_str(json_string_value(value));
    }
    return 0;
}

static int read_shape(const json_t *shape, StTensor *t, Err *e)
{
    if (!json_is_array(shape))
        return err_set(e, "%.100s has no shape", t->name);
    if (json_array_size(shape) > ST_RANKS)
        return err_set(e, "%.100s has %zu axes: at most %d", t->name, json_array_size(shape),
                       ST_RANKS);
    t->rank = (int)json_array_size(shape);
    for (int i = 0; i < t->rank; i++) {
        const json_t *n = json_array_get(shape, (size_t)i);
        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return err_set(e, "%.100s: a length in its shape is no count", t->name);
        t->shape[i] = json_integer_value(n);
    }
    return 0;
}

/* Bytes that type and shape ask for; -1 where they do not fit into 63 bits. */
static int64_t tensor_bytes(const StTensor *t)
{
    int64_t n = (int64_t)dtype_size(t->type);
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] == 0)
            return 0;
    for (int i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(n, t->shape[i], &n))
            return -1;
    return n;
}

static int read_offsets(const json_t *offsets, StTensor *t, Err *e)
{
    const json_t *a = json_array_get(offsets, 0), *b = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(a) || !json_is_integer(b) ||
        json_integer_value(a) < 0 || json_integer_value(b) < json_integer_value(a))
        return err_set(e, "%.100s: its data_offsets are not two places in order", t->name);
    t->begin = (uint64_t)json_integer_value(a);
    t->end = (uint64_t)json_integer_value(b);
    int64_t bytes = tensor_bytes(t);
    if (bytes < 0)
        return err_set(e, "%.100s: its shape is too large", t->name);
    if ((uint64_t)bytes != t->end - t->begin)
        return err_set(e, "%.100s: its shape takes %" PRId64 " bytes, its data_offsets %" PRIu64,
                       t->name, bytes, t->end - t->begin);
    return 0;
}

static int read_tensor(const char *name, const json_t *info, StHeader *h, Err *e)
{
    const json_t *dtype = json_object_get(info, "dtype");
    StTensor *t = &h->tensor[h->count++];
    *t = (StTensor){.name = mem_str(name)};
    if (!json_is_string(dtype))
        return err_set(e, "%.100s has no dtype", name);
    int type = dtype_find(json_string_value(dtype), json_string_length(dtype));
    if (type < 0)
        return err_set(e, "%.100s: the type %.32s is not known", name, json_string_value(dtype));
    t->type = (DType)type;
    if (read_shape(json_object_get(info, "shape"), t, e) < 0)
        return -1;
    return read_offsets(json_object_get(info, "data_offsets"), t, e);
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

static int read_header(const json_t *root, StHeader *h, Err *e)
{
    const char *key;
    json_t *value;
    if (!json_is_object(root))
        return err_set(e, "the header is no JSON object");
    if (json_object_size(root) > INT32_MAX)
        return err_set(e, "the header has too many tensors");
    h->tensor = mem_array(json_object_size(root), sizeof *h->tensor);
    json_object_foreach((json_t *)root, key, value) {
        bool meta = strcmp(key, "__metadata__") == 0;
        if ((meta ? read_meta(value, h, e) : read_tensor(key, value, h, e)) < 0)
            return -1;
    }
    return check_places(h, e);
}

int st_parse(const char *json, size_t n, StHeader *h, Err *e)
{
    json_error_t why;
    *h = (StHeader){0};
    if (n > ST_HEADER_MAX)
        return err_set(e, "the header has %zu bytes: at most %d", n, ST_HEADER_MAX);
    if (n < 2 || json[0] != '{')
        return err_set(e, "the header is no JSON object that begins with '{'");
    json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &why);
    if (!root)
        return err_set(e, "the header is not the JSON that it should be: %s (byte %d)", why.text,
                       why.position);
    int status = read_header(root, h, e);
    json_decref(root);
    if (status < 0)
        st_clear(h);
    return status;
}

void st_clear(StHeader *h)
{
    for (int i = 0; i < h->count; i++)
        free(h->tensor[i].name);
    for (int i = 0; i < h->keys; i++) {
        free(h->key[i]);
        free(h->value[i]);
    }
    free(h->tensor);
    free(h->key);
    free(h->value);
    *h = (StHeader){0};
}

/* ---- writing a header ---- */

int *st_layout(StHeader *h)
{
    int *from = mem_array((size_t)h->count, sizeof *from), n = 0;
    StTensor *t = mem_array((size_t)h->count, sizeof *t);
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; i < h->count; i++)
            if (dtype_size(h->tensor[i].type) == size)
                from[n++] = i;
    h->data = 0;
    for (int i = 0; i < n; i++) {
        t[i] = h->tensor[from[i]];
        t[i].begin = h->data;
        t[i].end = h->data += (uint64_t)tensor_bytes(&t[i]);
    }
    free(h->tensor);
    h->tensor = t;
    return from;
}

/* A JSON string. Bytes that are not UTF-8 (in a folder's name, say) become U+FFFD. */
static void add_string(Buf *out, const char *s)
{
    utf8proc_ssize_t left = (utf8proc_ssize_t)strlen(s);
    buf_str(out, "\"");
    while (left > 0) {
        utf8proc_int32_t c;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s, left, &c);
        if (n <= 0)
            buf_str(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buf_fmt(out, "\\%c", c);
        else if (c < 0x20)
            buf_fmt(out, "\\u%04x", (unsigned)c);
        else
            buf_add(out, s, (size_t)n);
        s += n > 0 ? n : 1;
        left -= n > 0 ? n : 1;
    }
    buf_str(out, "\"");
}

static void add_meta(Buf *out, const StHeader *h)
{
    buf_str(out, "\"__metadata__\":{");
    for (int i = 0; i < h->keys; i++) {
        buf_str(out, i ? "," : "");
        add_string(out, h->key[i]);
        buf_str(out, ":");
        add_string(out, h->value[i]);
    }
    buf_str(out, "}");
}

static void add_tensor(Buf *out, const StTensor *t)
{
    add_string(out, t->name);
    buf_fmt(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_name(t->type));
    for (int i = 0; i < t->rank; i++)
        buf_fmt(out, "%s%" PRId64, i ? "," : "", t->shape[i]);
    buf_fmt(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", t->begin, t->end);
}

void st_format(const StHeader *h, Buf *out)
{
    size_t start = out->n;
    buf_add(out, "\0\0\0\0\0\0\0\0{", 9);
    if (h->keys)
        add_meta(out, h);
    for (int i = 0; i < h->count; i++) {
        buf_str(out, i || h->keys ? "," : "");
        add_tensor(out, &h->tensor[i]);
    }
    buf_str(out, "}");
    while ((out->n - start) % 8)
        buf_str(out, " ");
    uint64_t length = out->n - start - 8;
    for (int i = 0; i < 8; i++)
        out->p[start + (size_t)i] = (char)(length >> 8 * i);
}

/* ---- a whole file ---- */

static int write_views(OutFile *o, const StHeader *h, const StView *t, const int *from, Err *e)
{
    Buf head = {0};
    st_format(h, &head);
    int status = outfile_write(o, head.p, head.n, e);
    for (int i = 0; status == 0 && i < h->count; i++)
        status = outfile_write(o, t[from[i]].data, t[from[i]].bytes, e);
    free(head.p);
    return status;
}

int st_write(const char *path, const StView *t, int count, char **key, char **value, int keys,
             Err *e)
{
    StHeader h = {.tensor = mem_zero((size_t)count, sizeof *h.tensor),
                  .count = count,
                  .key = key,
                  .value = value,
                  .keys = keys};
    for (int i = 0; i < count; i++) {
        h.tensor[i] = (StTensor){.name = (char *)t[i].name, .type = t[i].type, .rank = t[i].rank};
        memcpy(h.tensor[i].shape, t[i].shape, (size_t)t[i].rank * sizeof *t[i].shape);
    }
    int *from = st_layout(&h);
    OutFile *o = outfile_open(path, e);
    int status = o ? write_views(o, &h, t, from, e) : -1;
    if (status == 0)
        status = outfile_commit(o, e);
    else
        outfile_abort(o);
    free(from);
    free(h.tensor);
    return status;
}
