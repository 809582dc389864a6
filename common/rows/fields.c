#include "rows/fields.h"

#include "base/num.h"

#include <stdlib.h>
#include <string.h>

int fields_keep(Fields *f, const char *column)
{
    for (int i = 0; i < f->keeps; i++)
        if (strcmp(f->keep[i], column) == 0)
            return -1;
    f->keep = mem_resize(f->keep, (size_t)f->keeps + 1, sizeof *f->keep);
    f->keep[f->keeps++] = column;
    return 0;
}

void fields_ask(const Fields *f, RecSpec *in, RowSpec *rows)
{
    const char *const asked[] = {f->text, f->pair, f->label, f->weight, f->start};
    in->column = mem_array((size_t)f->keeps + 5, sizeof *in->column);
    in->columns = 0;
    for (int i = 0; i < 5; i++)
        if (asked[i])
            in->column[in->columns++] = asked[i];
    for (int i = 0; i < f->keeps; i++)
        in->column[in->columns++] = f->keep[i];
    in->needed = (f->text != NULL) + (f->pair != NULL);
    rows->pair = f->pair != NULL;
    rows->label = f->label != NULL;
    rows->weight = f->weight != NULL;
    rows->start = f->start != NULL;
    rows->keep = f->keep;
    rows->keeps = f->keeps;
    rows->labels = f->labels.count ? &f->labels : NULL;
}

static int weigh(Str s, float *weight, Err *e)
{
    double w = 0;
    char *text = mem_strn(s.p, s.n);
    int bad = num_real(text, 0, 1e30, &w, e);
    free(text);
    *weight = (float)w;
    return bad ? err_at(e, "weight") : 0;
}

/* Where an answer starts; of an empty one nowhere. */
static int begin(Str s, int64_t *start, Err *e)
{
    *start = -1;
    if (!s.n)
        return 0;
    char *text = mem_strn(s.p, s.n);
    int bad = num_int(text, 0, INT64_MAX, start, e);
    free(text);
    return bad ? err_at(e, "start") : 0;
}

int fields_row(const Fields *f, const RecSpec *in, const Record *rec, RowIn *row, Err *e)
{
    const Str *field = rec->field;
    for (int i = 0; i < in->needed; i++)
        if (rec->null[i])
            return err_set(e, "no text in '%s'", in->column[i]);
    *row = (RowIn){.text = *field++, .source = rec->number};
    if (in->kind == REC_CONLL) {
        row->word = rec->word;
        row->words = rec->words;
        if (!rec->null[1])
            row->tags = rec->field[1];
        return 0;
    }
    if (f->pair)
        row->pair = *field++;
    if (f->label && labels_name(&f->labels, *field++, &row->label, e) < 0)
        return -1;
    if (f->weight && weigh(*field++, &row->weight, e) < 0)
        return -1;
    if (f->start && begin(*field++, &row->start, e) < 0)
        return -1;
    row->keep = field;
    return 0;
}

void fields_clear(Fields *f)
{
    free(f->keep);
    labels_free(&f->labels);
}
