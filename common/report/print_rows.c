#include "report/print_rows.h"

#include "base/write.h"

#include <string.h>

#define KEEP "row.keep."

/* Row i's part of a tensor over tokens or rows: `n` elements of one row's piece. */
typedef struct Piece {
    const Tensor *t;
    int64_t begin, n;
} Piece;

static int64_t width_of(const Tensor *t)
{
    int64_t w = 1;
    for (int i = 1; i < t->rank; i++)
        w *= t->shape[i];
    return w;
}

static Piece piece_of(const Frame *f, const char *name, int64_t row)
{
    Piece p = {.t = frame_get(f, name)};
    const Tensor *starts = frame_get(f, "row.tokens");
    if (!p.t || p.t->rank < 1)
        return (Piece){0};
    int64_t begin = row, end = row + 1;
    if (tensor_axis(name) == AXIS_TOKEN) {
        begin = starts ? ((const int64_t *)starts->data)[row] : 0;
        end = starts ? ((const int64_t *)starts->data)[row + 1] : 0;
    }
    p.n = (end - begin) * width_of(p.t);
    p.begin = begin * width_of(p.t);
    return p;
}

int64_t rows_length(const Frame *f, int64_t row)
{
    const Tensor *starts = frame_get(f, "row.tokens");
    const int64_t *at = starts ? starts->data : NULL;
    return at ? at[row + 1] - at[row] : 0;
}

static void put_number(Buf *b, const Tensor *t, int64_t i)
{
    double x = dtype_get(t->type, t->data, i);
    if (t->type == DT_F32 || t->type == DT_F16 || t->type == DT_BF16 || t->type == DT_F64)
        put_float(b, (float)x);
    else
        buf_fmt(b, "%lld", (long long)x);
}

static void put_key(Buf *b, const char *key, bool *first)
{
    buf_str(b, *first ? "" : ", ");
    put_json(b, str_of(key, strlen(key)));
    buf_str(b, ": ");
    *first = false;
}

static void put_text(Buf *b, const Frame *f, const char *name, const char *key, int64_t row,
                     bool *first)
{
    if (!frame_get(f, name))
        return;
    Str s = frame_text(f, name, row);
    put_key(b, key, first);
    if (s.n || strcmp(name, "row.label") != 0)
        put_json(b, s);
    else
        buf_str(b, "null");
}

static void put_list(Buf *b, const Frame *f, const char *name, const char *key, int64_t row,
                     bool *first)
{
    Piece p = piece_of(f, name, row);
    if (!p.t)
        return;
    put_key(b, key, first);
    for (int64_t i = 0; i < p.n; i++) {
        buf_str(b, i ? ", " : "[");
        put_number(b, p.t, p.begin + i);
    }
    buf_str(b, p.n ? "]" : "[]");
}

/* How a generated row ends, and its score. */
static void put_made(Buf *b, const Frame *f, int64_t row, bool *first)
{
    const char *finish = frame_finish(f, row);
    Piece p = piece_of(f, "row.score", row);
    if (finish) {
        put_key(b, "finish", first);
        put_json(b, str_of(finish, strlen(finish)));
    }
    if (p.t) {
        put_key(b, "score", first);
        put_number(b, p.t, p.begin);
    }
}

static void put_spans(Buf *b, const Frame *f, int64_t row, bool *first)
{
    Piece p = piece_of(f, "token.span", row);
    if (!p.t)
        return;
    const int32_t *v = (const int32_t *)p.t->data + p.begin;
    put_key(b, "spans", first);
    for (int64_t i = 0; i < p.n; i += 2)
        buf_fmt(b, "%s[%d, %d]", i ? ", " : "[", (int)v[i], (int)v[i + 1]);
    buf_str(b, p.n ? "]" : "[]");
}

static void put_tokens(Buf *b, const Frame *f, int64_t row, const Speller *s, bool *first)
{
    Piece p = piece_of(f, "token.id", row);
    if (!p.t || !s->token)
        return;
    put_key(b, "tokens", first);
    for (int64_t i = 0; i < p.n; i++) {
        Str token = s->token(s->vocab, ((const int32_t *)p.t->data)[p.begin + i]);
        buf_str(b, i ? ", " : "[");
        if (token.p)
            put_json(b, token);
        else
            buf_str(b, "null");
    }
    buf_str(b, p.n ? "]" : "[]");
}

