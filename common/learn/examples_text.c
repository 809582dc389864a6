/* examples_text.c - the texts of rows whose answers are to be measured. */
#include "learn/examples_in.h"

#include <stdlib.h>
#include <string.h>

/* Windows of one record have one text, which is laid aside once. */
int texts_take(Reading *r, const ExampleRow *w, Err *e)
{
    ExampleTexts *t = &r->x->texts;
    ExampleText *to = &t->of[r->x->rows];
    Str text = frame_text(w->f, "row.pair", w->row), gold = frame_text(w->f, "row.label", w->row);
    int64_t record = record_step(&r->at, w->f, w->row);
    bool joins = r->x->rows > 0 && record == r->record;
    r->record = record;
    if (joins) {
        *to = to[-1];
        to->joins = true;
        return 0;
    }
    *to = (ExampleText){.text = r->text_bytes,
                        .text_n = (int64_t)text.n,
                        .gold = r->text_bytes + (int64_t)text.n,
                        .gold_n = (int64_t)gold.n};
    r->text_bytes += to->text_n + to->gold_n;
    t->unanswered = t->unanswered || !gold.n;
    return examples_lay(r, ASIDE_TEXTS, text.p, text.n, e) < 0 ||
                   examples_lay(r, ASIDE_TEXTS, gold.p, gold.n, e) < 0
               ? -1
               : 0;
}

int texts_tokens(Reading *r, const Frame *f, int64_t from, int64_t to, Err *e)
{
    const int64_t *at = frame_get(f, "row.tokens")->data;
    const int32_t(*span)[2] = frame_get(f, "token.span")->data;
    const uint8_t *part = frame_get(f, "token.part")->data;
    size_t n = (size_t)(at[to] - at[from]);
    return examples_lay(r, ASIDE_SPANS, span + at[from], n * sizeof *span, e) < 0 ||
                   examples_lay(r, ASIDE_PARTS, part + at[from], n, e) < 0
               ? -1
               : 0;
}

int texts_map(Reading *r, Err *e)
{
    ExampleTexts *t = &r->x->texts;
    size_t n = (size_t)r->x->tokens;
    t->bytes = examples_map(r->fd[ASIDE_TEXTS], (size_t)r->text_bytes, e);
    t->span = examples_map(r->fd[ASIDE_SPANS], n * sizeof *t->span, e);
    t->part = examples_map(r->fd[ASIDE_PARTS], n, e);
    return (t->bytes || !r->text_bytes) && t->span && t->part ? 0 : -1;
}

static Str bytes_of(const Examples *x, int64_t at, int64_t n)
{
    return str_of(x->texts.bytes ? x->texts.bytes + at : "", (size_t)n);
}

Str examples_context(const Examples *x, int64_t row)
{
    const ExampleText *t = &x->texts.of[row];
    return bytes_of(x, t->text, t->text_n);
}

Str examples_gold(const Examples *x, int64_t row)
{
    const ExampleText *t = &x->texts.of[row];
    return bytes_of(x, t->gold, t->gold_n);
}
