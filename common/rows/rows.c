#include "rows/rows_in.h"

#include "io/stream.h"

#include <stdlib.h>
#include <string.h>

enum { PART_SPECIAL = 255, MUCH = 1 << 20 };

static Column *column_new(Rows *r, const char *name)
{
    Column *c = &r->column[r->columns++];
    *c = (Column){.name = mem_fmt("row.%s", name), .bytes_name = mem_fmt("%s.utf8", name)};
    return c;
}

static void tokenise_candidates(Rows *r)
{
    const RowSpec *s = &r->spec;
    r->candidate = mem_zero((size_t)s->candidates, sizeof *r->candidate);
    for (int i = 0; i < s->candidates; i++) {
        tokenizer_encode(s->tokenizer, r->work, s->candidate[i], 0, &r->candidate[i]);
        if (r->candidate[i].n > r->longest)
            r->longest = r->candidate[i].n;
    }
}

Rows *rows_new(const RowSpec *spec)
{
    Rows *r = mem_zero(1, sizeof *r);
    bool pair = spec->pair || spec->candidates;
    r->spec = *spec;
    r->left_out = -1;
    r->column = mem_zero((size_t)spec->keeps + 3, sizeof *r->column);
    if (spec->tokenizer) {
        r->work = tokwork_new(spec->tokenizer);
        r->template = tokenizer_template(spec->tokenizer, pair);
        r->left = tokenizer_cuts_left(spec->tokenizer);
        r->left_out = tokenizer_left_out(spec->tokenizer);
        r->characters = tokenizer_characters(spec->tokenizer) * spec->max;
        r->text = column_new(r, "text");
    }
    if (pair)
        r->pair = column_new(r, "pair");
    if (spec->label)
        column_new(r, "label");
    for (int i = 0; i < spec->keeps; i++) {
        char *name = mem_fmt("keep.%s", spec->keep[i]);
        column_new(r, name);
        free(name);
    }
    tokenise_candidates(r);
    return r;
}

/* What a column has for the record's rows. */
static void column_put(Column *c, Str s)
{
    c->next[0] = (int64_t)c->bytes.n;
    buf_add(&c->bytes, s.p, s.n);
    c->next[1] = (int64_t)c->bytes.n;
}

/* The candidates' texts stand once in a frame, before any row. */
static void put_candidates(Rows *r)
{
    if (r->rows)
        return;
    r->pair->bytes.n = 0;
    for (int i = 0; i < r->spec.candidates; i++)
        buf_add(&r->pair->bytes, r->spec.candidate[i].p, r->spec.candidate[i].n);
}

/* The record's texts into the columns; where the first of them lies then. */
static Str put_columns(Rows *r, const RowIn *in)
{
    const RowSpec *s = &r->spec;
    Column *c = r->column + (r->text != NULL) + (r->pair != NULL);
    if (r->text) {
        int64_t begin = (int64_t)r->text->bytes.n;
        if (s->prefix)
            buf_str(&r->text->bytes, s->prefix);
        column_put(r->text, in->text);
        r->text->next[0] = begin;
    }
    if (s->pair)
        column_put(r->pair, in->pair);
    else if (s->candidates)
        put_candidates(r);
    if (s->label)
        column_put(c++, in->label);
    for (int i = 0; i < s->keeps; i++)
        column_put(c++, in->keep[i]);
    if (!r->text)
        return in->text;
    return str_of(r->text->bytes.p ? r->text->bytes.p + r->text->next[0] : "",
                  (size_t)(r->text->next[1] - r->text->next[0]));
}

/* The record has made no row. */
static void drop_columns(Rows *r)
{
    for (int i = 0; i < r->columns; i++)
        if (&r->column[i] != r->pair || r->spec.pair)
            r->column[i].bytes.n = (size_t)r->column[i].next[0];
}

int rows_add(Rows *r, const RowIn *in, Err *e)
{
    Str text = put_columns(r, in);
    int bad = r->spec.tokenizer ? rows_fill(r, in, text, e) : rows_fill_ids(r, in, e);
    if (bad)
        drop_columns(r);
    return bad;
}

