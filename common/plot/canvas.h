/* canvas.h - dots in the cells of a terminal: 2 x 4 a cell, by Braille's characters, or one. */
#ifndef WEFT_CANVAS_H
#define WEFT_CANVAS_H

#include "base/mem.h"

#include <stdbool.h>

typedef struct CanvasCell {
    unsigned char dots;  /* Braille's, U+2800 and these */
    unsigned char owner; /* 1 + whose dots came last; 0: nobody's */
    char letter;         /* instead of the dots; 0: none */
} CanvasCell;

typedef struct Canvas {
    int64_t width, height; /* cells */
    int64_t across, down;  /* dots */
    bool braille, colour;
    CanvasCell *cell;
} Canvas;

Canvas canvas_new(int64_t width, int64_t height, bool braille, bool colour);
void canvas_free(Canvas *c);

/* Dots count from the lower left. What lies outside is left out. */
void canvas_dot(Canvas *c, int64_t x, int64_t y, int owner);
void canvas_line(Canvas *c, int64_t x0, int64_t y0, int64_t x1, int64_t y1, int owner);
/* The letter that stands for somebody, in the dot's cell. */
void canvas_letter(Canvas *c, int64_t x, int64_t y, int owner);
char canvas_mark(int owner);

/* A line of cells, from the top. */
void canvas_put(Buf *b, const Canvas *c, int64_t line);
/* Begins and ends somebody's colour, where there are any. */
void canvas_colour(Buf *b, const Canvas *c, int owner);
void canvas_plain(Buf *b, const Canvas *c);

#endif
