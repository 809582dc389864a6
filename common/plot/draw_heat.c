/* Heat maps in shades, one below the other. Cells with texts have a shade before them; others are
 * two shades wide, or one where there is no room, and columns' names stand on end below them. */
#include "plot/draw_in.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 16 };

typedef struct Grid {
    const Chart *chart;
    const Page *page;
    int64_t names; /* columns of the rows' names */
    int64_t cell;  /* and of a cell */
    bool upright;  /* the columns' names stand on end */
} Grid;

static int64_t widest(char *const *text, int64_t n, const Page *p)
{
    int64_t most = 0;
    for (int64_t i = 0; text && i < n; i++) {
        int64_t columns = text_columns(text[i], p);
        most = columns > most ? columns : most;
    }
    return most;
}

static const char *shade(const Grid *g, double v)
{
    static const char *const blocks[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
    static const char *const letters[] = {" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"};
    int n = g->page->utf8 ? 5 : 10;
    double t = (v - g->chart->low) / (g->chart->high - g->chart->low);
    if (isnan(t))
        return "?";
    int i = t < 0 ? 0 : t < 1 ? (int)(t * n) : n - 1; /* t may be beyond any int */
    return g->page->utf8 ? blocks[i] : letters[i];
}

/* A cell's text, its two lines as one. */
static char *text_of(const Panel *p, int64_t i)
{
    char *text = mem_str(p->text[i]), *end = strchr(text, '\n');
    if (end)
        *end = ' ';
    return text;
}

static int lay_out(Grid *g, Err *e)
{
    const Chart *c = g->chart;
    const Page *p = g->page;
    int64_t names = widest(c->row_name, c->rows, p), room;
    g->names = names < NAME_MOST ? names : NAME_MOST;
    room = p->width - g->names - 2;
    const Panel *first = &c->panel[0];
    if (first->text) {
        int64_t least = 0, wide = widest(c->col_name, c->cols, p);
        for (int64_t i = 0; i < c->rows * c->cols; i++) {
            char *text = text_of(first, i);
            int64_t columns = text_columns(text, p);
            least = columns > least ? columns : least;
            free(text);
        }
        wide = wide > least ? wide : least;
        g->cell = (wide + 4) * c->cols <= room ? wide + 4 : room / c->cols;
        if (g->cell >= least + 4)
            return 0;
    }
    g->upright = true;
    g->cell = 2 * c->cols <= room ? 2 : 1;
    return g->cell * c->cols <= room
               ? 0
               : err_set(e, "%" PRId64 " columns do not fit into %" PRId64 ": draw a picture (-o)",
                         c->cols, p->width);
}

static void put_cell(Buf *b, const Grid *g, const Panel *p, int64_t i)
{
    const char *s = shade(g, p->value[i]);
    if (g->upright) {
        buf_fmt(b, "%s%s", s, g->cell == 2 ? s : "");
        return;
    }
    char *text = text_of(p, i);
    buf_fmt(b, "  %s ", s);
    put_columns(b, text, g->cell - 4, g->page);
    put_blanks(b, g->cell - 4 - text_columns(text, g->page));
    free(text);
}

/* The character at a place of a text, and how many bytes it has; a blank behind its end. */
static const char *character(const char *text, int64_t at, int *len)
{
    while (*text && at-- > 0) {
        utf8_get(text, len);
        text += *len;
    }
    *len = 1;
    if (*text)
        utf8_get(text, len);
    return *text ? text : " ";
}

static int64_t characters(const char *text)
{
    return chars_before(&(CharAt){0}, str_of(text, strlen(text)), strlen(text));
}

/* Letter below letter. What is two columns wide needs two. */
static void put_upright(Buf *b, const Grid *g)
{
    const Chart *c = g->chart;
    int64_t tall = 0;
    for (int64_t k = 0; k < c->cols; k++) {
        int64_t n = characters(c->col_name[k]);
        tall = n > tall ? n : tall;
    }
    for (int64_t line = 0; line < tall && line < NAME_MOST; line++) {
        put_blanks(b, g->names + 2);
        for (int64_t k = 0; k < c->cols; k++) {
            int len;
            const char *p = character(c->col_name[k], line, &len);
            char *one = mem_strn(p, (size_t)len);
            bool fits = text_columns(one, g->page) <= g->cell && text_columns(one, g->page) > 0;
            put_columns(b, fits ? one : "?", g->cell, g->page);
            put_blanks(b, g->cell - (fits ? text_columns(one, g->page) : 1));
            free(one);
        }
        end_line(b);
    }
}

static void put_level(Buf *b, const Grid *g)
{
    for (int64_t k = 0; k < g->chart->cols; k++) {
        put_blanks(b, k ? 0 : g->names + 2);
        buf_str(b, "    ");
        put_columns(b, g->chart->col_name[k], g->cell - 4, g->page);
        put_blanks(b, g->cell - 4 - text_columns(g->chart->col_name[k], g->page));
    }
    end_line(b);
}

static void put_panel(Buf *b, const Grid *g, const Panel *p)
{
    const Chart *c = g->chart;
    if (p->title) {
        buf_str(b, "\n");
        put_blanks(b, g->names + 2);
        put_columns(b, p->title, g->page->width, g->page);
        end_line(b);
    }
    for (int64_t i = 0; i < c->rows; i++) {
        const char *name = c->row_name ? c->row_name[i] : "";
        int64_t columns = text_columns(name, g->page);
        put_blanks(b, g->names - columns);
        put_columns(b, name, g->names, g->page);
        buf_str(b, g->page->utf8 ? " \u2502" : " |");
        for (int64_t k = 0; k < c->cols; k++)
            put_cell(b, g, p, i * c->cols + k);
        end_line(b);
    }
    if (c->col_name && g->upright)
        put_upright(b, g);
    else if (c->col_name)
        put_level(b, g);
}

/* What the shades mean, from the least to the most. */
static void put_key(Buf *b, const Grid *g)
{
    const Chart *c = g->chart;
    int n = g->page->utf8 ? 5 : 10;
    buf_fmt(b, "%s: %.3g ", c->scale, c->low);
    for (int i = 0; i < n; i++)
        buf_str(b, shade(g, c->low + (c->high - c->low) * (i + 0.5) / n));
    buf_fmt(b, " %.3g", c->high);
    end_line(b);
}

int draw_heat(Buf *b, const Chart *c, const Page *page, Err *e)
{
    Grid g = {.chart = c, .page = page};
    if (lay_out(&g, e) < 0)
        return -1;
    if (c->title) {
        put_middle(b, c->title, page->width, page);
        end_line(b);
    }
    if (c->label[AXIS_LEFT] && c->label[AXIS_X]) {
        buf_str(b, "down: ");
        put_columns(b, c->label[AXIS_LEFT], page->width, page);
        buf_str(b, "; across: ");
        put_columns(b, c->label[AXIS_X], page->width, page);
        end_line(b);
    }
    for (int p = 0; p < c->panels; p++)
        put_panel(b, &g, &c->panel[p]);
    buf_str(b, "\n");
    put_key(b, &g);
    return 0;
}
