#include "plot/chart.h"

#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

Chart *chart_new(void)
{
    Chart *c = mem_zero(1, sizeof *c);
    for (int i = 0; i < AXIS_COUNT; i++)
        c->from[i][0] = c->from[i][1] = NAN;
    return c;
}

static void free_names(char **name, int64_t n)
{
    for (int64_t i = 0; name && i < n; i++)
        free(name[i]);
    free(name);
}

void chart_free(Chart *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->count; i++) {
        free(c->series[i].name);
        free(c->series[i].x);
        free(c->series[i].y);
    }
    for (int i = 0; i < c->panels; i++) {
        free(c->panel[i].title);
        free(c->panel[i].value);
        free_names(c->panel[i].text, c->rows * c->cols);
    }
    for (int i = 0; i < AXIS_COUNT; i++)
        free(c->label[i]);
    free_names(c->row_name, c->rows);
    free_names(c->col_name, c->cols);
    free(c->series);
    free(c->panel);
    free(c->title);
    free(c->scale);
    free(c);
}

char *chart_text(Str s, int64_t chars)
{
    Buf b = {0};
    int64_t count = 0;
    size_t before_last = 0, len, control;
    for (size_t i = 0; i < s.n; i += control ? control : len) {
        if (count++ == chars && chars) {
            b.n = before_last;
            buf_str(&b, "\xe2\x80\xa6");
            break;
        }
        before_last = b.n;
        control = utf8_control(s.p + i, s.n - i, &len);
        if (control)
            b.n += utf8_escape(s.p + i, control, buf_room(&b, 4 * control));
        else
            buf_add(&b, s.p + i, len);
    }
    buf_add(&b, "", 1);
    return b.p;
}

void chart_name(char **to, const char *text)
{
    if (!text)
        return;
    free(*to);
    *to = chart_text(str_of(text, strlen(text)), 0);
}

Series *chart_series(Chart *c, char *name, Mark mark)
{
    c->series = mem_resize(c->series, (size_t)c->count + 1, sizeof *c->series);
    c->series[c->count] = (Series){.name = name, .mark = mark};
    return &c->series[c->count++];
}

void series_add(Series *s, double x, double y)
{
    if ((s->n & (s->n - 1)) == 0) { /* full at each power of two */
        size_t room = s->n ? 2 * (size_t)s->n : 1;
        s->x = mem_resize(s->x, room, sizeof *s->x);
        s->y = mem_resize(s->y, room, sizeof *s->y);
    }
    s->x[s->n] = x;
    s->y[s->n++] = y;
}

void chart_heat(Chart *c, int panels, int64_t rows, int64_t cols)
{
    c->panel = mem_zero((size_t)panels, sizeof *c->panel);
    c->panels = panels;
    c->rows = rows;
    c->cols = cols;
    for (int p = 0; p < panels; p++) {
        c->panel[p].value = mem_array((size_t)(rows * cols), sizeof(double));
        for (int64_t i = 0; i < rows * cols; i++)
            c->panel[p].value[i] = NAN;
    }
}

/* 1, 2 or 5 times a power of ten, at least x. */
static double round_up(double x)
{
    double ten = pow(10, floor(log10(x)));
    for (int i = 0; i < 3; i++)
        if (x <= ten * (double[]){1, 2, 5}[i] * (1 + 1e-9))
            return ten * (double[]){1, 2, 5}[i];
    return 10 * ten;
}

Scale scale_over(double lo, double hi, double least)
{
    double most = fmax(fabs(lo), fabs(hi));
    if (hi - lo <= 1e-9 * most || hi - lo < 1e-290) { /* one value: it stands in the middle */
        double pad = most > 1e-290 ? 0.1 * most : 1;
        lo -= pad;
        hi += pad;
    }
    double step = fmax(least, round_up((hi - lo) / 6));
    return (Scale){floor(lo / step + 1e-9) * step, ceil(hi / step - 1e-9) * step, step};
}

static bool counts_on(const Series *s, int axis)
{
    return s->n && (axis == AXIS_X || s->right == (axis == AXIS_RIGHT));
}

bool chart_has(const Chart *c, int axis)
{
    for (int i = 0; i < c->count; i++)
        if (counts_on(&c->series[i], axis))
            return true;
    return false;
}

Scale chart_scale(const Chart *c, int axis)
{
    double lo = c->from[axis][0], hi = c->from[axis][1];
    for (int i = 0; i < c->count; i++) {
        const Series *s = &c->series[i];
        const double *v = axis == AXIS_X ? s->x : s->y;
        double half = s->mark == MARK_BAR && axis == AXIS_X ? c->bar / 2 : 0;
        for (int64_t k = 0; counts_on(s, axis) && k < s->n; k++) {
            /* Of a NaN and a number these are the number. What counts things has none below 0,
             * though a bar may reach there. */
            lo = fmin(lo, v[k] >= 0 ? fmax(0, v[k] - half) : v[k] - half);
            hi = fmax(hi, v[k] + half);
        }
        if (s->mark == MARK_BAR && counts_on(s, axis) && axis != AXIS_X)
            lo = fmin(lo, 0);
    }
    double least = c->whole[axis] ? 1 : 0;
    return isnan(lo) ? (Scale){0, 1, 0.2} : scale_over(lo, hi, least);
}
