#include "plot/canvas.h"
#include "plot/draw_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Plane {
    const Chart *chart;
    const Page *page;
    Scale scale[AXIS_COUNT];
    bool right;        /* there is a right axis */
    int64_t margin[2]; /* columns for the numbers at the left and right */
    Canvas canvas;
} Plane;

/* Where a value stands on an axis of so many dots. */
static int64_t place(Scale s, double v, int64_t dots)
{
    double at = (v - s.lo) / (s.hi - s.lo) * (double)(dots - 1);
    return (int64_t)floor(at + 0.5);
}

static int64_t x_of(const Plane *p, double v)
{
    return place(p->scale[AXIS_X], v, p->canvas.across);
}

static int64_t y_of(const Plane *p, const Series *s, double v)
{
    return place(p->scale[s->right ? AXIS_RIGHT : AXIS_LEFT], v, p->canvas.down);
}

/* ---- what stands in it ---- */

static void draw_line(Plane *p, const Series *s, int owner)
{
    int64_t x = 0, y = 0;
    for (int64_t i = 0; i < s->n; i++) {
        int64_t nx = x_of(p, s->x[i]), ny = y_of(p, s, s->y[i]);
        canvas_line(&p->canvas, i ? x : nx, i ? y : ny, nx, ny, owner);
        x = nx;
        y = ny;
    }
    if (s->n && s->name && !p->page->colour)
        canvas_letter(&p->canvas, x, y, owner);
}

static void draw_points(Plane *p, const Series *s, int owner)
{
    for (int64_t i = 0; i < s->n; i++)
        canvas_letter(&p->canvas, x_of(p, s->x[i]), y_of(p, s, s->y[i]), owner);
}

/* Bars of a second series have every other dot: without colours they can be told apart. */
static void draw_bar(Plane *p, int64_t from, int64_t to, int64_t base, int64_t top, int turn,
                     int owner)
{
    for (int64_t x = from; x <= to; x++)
        for (int64_t y = base; y <= top; y++)
            if (!turn || !p->canvas.braille || (x + y) % 2 == 0)
                canvas_dot(&p->canvas, x, y, owner);
}

static void draw_bars(Plane *p, const Series *s, int bar, int bars, int owner)
{
    double wide = p->chart->bar / bars;
    for (int64_t i = 0; i < s->n; i++) {
        double from = s->x[i] - p->chart->bar / 2 + bar * wide;
        int64_t left = x_of(p, from), right = x_of(p, from + wide) - 1;
        if (s->y[i] != 0)
            draw_bar(p, left, right > left ? right : left, y_of(p, s, 0), y_of(p, s, s->y[i]), bar,
                     owner);
    }
}

static void draw_all(Plane *p)
{
    const Chart *c = p->chart;
    int bars = 0, bar = 0;
    for (int i = 0; i < c->count; i++)
        bars += c->series[i].mark == MARK_BAR;
    for (int i = 0; i < c->count; i++) {
        const Series *s = &c->series[i];
        switch (s->mark) {
        case MARK_LINE:
        case MARK_DASH: draw_line(p, s, i); break;
        case MARK_POINT: draw_points(p, s, i); break;
        case MARK_BAR: draw_bars(p, s, bar++, bars, i); break;
        }
    }
}

/* ---- its frame ---- */

enum { NUMBER = 32 };

/* A tick's number; what is nearly 0 beside the step is 0. */
static void number(char text[NUMBER], double v, double step)
{
    snprintf(text, NUMBER, "%.10g", fabs(v) < 1e-6 * step ? 0 : v);
}

static int ticks(Scale s)
{
    return (int)floor((s.hi - s.lo) / s.step + 0.5) + 1;
}

static int64_t number_columns(Scale s)
{
    char text[NUMBER];
    size_t most = 0;
    for (int i = 0; i < ticks(s); i++) {
        number(text, s.lo + i * s.step, s.step);
        most = strlen(text) > most ? strlen(text) : most;
    }
    return (int64_t)most;
}

/* Is there a tick's number on this line? */
static bool line_number(const Plane *p, int axis, int64_t line, char text[NUMBER])
{
    Scale s = p->scale[axis];
    for (int i = 0; i < ticks(s); i++) {
        double v = s.lo + i * s.step;
        if (p->canvas.height - 1 - place(s, v, p->canvas.height) == line) {
            number(text, v, s.step);
            return true;
        }
    }
    return false;
}

