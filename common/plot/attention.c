#include "plot/attention.h"

#include "report/print_rows.h"
#include "report/stream_speller.h"

#include <inttypes.h>
#include <stdlib.h>

enum { NAME_CHARS = 16, HEADS_MOST = 64 };

typedef struct Attention {
    const AttentionSpec *spec;
    StreamSpeller speller;
    Chart *chart;
} Attention;

/* The token as it is spelt, else its id, else its number. */
static char *token_name(const Attention *a, const Frame *f, int64_t token, int64_t number)
{
    const Tensor *ids = frame_get(f, "token.id");
    const Speller *s = &a->speller.speller;
    if (!ids)
        return mem_fmt("%" PRId64, number + 1);
    int32_t id = ((const int32_t *)ids->data)[token];
    Str text = s->token ? s->token(s->vocab, id) : str_of(NULL, 0);
    return text.p ? chart_text(text, NAME_CHARS) : mem_fmt("%d", id);
}

static int check(const Tensor *t, int64_t n, int64_t layer, Err *e)
{
    if (n < 1 || n > t->shape[3])
        return err_set(e, "the row has %" PRId64 " tokens, token.attention has room for %" PRId64,
                       n, t->shape[3]);
    if (layer < 1 || layer > t->shape[1])
        return err_usage(e, "-L %" PRId64 ": the stream has layers 1 to %" PRId64, layer,
                         t->shape[1]);
    if (t->shape[2] < 1 || t->shape[2] > HEADS_MOST)
        return err_set(e, "%" PRId64 " heads: more than %d, or none, cannot be drawn", t->shape[2],
                       HEADS_MOST);
    if (n > CHART_SIDE)
        return err_set(e, "the row has %" PRId64 " tokens: more than %d cannot be drawn", n,
                       CHART_SIDE);
    return 0;
}

static void take_values(Chart *c, const Tensor *t, int64_t first, int64_t layer)
{
    for (int h = 0; h < c->panels; h++)
        for (int64_t i = 0; i < c->rows; i++) {
            int64_t at = (((first + i) * t->shape[1] + layer - 1) * t->shape[2] + h) * t->shape[3];
            for (int64_t k = 0; k < c->cols; k++) {
                double v = (double)((const float *)t->data)[at + k];
                c->panel[h].value[i * c->cols + k] = v;
                c->high = v > c->high ? v : c->high;
            }
        }
    c->high = c->high > 0 ? c->high : 1;
}

static int take_row(Attention *a, const Frame *f, int64_t row, Err *e)
{
    const Tensor *t = frame_get(f, "token.attention");
    if (!t || !frame_get(f, "row.tokens"))
        return err_set(e, "no token.attention: ask for it with `encode --attention`");
    if (t->type != DT_F32 || t->rank != 4)
        return err_set(e, "token.attention is not what `encode --attention` makes");
    int64_t layer = a->spec->layer ? a->spec->layer : t->shape[1];
    int64_t n = rows_length(f, row);
    if (check(t, n, layer, e) < 0 || stream_speller_find(&a->speller, f, e) < 0)
        return -1;
    int64_t first = ((const int64_t *)frame_get(f, "row.tokens")->data)[row];
    Chart *c = a->chart = chart_new();
    chart_heat(c, (int)t->shape[2], n, n);
    c->row_name = mem_zero((size_t)n, sizeof *c->row_name);
    c->col_name = mem_zero((size_t)n, sizeof *c->col_name);
    for (int64_t i = 0; i < n; i++) {
        c->row_name[i] = token_name(a, f, first + i, i);
        c->col_name[i] = mem_str(c->row_name[i]);
    }
    for (int h = 0; h < c->panels; h++)
        c->panel[h].title = mem_fmt("Head %d", h + 1);
    take_values(c, t, first, layer);
    c->title = mem_fmt("Attention in layer %" PRId64 ", row %" PRId64, layer, a->spec->row);
    c->label[AXIS_X] = mem_str("To the token");
    c->label[AXIS_LEFT] = mem_str("From the token");
    c->scale = mem_str("Weight");
    return 0;
}

Chart *attention_chart(In *in, const AttentionSpec *spec, Err *e)
{
    Attention a = {.spec = spec, .speller = {.model = spec->model}};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, e)) > 0) {
        int64_t row = spec->row - 1 - (in_rows(in) - f->rows);
        if (row >= 0 && row < f->rows && take_row(&a, f, row, e) < 0)
            k = e->usage ? -1 : err_at(e, "%s: row %" PRId64, in_place(in), spec->row);
        frame_free(f);
        if (k < 0)
            break;
    }
    if (k == 0 && !a.chart)
        k = err_set(e, "no row %" PRId64 ": the stream has %" PRId64, spec->row, in_rows(in));
    stream_speller_clear(&a.speller);
    if (k == 0)
        return a.chart;
    chart_free(a.chart);
    return NULL;
}
