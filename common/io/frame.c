#include "io/frame.h"

#include <stdlib.h>
#include <string.h>

Frame *frame_new(int64_t rows, int64_t tokens)
{
    Frame *f = mem_zero(1, sizeof *f);
    f->rows = rows;
    f->tokens = tokens;
    f->end_rows = -1;
    return f;
}

static void clear(Tensor *t)
{
    free(t->name);
    block_drop(t->block);
}

void frame_free(Frame *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->count; i++)
        clear(&f->tensor[i]);
    for (int i = 0; i < f->keys; i++) {
        free(f->key[i]);
        free(f->value[i]);
    }
    free(f->tensor);
    free(f->key);
    free(f->value);
    free(f->tensor_index.at);
    free(f->key_index.at);
    free(f);
}

Frame *frame_copy(const Frame *f)
{
    Frame *g = frame_new(f->rows, f->tokens);
    g->tensor = mem_array((size_t)f->count, sizeof *g->tensor);
    for (; g->count < f->count; g->count++) {
        Tensor *t = &g->tensor[g->count];
        *t = f->tensor[g->count];
        t->name = mem_str(t->name);
        block_share(t->block);
    }
    g->tensor_index = name_copy(&f->tensor_index);
    for (int i = 0; i < f->keys; i++)
        frame_set_meta(g, f->key[i], f->value[i]);
    g->end = f->end;
    g->end_rows = f->end_rows;
    return g;
}

void frame_replace(Frame *f, Frame *with)
{
    Frame old = *f;
    *f = *with;
    f->end = old.end;
    f->end_rows = old.end_rows;
    *with = old;
    frame_free(with);
}

static NamedItems tensors(const Frame *f)
{
    return (NamedItems){f->tensor, sizeof *f->tensor};
}

static Tensor *find(const Frame *f, Str a, Str b)
{
    int i = name_find(&f->tensor_index, tensors(f), a, b);
    return i < 0 ? NULL : &f->tensor[i];
}

Tensor *frame_get(const Frame *f, const char *name)
{
    return find(f, str_of(name, strlen(name)), str_of("", 0));
}

