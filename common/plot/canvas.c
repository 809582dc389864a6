#include "plot/canvas.h"

#include "base/utf8.h"

#include <stdlib.h>

/* ANSI's colours that are near Okabe and Ito's on most terminals: blue, red, green, magenta,
 * yellow, cyan, and those that everybody has. */
static const int colour[] = {34, 31, 32, 35, 33, 36, 37, 90};
/* Letters for curves, where letters are all there is. */
static const char marks[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*+";

Canvas canvas_new(int64_t width, int64_t height, bool braille, bool colours)
{
    return (Canvas){
        .width = width,
        .height = height,
        .across = braille ? 2 * width : width,
        .down = braille ? 4 * height : height,
        .braille = braille,
        .colour = colours,
        .cell = mem_zero((size_t)(width * height), sizeof(CanvasCell)),
    };
}

void canvas_free(Canvas *c)
{
    free(c->cell);
}

static CanvasCell *cell_at(Canvas *c, int64_t x, int64_t y)
{
    if (x < 0 || y < 0 || x >= c->across || y >= c->down)
        return NULL;
    int64_t top = c->down - 1 - y;
    return c->braille ? &c->cell[top / 4 * c->width + x / 2] : &c->cell[top * c->width + x];
}

void canvas_dot(Canvas *c, int64_t x, int64_t y, int owner)
{
    static const unsigned char bit[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    CanvasCell *at = cell_at(c, x, y);
    if (!at)
        return;
    at->dots |= c->braille ? bit[(c->down - 1 - y) % 4][x % 2] : 1;
    at->owner = (unsigned char)(owner + 1);
}

/* Bresenham's ("Algorithm for computer control of a digital plotter", 1965). */
void canvas_line(Canvas *c, int64_t x0, int64_t y0, int64_t x1, int64_t y1, int owner)
{
    int64_t dx = llabs(x1 - x0), dy = -llabs(y1 - y0), off = dx + dy;
    int64_t sx = x0 < x1 ? 1 : -1, sy = y0 < y1 ? 1 : -1;
    for (;;) {
        canvas_dot(c, x0, y0, owner);
        if (x0 == x1 && y0 == y1)
            return;
        int64_t twice = 2 * off;
        if (twice >= dy) {
            off += dy;
            x0 += sx;
        }
        if (twice <= dx) {
            off += dx;
            y0 += sy;
        }
    }
}

char canvas_mark(int owner)
{
    return marks[owner % (int)(sizeof marks - 1)];
}

void canvas_letter(Canvas *c, int64_t x, int64_t y, int owner)
{
    CanvasCell *at = cell_at(c, x, y);
    if (!at)
        return;
    at->letter = canvas_mark(owner);
    at->owner = (unsigned char)(owner + 1);
}

void canvas_colour(Buf *b, const Canvas *c, int owner)
{
    if (c->colour)
        buf_fmt(b, "\033[%dm", colour[owner % 8]);
}

void canvas_plain(Buf *b, const Canvas *c)
{
    if (c->colour)
        buf_str(b, "\033[m");
}

static void put_cell(Buf *b, const Canvas *c, const CanvasCell *at)
{
    if (at->letter)
        buf_fmt(b, "%c", at->letter);
    else if (!at->dots)
        buf_str(b, " ");
    else if (c->braille)
        b->n += (size_t)utf8_put(0x2800u + at->dots, buf_room(b, 4));
    else
        buf_fmt(b, "%c", canvas_mark(at->owner - 1));
}

void canvas_put(Buf *b, const Canvas *c, int64_t line)
{
    int now = 0;
    for (int64_t x = 0; x < c->width; x++) {
        const CanvasCell *at = &c->cell[line * c->width + x];
        if (at->owner != now && now)
            canvas_plain(b, c);
        if (at->owner != now && at->owner)
            canvas_colour(b, c, at->owner - 1);
        now = at->owner;
        put_cell(b, c, at);
    }
    if (now)
        canvas_plain(b, c);
}
