#include "task/answer.h"

#include "base/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEEP "row.keep."

static bool is_keep(const Tensor *t)
{
    return strncmp(t->name, KEEP, strlen(KEEP)) == 0;
}

static NamedItems keeps(const Answers *a)
{
    return (NamedItems){a->keep, sizeof *a->keep};
}

static bool is_known(const Answers *a, const char *name)
{
    return name_find(&a->keep_index, keeps(a), str_of(name, strlen(name)), str_of("", 0)) >= 0;
}

/* A kept column that is called as one of ours is `text#2`: whoever asks for `label` wants the
 * answer. */
static void put_header(Answers *a, const char *columns)
{
    Buf ours = {0}, taken = {0}, name = {0};
    buf_fmt(&ours, "text%s,gold,%s,margin", a->pair ? ",pair" : "", columns);
    buf_fmt(&taken, ",row,%.*s,", (int)ours.n, ours.p);
    buf_str(&a->out, "row,");
    for (int i = 0; i < a->keeps; i++) {
        const char *kept = a->keep[i] + strlen(KEEP);
        for (int k = 1; k == 1 || memmem(taken.p, taken.n, name.p, name.n); k++) {
            char *called = k == 1 ? mem_str(kept) : mem_fmt("%s#%d", kept, k);
            name.n = 0;
            buf_str(&name, ",");
            put_csv(&name, str_of(called, strlen(called)));
            buf_str(&name, ",");
            free(called);
        }
        buf_add(&taken, name.p + 1, name.n - 1);
        buf_add(&a->out, name.p + 1, name.n - 1);
    }
    buf_fmt(&a->out, "%.*s\n", (int)ours.n, ours.p);
    free(ours.p);
    free(taken.p);
    free(name.p);
}

int answer_columns(Answers *a, const Frame *f, const char *columns, Err *e)
{
    if (a->format != FORMAT_CSV)
        return 0;
    bool pair = !a->alone && frame_get(f, "row.pair");
    if (a->begun && pair && !a->pair)
        return err_set(e, "a second text, which the first stream's rows had not: "
                          "score the streams apart");
    if (!a->begun)
        a->keep = mem_zero((size_t)f->count, sizeof *a->keep);
    for (int i = 0; i < f->count; i++) {
        const char *name = f->tensor[i].name;
        if (!is_keep(&f->tensor[i]) || is_known(a, name))
            continue;
        if (a->begun)
            return err_set(e,
                           "column '%.100s', which the first stream had not: "
                           "score the streams apart",
                           name + strlen(KEEP));
        a->keep[a->keeps++] = mem_str(name);
        name_added(&a->keep_index, keeps(a));
    }
    if (!a->begun) {
        a->pair = pair;
        put_header(a, columns);
    }
    a->begun = true;
    return 0;
}

int64_t answer_count(const Answers *a, int64_t usual, int64_t n)
{
    int64_t most = a->top == TOP_DEFAULT ? usual : a->top == TOP_ALL ? n : a->top;
    return most < n ? most : n;
}

static void put_field(Buf *b, const Frame *f, const char *tensor, int64_t row)
{
    put_csv(b, frame_text(f, tensor, row));
    buf_str(b, ",");
}

void answer_hold(const Answers *a, const Frame *f, int64_t row, Buf *to)
{
    if (a->format != FORMAT_CSV)
        return;
    for (int i = 0; i < a->keeps; i++)
        put_field(to, f, a->keep[i], row);
    put_field(to, f, "row.text", row);
    if (a->pair)
        put_field(to, f, "row.pair", row);
    put_field(to, f, "row.label", row);
}

void answer_row(Answers *a, const Frame *f, int64_t row)
{
    a->rows++;
    a->lead.n = 0;
    if (a->format == FORMAT_TSV && a->top != TOP_DEFAULT)
        buf_fmt(&a->lead, "%lld\t", (long long)a->rows);
    if (a->format != FORMAT_CSV)
        return;
    buf_fmt(&a->lead, "%lld,", (long long)a->rows);
    answer_hold(a, f, row, &a->lead);
}

void answer_group(Answers *a)
{
    a->rows++;
}

void answer_held(Answers *a, Str held)
{
    a->lead.n = 0;
    buf_fmt(&a->lead, "%lld%s", (long long)a->rows, a->format == FORMAT_CSV ? "," : "\t");
    buf_add(&a->lead, held.p, held.n);
}

static void put_cell(Answers *a, const Cell *c)
{
    if (c->kind == CELL_SCORE)
        put_score(&a->out, c->score);
    else if (c->kind == CELL_COUNT)
        buf_fmt(&a->out, "%lld", (long long)c->count);
    else if (a->format == FORMAT_CSV)
        put_csv(&a->out, c->text);
    else
        put_tsv(&a->out, c->text);
}

void answer_line(Answers *a, const Cell *cell, int cells, double margin)
{
    buf_add(&a->out, a->lead.p, a->lead.n);
    for (int i = 0; i < cells; i++) {
        if (i)
            buf_str(&a->out, a->format == FORMAT_CSV ? "," : "\t");
        put_cell(a, &cell[i]);
    }
    if (a->format == FORMAT_CSV)
        buf_str(&a->out, ",");
    if (a->format == FORMAT_CSV && !isnan(margin))
        put_score(&a->out, margin);
    buf_str(&a->out, "\n");
}

void answer_free(Answers *a)
{
    for (int i = 0; i < a->keeps; i++)
        free(a->keep[i]);
    free(a->keep);
    free(a->keep_index.at);
    free(a->lead.p);
    free(a->out.p);
}
