#include "store/safetensors.h"

#include "base/outfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

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
        t[i].end = h->data += (uint64_t)shape_bytes(t[i].type, t[i].rank, t[i].shape);
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