/* Which program makes what is missing. */
static const char *remedy(const char *name)
{
    static const struct {
        const char *name, *text;
    } made[] = {
        {"token.id", "make it with `tok`"},
        {"row.tokens", "make it with `tok`"},
        {"token.hidden", "run it through `encode` first"},
        {"row.vector", "run it through `pool` first"},
        {"row.logit", "run it through `head` first"},
        {"token.logit", "run it through `head` first"},
        {"pick.logit", "run it through `head` first"},
        {"row.label", "give `tok` the column of the labels with -l"},
        {"row.pair", "give `tok` the column of the second texts with -p"},
        {"row.text", "make it with `tok` from text"},
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        if (strcmp(made[i].name, name) == 0)
            return made[i].text;
    return "the program that makes it is missing from the pipeline";
}

Tensor *frame_need(const Frame *f, const char *name, DType type, int rank, Err *e)
{
    Tensor *t = frame_get(f, name);
    if (!t)
        err_set(e, "the stream has no %s: %s", name, remedy(name));
    else if (type != DT_COUNT && t->type != type)
        err_set(e, "%s is %s, but must be %s: %s", name, dtype_name(t->type), dtype_name(type),
                remedy(name));
    else if (rank >= 0 && t->rank != rank)
        err_set(e, "%s has %d axes, but must have %d: %s", name, t->rank, rank, remedy(name));
    else
        return t;
    return NULL;
}

static size_t bytes_for(DType type, int rank, const int64_t *shape)
{
    int64_t n = shape_bytes(type, rank, shape);
    return n < 0 ? SIZE_MAX : (size_t)n; /* no memory is that large, and its allocation says so */
}

Tensor *frame_adopt(Frame *f, const char *name, DType type, int rank, const int64_t *shape,
                    Block *block, void *data)
{
    Tensor t = {.name = mem_str(name),
                .type = type,
                .rank = rank,
                .data = data,
                .bytes = bytes_for(type, rank, shape),
                .block = block};
    if (rank)
        memcpy(t.shape, shape, (size_t)rank * sizeof *shape);
    Tensor *at = frame_get(f, name);
    if (at) {
        clear(at);
    } else {
        f->tensor = mem_resize(f->tensor, (size_t)f->count + 1, sizeof *f->tensor);
        at = &f->tensor[f->count++];
        *at = t;
        name_added(&f->tensor_index, tensors(f));
    }
    *at = t;
    return at;
}

void *frame_add(Frame *f, const char *name, DType type, int rank, const int64_t *shape)
{
    Block *b = block_new(bytes_for(type, rank, shape));
    return frame_adopt(f, name, type, rank, shape, b, b->p)->data;
}

static void drop_at(Frame *f, int i)
{
    clear(&f->tensor[i]);
    name_dropped(&f->tensor_index, i);
    f->count--;
    memmove(&f->tensor[i], &f->tensor[i + 1], (size_t)(f->count - i) * sizeof *f->tensor);
}

void frame_drop(Frame *f, const char *name)
{
    Tensor *t = frame_get(f, name);
    if (t)
        drop_at(f, (int)(t - f->tensor));
}

void frame_drop_prefix(Frame *f, const char *prefix)
{
    for (int i = f->count; i-- > 0;)
        if (strncmp(f->tensor[i].name, prefix, strlen(prefix)) == 0)
            drop_at(f, i);
}

void frame_drop_tokens(Frame *f)
{
    frame_drop_prefix(f, "token.");
    frame_drop_prefix(f, "pick.");
    frame_drop(f, "row.tokens");
    f->tokens = 0;
}

size_t frame_bytes(const Frame *f)
{
    size_t n = 0;
    for (int i = 0; i < f->count; i++)
        n += f->tensor[i].bytes;
    return n;
}

static NamedItems keys(const Frame *f)
{
    return (NamedItems){f->key, sizeof *f->key};
}

static int key_at(const Frame *f, const char *key)
{
    return name_find(&f->key_index, keys(f), str_of(key, strlen(key)), str_of("", 0));
}

const char *frame_meta(const Frame *f, const char *key)
{
    int i = key_at(f, key);
    return i < 0 ? NULL : f->value[i];
}

static void drop_meta(Frame *f, int i)
{
    free(f->key[i]);
    free(f->value[i]);
    name_dropped(&f->key_index, i);
    f->keys--;
    memmove(f->key + i, f->key + i + 1, (size_t)(f->keys - i) * sizeof *f->key);
    memmove(f->value + i, f->value + i + 1, (size_t)(f->keys - i) * sizeof *f->value);
}

void frame_set_meta(Frame *f, const char *key, const char *value)
{
    int i = key_at(f, key);
    if (!value) {
        if (i >= 0)
            drop_meta(f, i);
        return;
    }
    char *copy = mem_str(value); /* first: value may be the one that is replaced */
    if (i >= 0) {
        free(f->value[i]);
        f->value[i] = copy;
        return;
    }
    f->key = mem_resize(f->key, (size_t)f->keys + 1, sizeof *f->key);
    f->value = mem_resize(f->value, (size_t)f->keys + 1, sizeof *f->value);
    f->key[f->keys] = mem_str(key);
    f->value[f->keys++] = copy;
    name_added(&f->key_index, keys(f));
}

Axis tensor_axis(const char *name)
{
    if (strcmp(name, "row.tokens") == 0)
        return AXIS_ROW1;
    if (strncmp(name, "row.", 4) == 0)
        return AXIS_ROW;
    if (strncmp(name, "token.", 6) == 0)
        return AXIS_TOKEN;
    if (strncmp(name, "pick.", 5) == 0)
        return AXIS_PICK;
    return AXIS_OTHER;
}

static bool is_range(const Tensor *t)
{
    Axis axis = tensor_axis(t->name);
    return t->type == DT_I64 && t->rank == 2 && t->shape[1] == 2 &&
           (axis == AXIS_ROW || axis == AXIS_TOKEN);
}

Tensor *tensor_bytes(const Frame *f, const Tensor *t)
{
    if (!is_range(t))
        return NULL;
    const char *x = strchr(t->name, '.') + 1;
    Tensor *bytes = find(f, str_of(x, strlen(x)), str_of(".utf8", 5));
    return bytes && tensor_axis(bytes->name) == AXIS_OTHER ? bytes : NULL;
}

int tensor_ranges(const Frame *f, const Tensor *bytes, Tensor *range[2])
{
    static const Str prefix[] = {{"row.", 4}, {"token.", 6}};
    size_t n = strlen(bytes->name);
    int ranges = 0;
    if (n < 5 || strcmp(bytes->name + n - 5, ".utf8") != 0 ||
        tensor_axis(bytes->name) != AXIS_OTHER)
        return 0;
    for (int i = 0; i < 2; i++) {
        Tensor *t = find(f, prefix[i], str_of(bytes->name, n - 5));
        if (t && is_range(t))
            range[ranges++] = t;
    }
    return ranges;
}

Counts tensor_counts(const Frame *f, const Tensor *t)
{
    if (tensor_axis(t->name) == AXIS_ROW1 || strcmp(t->name, "pick.token") == 0)
        return COUNTS_TOKENS;
    return tensor_bytes(f, t) ? COUNTS_BYTES : COUNTS_NOTHING;
}

bool tensor_grows(const Frame *f, const Tensor *t)
{
    Tensor *range[2];
    return tensor_axis(t->name) != AXIS_OTHER || tensor_ranges(f, t, range);
}

const char *frame_finish(const Frame *f, int64_t i)
{
    static const char *const word[FINISHES] = {"end", "length", "stop"};
    const Tensor *t = frame_get(f, "row.finish");
    return t ? word[((const uint8_t *)t->data)[i]] : NULL; /* frame_check has seen it */
}

Str frame_text(const Frame *f, const char *name, int64_t i)
{
    const Tensor *t = frame_get(f, name), *bytes = t ? tensor_bytes(f, t) : NULL;
    if (!bytes)
        return (Str){0};
    const int64_t *range = (const int64_t *)t->data + 2 * i;
    return str_of((const char *)bytes->data + range[0], (size_t)(range[1] - range[0]));
}

/* The bytes that another range tensor than `name` points into already, else NULL. */
static const Tensor *shared_bytes(const Frame *f, const char *name, const char *bytes)
{
    Tensor *b = frame_get(f, bytes), *range[2];
    int n = b ? tensor_ranges(f, b, range) : 0;
    for (int i = 0; i < n; i++)
        if (strcmp(range[i]->name, name) != 0)
            return b;
    return NULL;
}

void frame_add_text(Frame *f, const char *name, const Str *s, int64_t n)
{
    char *bytes_name = mem_fmt("%s.utf8", strchr(name, '.') + 1);
    int64_t *range = frame_add(f, name, DT_I64, 2, (int64_t[]){n, 2});
    const Tensor *old = shared_bytes(f, name, bytes_name);
    Buf bytes = {0};

    if (old)
        buf_add(&bytes, old->data, old->bytes);
    for (int64_t i = 0; i < n; i++) {
        bool again = i && s[i].p == s[i - 1].p && s[i].n == s[i - 1].n;
        range[2 * i] = again ? range[2 * i - 2] : (int64_t)bytes.n;
        if (!again)
            buf_add(&bytes, s[i].p, s[i].n);
        range[2 * i + 1] = range[2 * i] + (int64_t)s[i].n;
    }
    void *p = frame_add(f, bytes_name, DT_U8, 1, (int64_t[]){(int64_t)bytes.n});
    if (bytes.n)
        memcpy(p, bytes.p, bytes.n);
    free(bytes.p);
    free(bytes_name);
}