/* Takes what is left out from the row's last n tokens: how many go. */
static size_t leave_out(Rows *r, size_t begin, size_t n)
{
    Tokens *all = &r->all;
    size_t to = begin;
    for (size_t i = begin; i < begin + n; i++)
        if (all->id[i] != r->left_out) {
            all->id[to] = all->id[i];
            memmove(all->span[to++], all->span[i], sizeof *all->span);
        }
    size_t gone = begin + n - to, behind = all->n - begin - n;
    if (gone) {
        memmove(all->id + to, all->id + begin + n, behind * sizeof *all->id);
        memmove(all->span + to, all->span + begin + n, behind * sizeof *all->span);
    }
    all->n -= gone;
    return gone;
}

void rows_end(Rows *r, const RowIn *in, size_t first, size_t second)
{
    if (r->left_out >= 0 && !r->tags.any) { /* there are no special tokens then */
        second -= leave_out(r, r->all.n - second, second);
        first -= leave_out(r, r->all.n - second - first, first);
    }
    Held h = {.end = (int64_t)r->all.n,
              .source = in->source,
              .start = in->start,
              .n = {first, second},
              .weight = in->weight};
    r->rows++;
    buf_add(&r->held, &h, sizeof h);
    for (int i = 0; i < r->columns; i++)
        buf_add(&r->column[i].ranges, r->column[i].next, sizeof r->column[i].next);
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
    enum { TOKEN_BYTES = 14 }; /* id, span, part, type */
    size_t bytes = r->all.n * TOKEN_BYTES;
    for (int i = 0; i < r->columns; i++)
        bytes += r->column[i].bytes.n;
    return r->all.n >= FRAME_TOKENS || r->rows >= FRAME_ROWS || bytes >= FRAME_BYTES;
}

/* ---- frames ---- */

/* A tensor of n elements (of `wide` numbers each, 1: a vector) that begins like the bytes at p;
 * NULL: to be filled. */
static void *add(Frame *f, const char *name, DType type, int64_t n, int64_t wide, const void *p)
{
    int64_t shape[2] = {n, wide};
    void *to = frame_add(f, name, type, wide > 1 ? 2 : 1, shape);
    if (p && n)
        memcpy(to, p, (size_t)(n * wide) * dtype_size(type));
    return to;
}

/* add() of memory that grew: much of it (of one very long text) is not copied but taken over, and
 * NULL comes back instead of p. */
static void *add_grown(Frame *f, const char *name, DType type, int64_t n, int64_t wide, void *p)
{
    int64_t shape[2] = {n, wide};
    size_t bytes = (size_t)(n * wide) * dtype_size(type);
    if (bytes < MUCH) {
        add(f, name, type, n, wide, p);
        return p;
    }
    frame_adopt(f, name, type, wide > 1 ? 2 : 1, shape, block_of(p, bytes), p);
    return NULL;
}

static void add_buf(Frame *f, const char *name, DType type, int64_t n, int64_t wide, Buf *b)
{
    b->p = add_grown(f, name, type, n, wide, b->p);
    if (!b->p)
        *b = (Buf){0};
}

static void add_column(Frame *f, const char *name, const char *bytes_name, int64_t n, Buf *ranges,
                       Buf *bytes)
{
    add_buf(f, name, DT_I64, n, 2, ranges);
    add_buf(f, bytes_name, DT_U8, (int64_t)bytes->n, 1, bytes);
}

/* What stands at each place of the template, for every token: its part, or its type. */
static void fill(const Rows *r, uint8_t *to, bool types)
{
    const Held *h = (const Held *)r->held.p;
    const Template *t = r->template;
    for (int64_t i = 0; i < r->rows; i++, h++)
        for (int k = 0; k < t->count; k++) {
            const TemplateItem *item = &t->item[k];
            if (item->kind == ITEM_SPECIAL) {
                *to++ = types ? item->type : PART_SPECIAL;
                continue;
            }
            size_t n = h->n[item->kind == ITEM_SECOND];
            memset(to, types ? item->type : item->kind == ITEM_SECOND, n);
            to += n;
        }
}

