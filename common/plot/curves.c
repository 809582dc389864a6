#include "plot/curves.h"

#include "base/msg.h"
#include "base/num.h"
#include "plot/lines.h"
#include "plot/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS = 16, FIELDS = 1 << 14, NAME_CHARS = 48 };
#define NUMBER_MOST 1e300 /* so that no difference of two is infinite */

typedef struct Curves {
    const CurveSpec *spec;
    char *column[COLUMNS]; /* those of y, as asked for */
    int columns;
    Quantity y[COLUMNS]; /* what they are, once a header has told their names */
    Chart *chart;
} Curves;

/* A table as it is read. */
typedef struct Table {
    Curves *curves;
    const char *place;
    char **file;
    int64_t width;         /* fields a line */
    int64_t x, y[COLUMNS]; /* where the columns stand */
    char *names[COLUMNS];  /* and what they are called */
    int series;            /* of the chart: the first of this table's */
    int64_t left_out;      /* numbers that are not finite */
    int64_t short_line;    /* the line that had fewer fields; 0: none */
    int64_t short_fields;
} Table;

static int split_columns(Curves *c, Err *e)
{
    for (const char *p = c->spec->y;; p++) {
        size_t n = strcspn(p, ",");
        if (!n)
            return err_usage(e, "-y '%s': a column's name is empty", c->spec->y);
        if (c->columns == COLUMNS)
            return err_usage(e, "-y: more than %d columns", COLUMNS);
        c->column[c->columns++] = mem_strn(p, n);
        p += n;
        if (!*p)
            return 0;
    }
}

static int missing(const char *name, const Str *field, int64_t n, Err *e)
{
    Buf list = {0};
    for (int64_t i = 0; i < n; i++)
        buf_fmt(&list, "%s%.*s", i ? ", " : "", (int)field[i].n, field[i].p);
    err_set(e, "no column '%s': there are %.*s", name, (int)(list.n < 700 ? list.n : 700), list.p);
    free(list.p);
    return -1;
}

/* By name first, else by number from 1, as `tok -c` does. */
static int64_t find(const char *name, const Str *field, int64_t n, Err *e)
{
    int64_t number;
    for (int64_t i = 0; i < n; i++)
        if (field[i].n == strlen(name) && memcmp(field[i].p, name, field[i].n) == 0)
            return i;
    return num_int(name, 1, n, &number, NULL) == 0 ? number - 1 : missing(name, field, n, e);
}

/* The axes' labels and units, from the first table's header; those of others have to agree. */
static int settle_axes(Curves *c, const Table *t, const char *x, Err *e)
{
    Chart *chart = c->chart;
    if (!chart->label[AXIS_X])
        chart->label[AXIS_X] = quantity_label(x);
    const char *unit[2] = {NULL, NULL};
    for (int i = 0; i < c->columns; i++) {
        c->y[i] = quantity_of(t->names[i]);
        int axis = 0;
        while (axis < 2 && unit[axis] && strcmp(unit[axis], c->y[i].unit) != 0)
            axis++;
        if (axis == 2)
            return err_set(e,
                           "'%s', '%s' and '%s' have three units, and there are two axes: draw "
                           "them apart",
                           unit[0], unit[1], c->y[i].unit);
        unit[axis] = c->y[i].unit;
        c->y[i].right = axis;
    }
    for (int axis = 0; axis < 2; axis++)
        if (!chart->label[AXIS_LEFT + axis])
            chart->label[AXIS_LEFT + axis] = quantities_label(c->y, c->columns, axis);
    return 0;
}

/* "runs/a.tsv: loss (mean of 10)"; of a long path the end. */
static char *series_name(const Table *t, int i)
{
    const CurveSpec *spec = t->curves->spec;
    char *place = chart_text(str_of(t->place, strlen(t->place)), 0), *mean = NULL;
    char *column = chart_text(str_of(t->names[i], strlen(t->names[i])), NAME_CHARS);
    size_t n = strlen(place), from = n > NAME_CHARS ? n - NAME_CHARS : 0;
    while (from && ((unsigned char)place[from] & 0xc0) == 0x80)
        from++;
    if (spec->smooth > 1)
        mean = mem_fmt(" (mean of %" PRId64 ")", spec->smooth);
    char *name =
        mem_fmt("%s%s: %s%s", from ? "\xe2\x80\xa6" : "", place + from, column, mean ? mean : "");
    free(place);
    free(column);
    free(mean);
    return name;
}

static int read_header(Table *t, Str line, Err *e)
{
    Curves *c = t->curves;
    Str *field = mem_array(FIELDS, sizeof *field);
    char *x = NULL;
    t->width = lines_fields(line, field, FIELDS);
    int status = t->width > FIELDS ? err_set(e, "more than %d columns", FIELDS) : 0;
    t->x = status || !c->spec->x ? 0 : find(c->spec->x, field, t->width, e);
    status = status || t->x < 0 ? -1 : 0;
    for (int i = 0; status == 0 && i < c->columns; i++) {
        t->y[i] = find(c->column[i], field, t->width, e);
        if (t->y[i] < 0)
            status = -1;
        else
            t->names[i] = mem_strn(field[t->y[i]].p, field[t->y[i]].n);
    }
    if (status == 0) {
        x = mem_strn(field[t->x].p, field[t->x].n);
        status = settle_axes(c, t, x, e);
    }
    t->series = c->chart->count;
    if (status == 0 && c->chart->count + c->columns > CHART_SERIES)
        status = err_set(e, "more than %d curves: nobody tells them apart", CHART_SERIES);
    for (int i = 0; status == 0 && i < c->columns; i++)
        chart_series(c->chart, series_name(t, i), MARK_LINE)->right = c->y[i].right;
    free(x);
    free(field);
    return status;
}

