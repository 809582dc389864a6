/* build.c - streams made of an input's bytes, which hold together as far as headers go: what no
 * mutation of a header's text comes to. */
#include "tests/fuzz/fuzz.h"

#include "store/safetensors.h"

enum { MOST_FRAMES = 3, MOST_TENSORS = 12, MOST_BYTES = 1 << 16 };

typedef struct Bytes {
    const uint8_t *p;
    size_t n;
    int64_t rows, tokens, picks; /* of the frame that is being made */
    uint64_t text;               /* bytes that ranges may lie in */
} Bytes;

static unsigned next(Bytes *b)
{
    return fuzz_byte(&b->p, &b->n);
}

static const char *const names[] = {
    "row.tokens", "token.id",    "token.part",  "token.type",  "token.span",   "row.text",
    "text.utf8",  "row.pair",    "pair.utf8",   "row.label",   "label.utf8",   "token.label",
    "row.keep.a", "keep.a.utf8", "row.source",  "row.start",   "row.weight",   "token.hidden",
    "row.vector", "row.logit",   "token.logit", "pick.token",  "pick.logit",   "row.x",
    "x.utf8",     "row.row.x",   "row.x.utf8",  "token.x",     "token.x.utf8", "x",
    "row.",       "pick.x",      "row.token.x", "token.row.x", "row.target",   "pick.x.utf8",
};
enum { NAMES = sizeof names / sizeof *names };

/* What weft-stream(5) says of the first ones; 0: anything. */
static const struct {
    DType type;
    int more; /* axes behind the first; 2: of two numbers */
} usual[NAMES] = {
    {DT_I64, 0}, {DT_I32, 0}, {DT_U8, 0},  {DT_U8, 0},  {DT_I32, 2}, {DT_I64, 2},
    {DT_U8, 0},  {DT_I64, 2}, {DT_U8, 0},  {DT_I64, 2}, {DT_U8, 0},  {DT_I64, 2},
    {DT_I64, 2}, {DT_U8, 0},  {DT_I64, 0}, {DT_I64, 0}, {DT_F32, 0}, {DT_F32, 1},
    {DT_F32, 1}, {DT_F32, 1}, {DT_F32, 1}, {DT_I64, 0}, {DT_F32, 1}, {DT_I64, 2},
    {DT_U8, 0},  {DT_I64, 2}, {DT_I64, 2}, {DT_I64, 2}, {DT_U8, 0},
};

static int64_t odd_size(Bytes *b)
{
    static const int64_t odd[] = {0,
                                  1,
                                  2,
                                  3,
                                  8,
                                  24,
                                  32,
                                  33,
                                  1 << 20,
                                  (int64_t)1 << 32,
                                  (int64_t)1 << 40,
                                  (int64_t)1 << 62,
                                  INT64_MAX};
    return odd[next(b) % (sizeof odd / sizeof *odd)];
}

/* Most shapes are right, since only those get far. */
static void choose_shape(Bytes *b, int name, StTensor *t)
{
    unsigned how = next(b);
    int more = usual[name].more;
    t->type = how % 8 == 7 ? (DType)(next(b) % DT_COUNT) : usual[name].type;
    t->rank = how / 8 % 8 == 7 ? (int)(next(b) % 5) : 1 + (more > 0);
    switch (tensor_axis(names[name])) {
    case AXIS_ROW: t->shape[0] = b->rows; break;
    case AXIS_ROW1: t->shape[0] = b->rows < INT64_MAX ? b->rows + 1 : 0; break;
    case AXIS_TOKEN: t->shape[0] = b->tokens; break;
    case AXIS_PICK: t->shape[0] = b->picks; break;
    case AXIS_OTHER: t->shape[0] = (int64_t)b->text; break;
    }
    if (how >= 240)
        t->shape[0] = odd_size(b);
    for (int i = 1; i < t->rank; i++)
        t->shape[i] = more == 2 && how % 16 ? 2 : odd_size(b);
}

/* false where it would be too much. */
static bool bytes_of(const StTensor *t, uint64_t *bytes)
{
    bool none = false;
    *bytes = dtype_size(t->type);
    for (int i = 0; i < t->rank; i++)
        none |= t->shape[i] == 0;
    for (int i = 0; i < t->rank && !none; i++)
        if ((uint64_t)t->shape[i] > MOST_BYTES || (*bytes *= (uint64_t)t->shape[i]) > MOST_BYTES)
            return false;
    *bytes = none ? 0 : *bytes;
    return true;
}

