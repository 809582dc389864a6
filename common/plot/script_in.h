/* script_in.h - what script.c and its parts share. */
#ifndef WEFT_SCRIPT_IN_H
#define WEFT_SCRIPT_IN_H

#include "plot/script.h"

#define FONT "DejaVu Sans" /* Debian's gnuplot brings it */
enum { FONT_SIZE = 12, TITLE_SIZE = 14, WIDTH = 800, HEIGHT = 600 };

/* A picture of so many points (of PNG: pixels). */
void script_begin(Buf *b, PictureKind kind, double width, double height);
void script_quote(Buf *b, const char *text);
/* How much room a text takes, about, in letters: the widest line of those n. */
double script_letters(char *const *text, int64_t n);

void script_heat(Buf *b, const Chart *c, PictureKind kind);

#endif