/* Is it NaN or an infinity, as C and Python write them? */
static bool is_infinite(const char *s)
{
    static const char *const word[] = {"nan", "inf", "infinity"};
    s += *s == '-' || *s == '+';
    for (int i = 0; i < 3; i++)
        if (strcasecmp(s, word[i]) == 0)
            return true;
    return false;
}

/* 1: *v; 0: it is empty, or not finite. */
static int read_number(Table *t, Str field, const char *column, double *v, Err *e)
{
    if (!field.n)
        return 0;
    char *s = mem_strn(field.p, field.n);
    int k = is_infinite(s) ? 0 : num_real(s, -NUMBER_MOST, NUMBER_MOST, v, e) < 0 ? -1 : 1;
    t->left_out += k == 0;
    free(s);
    return k < 0 ? err_at(e, "column '%s'", column) : k;
}

static int read_line(Table *t, const Str *field, Err *e)
{
    Curves *c = t->curves;
    double x, y;
    int has_x = read_number(t, field[t->x], c->spec->x ? c->spec->x : "1", &x, e);
    for (int i = 0; has_x >= 0 && i < c->columns; i++) {
        int has_y = read_number(t, field[t->y[i]], t->names[i], &y, e);
        if (has_y < 0)
            return -1;
        Series *s = &c->chart->series[t->series + i];
        if (s->n == CHART_POINTS)
            return err_set(e, "more than %d points: take every tenth line (awk 'NR %% 10 == 1')",
                           CHART_POINTS);
        if (has_x && has_y)
            series_add(s, x, y);
    }
    return has_x < 0 ? -1 : 0;
}

static int other_fields(const Table *t, int64_t n, Err *e)
{
    return err_set(e, "%" PRId64 " field%s, but the header has %" PRId64, n, n == 1 ? "" : "s",
                   t->width);
}

/* A line of fewer fields is a fault if another follows it. */
static int take_line(Table *t, const Record *rec, Str *field, Err *e)
{
    Str line = rec->field[0];
    if (t->short_line)
        return other_fields(t, t->short_fields, e);
    if (!t->width)
        return read_header(t, line, e);
    int64_t n = lines_fields(line, field, t->width);
    if (n > t->width)
        return other_fields(t, n, e);
    if (n < t->width && !(n == 1 && !line.n)) {
        t->short_line = rec->in_file;
        t->short_fields = n;
        return 0;
    }
    return n < t->width ? 0 : read_line(t, field, e);
}

static int read_table(Table *t, Err *e)
{
    Records *r = lines_open(t->file);
    Str *field = mem_array(FIELDS, sizeof *field);
    Record rec;
    int k;
    while ((k = lines_next(r, &rec, e)) > 0)
        if (take_line(t, &rec, field, e) < 0) {
            int64_t at = t->short_line ? t->short_line : rec.in_file;
            k = err_at(e, "%s: line %" PRId64, t->place, at);
            break;
        }
    rec_close(r);
    free(field);
    if (k == 0 && !t->width)
        k = err_set(e, "%s: empty, and has no line with the columns' names", t->place);
    if (k == 0 && t->short_line)
        msg_note("%s: line %" PRId64 ", the last, is not whole: left out", t->place, t->short_line);
    if (k == 0 && t->left_out)
        msg_note("%s: left out %" PRId64 " numbers that are not finite", t->place, t->left_out);
    return k;
}

/* Sums of whole blocks of n from their beginning and to their end: what a window has of each is
 * added, and nothing is ever taken away again, which would lose small numbers beside large ones. */
static void smooth(Series *s, int64_t n)
{
    if (n < 2 || !s->n)
        return;
    double *to_end = mem_array((size_t)s->n, sizeof *to_end), begun = 0;
    for (int64_t i = s->n - 1; i >= 0; i--)
        to_end[i] = s->y[i] + (i + 1 < s->n && (i + 1) % n ? to_end[i + 1] : 0);
    for (int64_t i = 0; i < s->n; i++) {
        begun = s->y[i] + (i % n != 0 ? begun : 0);
        int64_t first = i - n + 1, count = i + 1 < n ? i + 1 : n;
        s->y[i] = (begun + (first > 0 && first % n ? to_end[first] : 0)) / (double)count;
    }
    free(to_end);
}

static int read_tables(Curves *c, char **files, int nfiles, Err *e)
{
    int status = 0;
    for (int i = 0; status == 0 && i < (nfiles ? nfiles : 1); i++) {
        bool in = !nfiles || strcmp(files[i], "-") == 0;
        Table t = {.curves = c, .place = in ? "stdin" : files[i], .file = in ? NULL : &files[i]};
        status = read_table(&t, e);
        for (int k = 0; k < c->columns; k++)
            free(t.names[k]);
    }
    return status;
}

Chart *curves_chart(char **files, int nfiles, const CurveSpec *spec, Err *e)
{
    Curves c = {.spec = spec, .chart = chart_new()};
    int64_t points = 0;
    int status = split_columns(&c, e) < 0 || read_tables(&c, files, nfiles, e) < 0 ? -1 : 0;
    for (int i = 0; status == 0 && i < c.chart->count; i++) {
        points += c.chart->series[i].n;
        smooth(&c.chart->series[i], spec->smooth);
    }
    if (status == 0 && !points)
        status = err_set(e, "no line has a number in both columns: nothing to draw");
    for (int i = 0; i < c.columns; i++)
        free(c.column[i]);
    if (status == 0)
        return c.chart;
    chart_free(c.chart);
    return NULL;
}