/* Numbers that rise, ranges that lie in their bytes, letters; or whatever comes. */
static void fill(Bytes *b, int name, const StTensor *t, Buf *to)
{
    size_t n = (size_t)(t->end - t->begin);
    char *p = buf_room(to, n + 8);
    to->n += n;
    bool rows = name == 0, range = t->type == DT_I64 && t->rank == 2 && t->shape[1] == 2;
    if (n && next(b) % 8 && (rows || range || t->type == DT_I64)) {
        int64_t at = 0, count = (int64_t)n / 8;
        for (int64_t i = 0; i < count; i++) {
            int64_t step = next(b) % 4;
            if (rows)
                at = i == count - 1 ? b->tokens : i ? at + step : 0;
            else if (range && i % 2)
                at += step;
            else
                at = range && b->text ? (int64_t)(next(b) % b->text) : (int64_t)step;
            if (rows && at > b->tokens)
                at = b->tokens;
            if (range && at > (int64_t)b->text)
                at = (int64_t)b->text;
            memcpy(p + i * 8, &at, 8);
        }
        return;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = t->type == DT_U8 ? "abc \n\t\"\x1b"[next(b) % 8] : (char)next(b);
}

static void add_meta(StHeader *h, const char *key, const char *value)
{
    h->key = mem_resize(h->key, (size_t)h->keys + 1, sizeof *h->key);
    h->value = mem_resize(h->value, (size_t)h->keys + 1, sizeof *h->value);
    h->key[h->keys] = mem_str(key);
    h->value[h->keys++] = mem_str(value);
}

static void add_metas(Bytes *b, StHeader *h, bool last)
{
    static const char *const task[] = {"class", "mask", "next",      "token",
                                       "span",  "lm",   "zero-shot", "x"};
    static const char *const classes[] = {
        "[\"neg\",\"pos\"]", "[\"O\",\"B-X\",\"I-X\"]", "[\"a\"]", "[]", "{}", "[\"a\",\"a\"]"};
    unsigned how = next(b);
    add_meta(h, "weft", "1");
    if (how & 1)
        add_meta(h, "task", task[next(b) % 8]);
    if (how & 2)
        add_meta(h, "classes", classes[next(b) % 6]);
    if (how & 4)
        add_meta(h, "candidates", classes[next(b) % 6]);
    if (how & 8)
        add_meta(h, "problem", how & 16 ? "multi_label_classification" : "regression");
    if (how & 32)
        add_meta(h, "labels", classes[next(b) % 6]);
    if (last || how & 64)
        add_meta(h, "end", how & 128 ? "failed" : "ok");
}

/* As st_layout does, whatever the shapes; `end` is the size before. */
static void lay_out(StHeader *h, int *of)
{
    StTensor t[MOST_TENSORS];
    int name[MOST_TENSORS], n = 0;
    for (size_t size = 8; size; size /= 2)
        for (int i = 0; i < h->count; i++)
            if (dtype_size(h->tensor[i].type) == size) {
                name[n] = of[i];
                t[n] = h->tensor[i];
                t[n].begin = h->data;
                t[n++].end += h->data;
                h->data = t[n - 1].end;
            }
    memcpy(h->tensor, t, (size_t)n * sizeof *t);
    memcpy(of, name, (size_t)n * sizeof *of);
}

static void build_frame(Bytes *b, bool last, Buf *out)
{
    StHeader h = {0};
    Buf data = {0};
    unsigned sizes = next(b);
    bool used[NAMES] = {false};
    int of[MOST_TENSORS], count = (int)(next(b) % (MOST_TENSORS + 1));
    b->rows = sizes % 8 == 7 ? odd_size(b) : sizes % 8;
    b->tokens = sizes / 8 % 16;
    b->picks = sizes / 128 * (next(b) % 4);
    b->text = next(b) % 32;
    add_metas(b, &h, last);
    h.tensor = mem_zero(MOST_TENSORS, sizeof *h.tensor);
    for (int i = 0; i < count; i++) {
        int name = (int)(next(b) % NAMES);
        StTensor *t = &h.tensor[h.count];
        choose_shape(b, name, t);
        if (used[name] || !bytes_of(t, &t->end))
            continue;
        used[name] = true;
        t->name = mem_str(names[name]);
        of[h.count++] = name;
    }
    lay_out(&h, of);
    st_format(&h, out);
    for (int i = 0; i < h.count; i++)
        fill(b, of[i], &h.tensor[i], &data);
    buf_add(out, data.p, data.n);
    free(data.p);
    st_clear(&h);
}

Str fuzz_stream(const uint8_t *p, size_t n)
{
    Bytes b = {.p = p, .n = n};
    Buf out = {0};
    unsigned how = next(&b);
    if (how == 0) {
        buf_add(&out, b.p, b.n);
        buf_room(&out, 1);
        return str_of(out.p, out.n);
    }
    for (unsigned frames = 1 + how % MOST_FRAMES; frames; frames--)
        build_frame(&b, frames == 1, &out);
    return str_of(out.p, out.n);
}
