/* draw_in.h - what draw.c and its parts share. */
#ifndef WEFT_DRAW_IN_H
#define WEFT_DRAW_IN_H

#include "plot/draw.h"

/* Columns that a text takes; where there is no UTF-8, a `?` for each character that is no ASCII. */
int64_t text_columns(const char *text, const Page *p);
/* At most so many columns of it. */
void put_columns(Buf *b, const char *text, int64_t columns, const Page *p);
void put_blanks(Buf *b, int64_t n);
/* The text in the middle of so many columns, with nothing behind it; or at their right end. */
void put_middle(Buf *b, const char *text, int64_t columns, const Page *p);
void put_right(Buf *b, const char *text, int64_t columns, const Page *p);
void end_line(Buf *b); /* without the blanks at its end */

void draw_curves(Buf *out, const Chart *c, const Page *p);
int draw_heat(Buf *out, const Chart *c, const Page *p, Err *e);

#endif