/* Is there but one type, so that no row need be looked at? */
static bool one_type(const Template *t)
{
    for (int i = 1; i < t->count; i++)
        if (t->item[i].type != t->item[0].type)
            return false;
    return t->count > 0;
}

static void add_tokens(Rows *r, Frame *f)
{
    int64_t n = f->tokens;
    r->all.id = add_grown(f, "token.id", DT_I32, n, 1, r->all.id);
    uint8_t *part = add(f, "token.part", DT_U8, n, 1, NULL);
    if (!r->spec.tokenizer) {
        memset(part, 0, (size_t)n);
        return;
    }
    fill(r, part, false);
    if (tokenizer_has_types(r->spec.tokenizer)) {
        uint8_t *type = add(f, "token.type", DT_U8, n, 1, NULL);
        if (one_type(r->template))
            memset(type, r->template->item[0].type, (size_t)n);
        else
            fill(r, type, true);
    }
    r->all.span = add_grown(f, "token.span", DT_I32, n, 2, r->all.span);
    if (r->tags.any)
        add_column(f, "token.label", "label.utf8", n, &r->tags.ranges, &r->tags.bytes);
}

static void add_rows(Rows *r, Frame *f)
{
    const Held *h = (const Held *)r->held.p;
    int64_t *source = add(f, "row.source", DT_I64, f->rows, 1, NULL);
    float *weight = r->spec.weight ? add(f, "row.weight", DT_F32, f->rows, 1, NULL) : NULL;
    int64_t *start = r->spec.start ? add(f, "row.start", DT_I64, f->rows, 1, NULL) : NULL;
    for (int64_t i = 0; i < f->rows; i++) {
        source[i] = h[i].source;
        if (start)
            start[i] = h[i].start;
        if (weight)
            weight[i] = h[i].weight;
    }
    for (int i = 0; i < r->columns; i++)
        add_column(f, r->column[i].name, r->column[i].bytes_name, f->rows, &r->column[i].ranges,
                   &r->column[i].bytes);
}

static void begin_frame(Rows *r)
{
    if (!r->all.id || !r->all.span) /* the frame has one or both of them */
        tokens_free(&r->all);
    r->held.n = r->all.n = 0;
    r->rows = 0;
    r->tags.bytes.n = r->tags.ranges.n = r->tags.known.n = 0;
    for (int i = 0; i < r->columns; i++)
        r->column[i].bytes.n = r->column[i].ranges.n = 0;
}

Frame *rows_take(Rows *r)
{
    Frame *f = frame_new(r->rows, (int64_t)r->all.n);
    if (!r->rows)
        return f;
    const Held *h = (const Held *)r->held.p;
    int64_t *ends = add(f, "row.tokens", DT_I64, f->rows + 1, 1, NULL);
    ends[0] = 0;
    for (int64_t i = 0; i < f->rows; i++)
        ends[i + 1] = h[i].end;
    add_tokens(r, f);
    add_rows(r, f);
    begin_frame(r);
    return f;
}

void rows_free(Rows *r)
{
    if (!r)
        return;
    Buf *b[] = {&r->held,       &r->tags.bytes, &r->tags.ranges,
                &r->tags.known, &r->tags.word,  &r->tags.begins};
    for (size_t i = 0; i < sizeof b / sizeof *b; i++)
        free(b[i]->p);
    for (int i = 0; i < r->columns; i++) {
        free(r->column[i].name);
        free(r->column[i].bytes_name);
        free(r->column[i].bytes.p);
        free(r->column[i].ranges.p);
    }
    for (int i = 0; i < r->spec.candidates; i++)
        tokens_free(&r->candidate[i]);
    free(r->candidate);
    free(r->column);
    tokwork_free(r->work);
    tokens_free(&r->all);
    tokens_free(&r->first);
    tokens_free(&r->second);
    free(r);
}
