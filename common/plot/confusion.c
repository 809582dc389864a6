#include "plot/confusion.h"

#include "base/num.h"
#include "plot/lines.h"
#include "store/jsonfile.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    REPORT_MOST = 1 << 26,
    NAME_CHARS = 24,
    WRITTEN = 30 /* classes whose cells have numbers */
};
#define COUNT_MOST 1e15

typedef struct Matrix {
    char **name;   /* [n] */
    double *count; /* [n, n] */
    int64_t n;
} Matrix;

static void matrix_free(Matrix *m)
{
    for (int64_t i = 0; i < m->n; i++)
        free(m->name[i]);
    free(m->name);
    free(m->count);
}

static int matrix_new(Matrix *m, int64_t n, Err *e)
{
    if (n < 2)
        return err_set(e, "the confusion matrix has fewer than two classes");
    if (n > CHART_SIDE)
        return err_set(e, "%" PRId64 " classes: more than %d cannot be drawn", n, CHART_SIDE);
    m->n = n;
    m->name = mem_zero((size_t)n, sizeof *m->name);
    m->count = mem_zero((size_t)(n * n), sizeof *m->count);
    return 0;
}

static int take_count(Matrix *m, int64_t at, double v, Err *e)
{
    if (!(v >= 0 && v <= COUNT_MOST))
        return err_set(e, "%g is no number of rows", v);
    m->count[at] = v;
    return 0;
}

/* ---- as text ---- */

static Str cut_line(Str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    Str line = str_of(text->p, end ? (size_t)(end - text->p) : text->n);
    size_t past = line.n + (end != NULL);
    *text = str_of(text->p + past, text->n - past);
    return line;
}

static bool same(Str a, const char *b)
{
    return a.n == strlen(b) && memcmp(a.p, b, a.n) == 0;
}

/* The line `gold` with the classes, which begins a part of its own: a class may be called so, too.
 */
static bool find_matrix(Str *text, Str *head)
{
    Str field;
    for (bool blank = true; text->n;) {
        Str line = cut_line(text);
        if (blank && lines_fields(line, &field, 1) > 1 && same(field, "gold")) {
            *head = line;
            return true;
        }
        blank = !line.n;
    }
    return false;
}

static int read_row(Matrix *m, int64_t row, Str line, Str *field, Err *e)
{
    if (lines_fields(line, field, m->n + 1) != m->n + 1)
        return err_set(e,
                       "the confusion matrix's row %" PRId64 " has not %" PRId64 " counts: is "
                       "the report cut?",
                       row + 1, m->n);
    if (!same(field[0], m->name[row]))
        return err_set(e, "the confusion matrix's row %" PRId64 " is not that of '%s'", row + 1,
                       m->name[row]);
    for (int64_t i = 0; i < m->n; i++) {
        double v;
        char *s = mem_strn(field[i + 1].p, field[i + 1].n);
        int bad = num_real(s, 0, COUNT_MOST, &v, e) < 0 || take_count(m, row * m->n + i, v, e) < 0;
        free(s);
        if (bad)
            return -1;
    }
    return 0;
}

static int read_text(Matrix *m, Str text, Err *e)
{
    Str head;
    if (!find_matrix(&text, &head))
        return err_set(e, "no confusion matrix: pipe what `score --eval` says of classes, with or "
                          "without --json");
    int64_t n = lines_fields(head, NULL, 0);
    if (matrix_new(m, n - 1, e) < 0)
        return -1;
    Str *field = mem_array((size_t)n, sizeof *field);
    lines_fields(head, field, n);
    for (int64_t i = 0; i < m->n; i++)
        m->name[i] = mem_strn(field[i + 1].p, field[i + 1].n);
    int status = 0;
    for (int64_t i = 0; status == 0 && i < m->n; i++)
        status = read_row(m, i, cut_line(&text), field, e);
    free(field);
    return status == 0 && text.n ? err_set(e, "more stands behind the confusion matrix: one at a "
                                              "time")
                                 : status;
}

/* ---- as JSON ---- */

