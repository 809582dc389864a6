#include "text/rows.h"

#include "base/num.h"
#include "io/stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PART_SPECIAL = 255, DIGITS = 24 };

/* A column of texts: their bytes, and for each row its range. */
typedef struct Column {
    char *name, *bytes_name; /* "row.text", "text.utf8" */
    Buf bytes, ranges;
} Column;

struct Rows {
    RowSpec spec;
    TokWork *work;
    const Template *template;
    int64_t rows, tokens, cut;
    Buf ends, id, part, type, span, source, weight; /* the tensors' data */
    Column *column;
    int columns;
    Tokens first, second;
};

static void column_new(Rows *r, const char *name)
{
    r->column[r->columns++] =
        (Column){.name = mem_fmt("row.%s", name), .bytes_name = mem_fmt("%s.utf8", name)};
}

Rows *rows_new(const RowSpec *spec)
{
    Rows *r = mem_zero(1, sizeof *r);
    r->spec = *spec;
    r->column = mem_zero((size_t)spec->keeps + 3, sizeof *r->column);
    if (spec->tokenizer) {
        r->work = tokwork_new(spec->tokenizer);
        r->template = tokenizer_template(spec->tokenizer, spec->pair);
        column_new(r, "text");
    }
    if (spec->pair)
        column_new(r, "pair");
    if (spec->label)
        column_new(r, "label");
    for (int i = 0; i < spec->keeps; i++) {
        char *name = mem_fmt("keep.%s", spec->keep[i]);
        column_new(r, name);
        free(name);
    }
    return r;
}

/* The next row's text in a column; `same`: the row before has it already. */
static void column_add(Column *c, Str s, bool same)
{
    int64_t range[2] = {(int64_t)c->bytes.n, (int64_t)(c->bytes.n + s.n)};
    if (same)
        memcpy(range, c->ranges.p + c->ranges.n - sizeof range, sizeof range);
    else
        buf_add(&c->bytes, s.p, s.n);
    buf_add(&c->ranges, range, sizeof range);
}

/* Everything of a row but its tokens, which have been added. `again`: another window of the
 * record before. */
static void end_row(Rows *r, const RowIn *in, bool again)
{
    int at = 0;
    r->rows++;
    buf_add(&r->ends, &r->tokens, sizeof r->tokens);
    buf_add(&r->source, &in->source, sizeof in->source);
    if (r->spec.weight)
        buf_add(&r->weight, &in->weight, sizeof in->weight);
    if (r->spec.tokenizer)
        column_add(&r->column[at++], in->text, again);
    if (r->spec.pair)
        column_add(&r->column[at++], in->pair, again);
    if (r->spec.label)
        column_add(&r->column[at++], in->label, again);
    for (int i = 0; i < r->spec.keeps; i++)
        column_add(&r->column[at++], in->keep[i], again);
}

/* n tokens of one part. span NULL: special ones, which stand for no bytes. */
static void add_tokens(Rows *r, const int32_t *id, const int32_t (*span)[2], size_t n, int part,
                       int type)
{
    buf_add(&r->id, id, n * sizeof *id);
    memset(buf_room(&r->part, n), part, n);
    r->part.n += n;
    memset(buf_room(&r->type, n), type, n);
    r->type.n += n;
    if (span)
        buf_add(&r->span, span, n * sizeof *span);
    else
        memset(buf_room(&r->span, n * sizeof *span), 0, n * sizeof *span);
    r->span.n = (r->id.n / sizeof *id) * sizeof *span;
    r->tokens += (int64_t)n;
}

/* Which tokens of a text a row has. */
typedef struct Slice {
    size_t at, n;
} Slice;