static void put_line(Buf *b, const Plane *p, int64_t line)
{
    const bool utf8 = p->page->utf8;
    char text[NUMBER] = "";
    bool at = line_number(p, AXIS_LEFT, line, text);
    put_right(b, text, p->margin[0], p->page);
    buf_str(b, at ? utf8 ? " \u2524" : " +" : utf8 ? " \u2502" : " |");
    canvas_put(b, &p->canvas, line);
    if (p->right) {
        text[0] = '\0';
        at = line_number(p, AXIS_RIGHT, line, text);
        buf_str(b, at ? utf8 ? "\u251c " : "+ " : utf8 ? "\u2502" : "|");
        buf_str(b, text);
    }
    end_line(b);
}

/* The axis below, and its numbers where they do not touch each other. */
static void put_foot(Buf *b, const Plane *p)
{
    Scale s = p->scale[AXIS_X];
    Buf numbers = {0};
    const int64_t width = p->canvas.width, from = p->margin[0] + 2;
    bool *tick = mem_zero((size_t)width, sizeof *tick);
    for (int i = 0; i < ticks(s); i++) {
        char text[NUMBER];
        number(text, s.lo + i * s.step, s.step);
        int64_t at = place(s, s.lo + i * s.step, width), n = (int64_t)strlen(text);
        int64_t begin = from + at - n / 2;
        tick[at] = true;
        if (numbers.n && begin < (int64_t)numbers.n + 1)
            continue;
        put_blanks(&numbers, begin - (int64_t)numbers.n);
        buf_str(&numbers, text);
    }
    put_blanks(b, from - 1);
    buf_str(b, p->page->utf8 ? "\u2514" : "+");
    for (int64_t x = 0; x < width; x++)
        buf_str(b, tick[x] ? p->page->utf8 ? "\u252c" : "+" : p->page->utf8 ? "\u2500" : "-");
    buf_str(b, !p->right ? "" : p->page->utf8 ? "\u2518" : "+");
    end_line(b);
    buf_add(b, numbers.p, numbers.n);
    end_line(b);
    free(numbers.p);
    free(tick);
}

static void put_legend(Buf *b, const Plane *p)
{
    for (int i = 0, bar = 0; i < p->chart->count; i++) {
        const Series *s = &p->chart->series[i];
        bool bars = s->mark == MARK_BAR;
        if (!s->name)
            continue;
        put_blanks(b, p->margin[0] + 2);
        canvas_colour(b, &p->canvas, i);
        if (bars && p->page->utf8)
            buf_str(b, bar ? "\u2895" : "\u28ff");
        else
            buf_fmt(b, "%c", canvas_mark(i));
        bar += bars;
        canvas_plain(b, &p->canvas);
        buf_str(b, "  ");
        put_columns(b, s->name, p->page->width - p->margin[0] - 5, p->page);
        end_line(b);
    }
}

/* The title in the middle, and the y axes' labels above them. */
static void put_head(Buf *b, const Plane *p)
{
    const Chart *c = p->chart;
    if (c->title) {
        put_middle(b, c->title, p->page->width, p->page);
        end_line(b);
    }
    const char *left = c->label[AXIS_LEFT], *right = p->right ? c->label[AXIS_RIGHT] : NULL;
    if (left)
        put_columns(b, left, p->page->width, p->page);
    int64_t rest = p->page->width - (left ? text_columns(left, p->page) : 0);
    if (right && rest > text_columns(right, p->page))
        put_right(b, right, rest, p->page);
    if (left || right)
        end_line(b);
}

void draw_curves(Buf *b, const Chart *c, const Page *page)
{
    Plane p = {.chart = c, .page = page, .right = chart_has(c, AXIS_RIGHT)};
    for (int axis = 0; axis < AXIS_COUNT; axis++)
        p.scale[axis] = chart_scale(c, axis);
    p.margin[0] = number_columns(p.scale[AXIS_LEFT]);
    p.margin[1] = p.right ? number_columns(p.scale[AXIS_RIGHT]) + 2 : 1;
    int64_t width = page->width - p.margin[0] - 2 - p.margin[1];
    p.canvas = canvas_new(width > 10 ? width : 10, PAGE_ROWS, page->utf8, page->colour);
    draw_all(&p);
    put_head(b, &p);
    for (int64_t line = 0; line < p.canvas.height; line++)
        put_line(b, &p, line);
    put_foot(b, &p);
    if (c->label[AXIS_X]) {
        put_blanks(b, p.margin[0] + 2);
        put_middle(b, c->label[AXIS_X], p.canvas.width, page);
        end_line(b);
    }
    put_legend(b, &p);
    canvas_free(&p.canvas);
}