static int read_cells(Matrix *m, const json_t *rows, Err *e)
{
    for (int64_t i = 0; i < m->n; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        if ((int64_t)json_array_size(row) != m->n)
            return err_set(e, "'confusion' has not as many rows and columns as there are labels");
        for (int64_t k = 0; k < m->n; k++) {
            const json_t *v = json_array_get(row, (size_t)k);
            if (take_count(m, i * m->n + k, json_is_number(v) ? json_number_value(v) : NAN, e) < 0)
                return -1;
        }
    }
    return 0;
}

static int read_object(Matrix *m, const json_t *o, Err *e)
{
    const json_t *labels = json_object_get(o, "labels"), *rows = json_object_get(o, "confusion");
    if (!json_is_array(labels) || !json_is_array(rows))
        return err_set(e, "no 'labels' and 'confusion' in it: pipe what `score --eval --json` says "
                          "of classes");
    if (matrix_new(m, (int64_t)json_array_size(labels), e) < 0)
        return -1;
    for (int64_t i = 0; i < m->n; i++) {
        const char *name = json_string_value(json_array_get(labels, (size_t)i));
        if (!name)
            return err_set(e, "'labels' has something that is no string");
        m->name[i] = mem_str(name);
    }
    return read_cells(m, rows, e);
}

static int read_json(Matrix *m, Str text, Err *e)
{
    json_error_t why;
    json_t *o = json_read(text, 0, &why);
    if (!o)
        return err_set(e, "line %d: %s", why.line, why.text);
    int status = read_object(m, o, e);
    json_decref(o);
    return status;
}

/* ---- drawn ---- */

/* 12, .857 of its row; large counts as 12.3k would hide what adds up. */
static char *cell_text(double count, double share)
{
    return isnan(share) ? mem_fmt("%.10g", count) : mem_fmt("%.10g\n%.1f %%", count, 100 * share);
}

static Chart *draw(const Matrix *m)
{
    Chart *c = chart_new();
    double right = 0, all = 0;
    chart_heat(c, 1, m->n, m->n);
    Panel *p = &c->panel[0];
    if (m->n <= WRITTEN)
        p->text = mem_zero((size_t)(m->n * m->n), sizeof *p->text);
    c->row_name = mem_zero((size_t)m->n, sizeof *c->row_name);
    c->col_name = mem_zero((size_t)m->n, sizeof *c->col_name);
    for (int64_t i = 0; i < m->n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < m->n; k++)
            sum += m->count[i * m->n + k];
        for (int64_t k = 0; k < m->n; k++) {
            double count = m->count[i * m->n + k], share = sum > 0 ? count / sum : NAN;
            p->value[i * m->n + k] = share;
            if (p->text)
                p->text[i * m->n + k] = cell_text(count, share);
        }
        Str name = str_of(m->name[i], strlen(m->name[i]));
        c->row_name[i] = chart_text(name, NAME_CHARS);
        c->col_name[i] = chart_text(name, NAME_CHARS);
        right += m->count[i * m->n + i];
        all += sum;
    }
    c->high = 1;
    c->title = all > 0 ? mem_fmt("Confusion matrix: %.10g rows, accuracy %.3f", all, right / all)
                       : mem_str("Confusion matrix: no rows");
    c->label[AXIS_X] = mem_str("Predicted");
    c->label[AXIS_LEFT] = mem_str("Gold");
    c->scale = mem_str("Share of the gold label's rows");
    return c;
}

Chart *confusion_chart(char **file, Err *e)
{
    Buf b = {0};
    Matrix m = {0};
    Chart *c = NULL;
    int status = lines_all(file, REPORT_MOST, &b, e);
    if (status == 0) {
        size_t blank = b.n ? strspn(b.p, " \t\r\n") : 0;
        Str text = str_of(b.p, b.n);
        if (blank == b.n)
            status = err_set(e, "empty: did the program before fail?");
        else
            status = b.p[blank] == '{' ? read_json(&m, text, e) : read_text(&m, text, e);
        if (status < 0)
            err_at(e, "%s", file ? *file : "stdin");
    }
    if (status == 0)
        c = draw(&m);
    matrix_free(&m);
    free(b.p);
    return c;
}