static void add_row(Rows *r, const RowIn *in, Slice first, Slice second, bool again)
{
    const Tokens *a = &r->first, *b = &r->second;
    for (int i = 0; i < r->template->count; i++) {
        const TemplateItem *t = &r->template->item[i];
        if (t->kind == ITEM_SPECIAL)
            add_tokens(r, &t->id, NULL, 1, PART_SPECIAL, t->type);
        else if (t->kind == ITEM_FIRST && first.n)
            add_tokens(r, a->id + first.at, a->span + first.at, first.n, 0, t->type);
        else if (t->kind == ITEM_SECOND && second.n)
            add_tokens(r, b->id + second.at, b->span + second.at, second.n, 1, t->type);
    }
    end_row(r, in, again);
}

/* What is left of texts of *n1 and *n2 tokens when both together have `room`. As the
 * reference does it: the longer one is cut to the other's length, then both in equal parts. */
static void cut_longest(size_t *n1, size_t *n2, size_t room)
{
    bool swap = *n1 > *n2;
    size_t small = swap ? *n2 : *n1, large;
    large = small > room || room - small < small ? small : room - small;
    if (small + large > room) {
        small = room / 2;
        large = small + room % 2;
    }
    *n1 = swap ? large : small;
    *n2 = swap ? small : large;
}

static int cut_one(size_t *n, size_t other, size_t room, const char *which, Err *e)
{
    if (other >= room)
        return err_set(e,
                       "%zu tokens are left for both texts, and the %s alone has %zu: "
                       "cut by --trunc longest",
                       room, which, other);
    *n = room - other;
    return 0;
}

static int add_cut(Rows *r, const RowIn *in, size_t room, Err *e)
{
    size_t n1 = r->first.n, n2 = r->second.n;
    Trunc trunc = r->spec.trunc;
    if (n1 + n2 > room) {
        if (!r->spec.pair)
            n1 = room;
        else if (trunc == TRUNC_LONGEST)
            cut_longest(&n1, &n2, room);
        else if (trunc == TRUNC_FIRST && cut_one(&n1, n2, room, "second", e) < 0)
            return -1;
        else if (trunc == TRUNC_SECOND && cut_one(&n2, n1, room, "first", e) < 0)
            return -1;
        r->cut++;
    }
    add_row(r, in, (Slice){0, n1}, (Slice){0, n2}, false);
    return 0;
}

/* Windows over one text, the other one whole in each. */
static int add_windows(Rows *r, const RowIn *in, size_t room, Err *e)
{
    bool second = r->spec.pair && r->spec.trunc != TRUNC_FIRST;
    size_t n = second ? r->second.n : r->first.n;
    size_t whole = second ? r->first.n : r->second.n;
    size_t width = whole < room ? room - whole : 0, stride = (size_t)r->spec.stride;
    if (whole + n <= room) {
        add_row(r, in, (Slice){0, r->first.n}, (Slice){0, r->second.n}, false);
        return 0;
    }
    if (width <= stride)
        return err_set(e, "windows of %zu tokens cannot overlap by %zu: lower -S or raise -n",
                       width, stride);
    for (size_t at = 0;; at += width - stride) {
        Slice part = {at, n - at < width ? n - at : width}, all = {0, whole};
        add_row(r, in, second ? all : part, second ? part : all, at > 0);
        if (at + part.n == n)
            return 0;
    }
}

/* "101 7592 102": a row of ids as they are. */
static int add_ids(Rows *r, const RowIn *in, Err *e)
{
    static const char apart[] = " \t,";
    const char *p = in->text.p, *end = p + in->text.n;
    size_t n = 0, max = r->spec.max ? (size_t)r->spec.max : SIZE_MAX;
    r->first.n = 0;
    while (p < end) {
        char number[DIGITS] = "";
        int64_t id;
        size_t len = 0;
        for (; p < end && !strchr(apart, *p); p++)
            if (len < sizeof number - 1)
                number[len++] = *p;
        if (len && num_int(number, 0, INT32_MAX, &id, e) < 0)
            return err_at(e, "id %zu", n + 1);
        if (len && n++ < max)
            tokens_add(&r->first, (int32_t)id, 0, 0);
        p++;
    }
    r->cut += n > max;
    add_tokens(r, r->first.id, NULL, r->first.n, 0, 0);
    end_row(r, in, false);
    return 0;
}

