/* chart.h - a picture before it is drawn: either curves, bars and points over two axes, or heat
 * maps of one shape beside each other. What draws it (picture.h, draw.h) knows nothing of where it
 * comes from. All texts in it may be shown as they are: chart_text() makes such. */
#ifndef WEFT_CHART_H
#define WEFT_CHART_H

#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>

typedef enum Mark {
    MARK_LINE,
    MARK_DASH, /* a line to compare with */
    MARK_POINT,
    MARK_BAR, /* from 0, `bar` wide, x in its middle; those of several series stand side by side */
} Mark;

typedef struct Series {
    char *name; /* in the legend; NULL: it has no line there */
    Mark mark;
    bool right; /* y counts on the right axis */
    double *x, *y;
    int64_t n;
} Series;

typedef struct Panel {
    char *title;   /* NULL: none */
    double *value; /* [rows, cols], the first row on top; NaN: an empty cell */
    char **text;   /* [rows, cols] in the cells; NULL: none */
} Panel;

enum { AXIS_X, AXIS_LEFT, AXIS_RIGHT, AXIS_COUNT };

typedef struct Chart {
    char *title, *label[AXIS_COUNT]; /* NULL: none */

    Series *series;
    int count;
    double bar;                 /* the width of a bar */
    bool whole[AXIS_COUNT];     /* it counts things: no ticks between whole numbers */
    double from[AXIS_COUNT][2]; /* what the axes must take in; NaN: nothing in particular */

    Panel *panel;
    int panels;
    int64_t rows, cols;
    char **row_name, **col_name; /* NULL: none */
    char *scale;                 /* what the colours mean */
    double low, high;            /* of the colours */
} Chart;

/* Bounds for what is drawn: readable, and in memory. */
enum {
    CHART_SERIES = 64,
    CHART_POINTS = 1 << 24, /* of a series */
    CHART_SIDE = 512,       /* rows or columns of a heat map */
};

Chart *chart_new(void);
void chart_free(Chart *c); /* NULL is fine */

/* A copy without control characters and with nothing that is no UTF-8 (both stand as \xNN), cut
 * to so many characters, the last of them an ellipsis; 0: not cut. */
char *chart_text(Str s, int64_t chars);
/* *to becomes chart_text() of the text, or stays where that is NULL. */
void chart_name(char **to, const char *text);

Series *chart_series(Chart *c, char *name, Mark mark); /* takes over the name */
void series_add(Series *s, double x, double y);        /* finite */
/* `panels` of rows x cols, their values NaN. */
void chart_heat(Chart *c, int panels, int64_t rows, int64_t cols);

/* An axis from lo to hi, which are multiples of step. */
typedef struct Scale {
    double lo, hi, step;
} Scale;
Scale scale_over(double lo, double hi, double least); /* step: at least so much */
/* Around all that counts on that axis. */
Scale chart_scale(const Chart *c, int axis);
bool chart_has(const Chart *c, int axis); /* does any series count on it? */

#endif