static void put_keeps(Buf *b, const Frame *f, int64_t row, bool *first)
{
    bool none = true;
    for (int i = 0; i < f->count; i++) {
        const char *name = f->tensor[i].name;
        if (strncmp(name, KEEP, strlen(KEEP)) != 0)
            continue;
        if (none) {
            put_key(b, "keep", first);
            buf_str(b, "{");
        }
        bool at_first = none;
        put_text(b, f, name, name + strlen(KEEP), row, &at_first);
        none = false;
    }
    buf_str(b, none ? "" : "}");
}

void rows_put_json(Buf *b, const Frame *f, int64_t row, const Speller *s)
{
    bool first = true;
    buf_str(b, "{");
    put_text(b, f, "row.text", "text", row, &first);
    put_text(b, f, "row.pair", "pair", row, &first);
    put_text(b, f, "row.label", "label", row, &first);
    put_list(b, f, "token.id", "ids", row, &first);
    put_tokens(b, f, row, s, &first);
    put_spans(b, f, row, &first);
    put_list(b, f, "row.vector", "vector", row, &first);
    put_list(b, f, "row.logit", "logits", row, &first);
    put_made(b, f, row, &first);
    put_keeps(b, f, row, &first);
    buf_str(b, "}\n");
}

static void put_padded(Buf *b, Piece p, int64_t width, int64_t pad)
{
    for (int64_t i = 0; i < width; i++) {
        buf_str(b, i ? ", " : "[");
        if (i < p.n)
            put_number(b, p.t, p.begin + i);
        else
            buf_fmt(b, "%lld", (long long)pad);
    }
    buf_str(b, width ? "]" : "[]");
}

int rows_put_padded(Buf *b, const Frame *f, int64_t row, int64_t width, const Speller *s, Err *e)
{
    Piece id = piece_of(f, "token.id", row), type = piece_of(f, "token.type", row);
    if (!id.t)
        return frame_need(f, "token.id", DT_I32, 1, e) ? 0 : -1;
    if (id.n > width) {
        e->row = row + 1;
        return err_set(e, "%lld tokens, more than %lld: cut them with `tok -n %lld`",
                       (long long)id.n, (long long)width, (long long)width);
    }
    buf_str(b, "{\"input_ids\": ");
    put_padded(b, id, width, s->pad);
    if (type.t) {
        buf_str(b, ", \"token_type_ids\": ");
        put_padded(b, type, width, 0);
    }
    buf_str(b, ", \"attention_mask\": ");
    for (int64_t i = 0; i < width; i++)
        buf_fmt(b, "%s%d", i ? ", " : "[", i < id.n);
    buf_str(b, width ? "]}\n" : "[]}\n");
    return 0;
}

enum { SHORT_TEXT = 72, SHORT_LIST = 16 };

/* Control characters escaped, cut between two characters. */
static void put_cut(Buf *b, Str s)
{
    size_t n = s.n;
    if (n > SHORT_TEXT)
        for (n = SHORT_TEXT; n > 0 && (s.p[n] & 0xc0) == 0x80; n--)
            ;
    put_tsv(b, str_of(s.p, n));
    buf_str(b, n < s.n ? "...\n" : "\n");
}

static void put_short_text(Buf *b, const Frame *f, const char *name, const char *key, int64_t row)
{
    Str s = frame_text(f, name, row);
    if (!s.n)
        return;
    buf_fmt(b, "  %-7s ", key);
    put_cut(b, s);
}

static void put_short_list(Buf *b, const char *key, Piece p, const Speller *s)
{
    if (!p.t || (s && !s->token))
        return;
    buf_fmt(b, "  %-7s", key);
    for (int64_t i = 0; i < p.n && i < SHORT_LIST; i++) {
        double x = dtype_get(p.t->type, p.t->data, p.begin + i);
        Str token = s ? s->token(s->vocab, (int64_t)x) : str_of(NULL, 0);
        buf_str(b, " ");
        if (token.p)
            put_tsv(b, token);
        else
            buf_fmt(b, "%.6g", x);
    }
    if (p.n > SHORT_LIST)
        buf_fmt(b, " ... (%lld)", (long long)p.n);
    buf_str(b, "\n");
}

void rows_put_short(Buf *b, const Frame *f, int64_t row, int64_t number, const Speller *s)
{
    buf_fmt(b, "row %lld\n", (long long)number);
    put_short_text(b, f, "row.text", "text", row);
    put_short_text(b, f, "row.pair", "pair", row);
    put_short_text(b, f, "row.label", "label", row);
    put_short_list(b, "ids", piece_of(f, "token.id", row), NULL);
    put_short_list(b, "tokens", piece_of(f, "token.id", row), s);
    put_short_list(b, "vector", piece_of(f, "row.vector", row), NULL);
    put_short_list(b, "logits", piece_of(f, "row.logit", row), NULL);
}