int rows_add(Rows *r, const RowIn *in, Err *e)
{
    const RowSpec *s = &r->spec;
    if (!s->tokenizer)
        return add_ids(r, in, e);
    size_t room = s->max ? (size_t)(s->max - r->template->specials) : SIZE_MAX;
    /* A single text that will be cut need not be read to its end. */
    size_t limit = s->max && !s->pair && s->stride < 0 ? room : 0;
    r->first.n = r->second.n = 0;
    tokenizer_encode(s->tokenizer, r->work, in->text, limit, &r->first);
    if (s->pair)
        tokenizer_encode(s->tokenizer, r->work, in->pair, 0, &r->second);
    return s->stride < 0 ? add_cut(r, in, room, e) : add_windows(r, in, room, e);
}

int64_t rows_waiting(const Rows *r)
{
    return r->rows;
}

int64_t rows_cut(const Rows *r)
{
    return r->cut;
}

bool rows_full(const Rows *r)
{
    size_t bytes = r->id.n + r->part.n + r->type.n + r->span.n;
    for (int i = 0; i < r->columns; i++)
        bytes += r->column[i].bytes.n;
    return r->tokens >= FRAME_TOKENS || r->rows >= FRAME_ROWS || bytes >= FRAME_BYTES;
}

/* Moves a buffer's bytes into a tensor of n elements (of `wide` numbers each, 1: a vector). */
static void give(Frame *f, const char *name, DType type, int64_t n, int64_t wide, Buf *b)
{
    int64_t shape[2] = {n, wide};
    void *to = frame_add(f, name, type, wide > 1 ? 2 : 1, shape);
    if (b->n)
        memcpy(to, b->p, b->n);
    b->n = 0;
}

Frame *rows_take(Rows *r)
{
    int64_t zero = 0, shape[1] = {r->rows + 1};
    Frame *f = frame_new(r->rows, r->tokens);
    if (!r->rows)
        return f;
    int64_t *ends = frame_add(f, "row.tokens", DT_I64, 1, shape);
    ends[0] = zero;
    memcpy(ends + 1, r->ends.p, r->ends.n);
    r->ends.n = 0;
    give(f, "token.id", DT_I32, r->tokens, 1, &r->id);
    give(f, "token.part", DT_U8, r->tokens, 1, &r->part);
    if (r->spec.tokenizer && tokenizer_has_types(r->spec.tokenizer))
        give(f, "token.type", DT_U8, r->tokens, 1, &r->type);
    if (r->spec.tokenizer)
        give(f, "token.span", DT_I32, r->tokens, 2, &r->span);
    give(f, "row.source", DT_I64, r->rows, 1, &r->source);
    if (r->spec.weight)
        give(f, "row.weight", DT_F32, r->rows, 1, &r->weight);
    for (int i = 0; i < r->columns; i++) {
        Column *c = &r->column[i];
        int64_t bytes = (int64_t)c->bytes.n;
        give(f, c->name, DT_I64, r->rows, 2, &c->ranges);
        give(f, c->bytes_name, DT_U8, bytes, 1, &c->bytes);
    }
    r->type.n = r->span.n = 0;
    r->rows = r->tokens = 0;
    return f;
}

void rows_free(Rows *r)
{
    if (!r)
        return;
    Buf *b[] = {&r->ends, &r->id, &r->part, &r->type, &r->span, &r->source, &r->weight};
    for (size_t i = 0; i < sizeof b / sizeof *b; i++)
        free(b[i]->p);
    for (int i = 0; i < r->columns; i++) {
        free(r->column[i].name);
        free(r->column[i].bytes_name);
        free(r->column[i].bytes.p);
        free(r->column[i].ranges.p);
    }
    free(r->column);
    tokwork_free(r->work);
    tokens_free(&r->first);
    tokens_free(&r->second);
    free(r);
}
