/* draw.h - a chart as text: curves in dots of Braille, or in letters where the terminal has no
 * UTF-8. */
#ifndef WEFT_DRAW_H
#define WEFT_DRAW_H

#include "plot/chart.h"

typedef struct Page {
    int64_t width; /* columns */
    bool utf8;     /* else ASCII */
    bool colour;   /* ANSI's; where not, a curve's letter stands at its end */
} Page;

enum { PAGE_LEAST = 40, PAGE_MOST = 1000, PAGE_ROWS = 20 /* of the area that is drawn in */ };

/* Of standard output: $COLUMNS, else the terminal's width, else 80; UTF-8 by the locale
 * (LC_CTYPE); colours on a terminal, unless $NO_COLOR is set or it is a dumb one. */
Page page_of_output(void);

/* -1: it does not fit. */
int draw_chart(Buf *out, const Chart *c, const Page *p, Err *e);

#endif
