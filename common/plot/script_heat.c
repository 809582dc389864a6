/* Heat maps. Each place in the picture is worked out here: gnuplot makes room for no long names on
 * the axes of several maps. */
#include "plot/script_in.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GAP = 24,   /* between maps */
    LETTER = 9, /* the width of one, of FONT_SIZE */
    LINE = 20,  /* the height of a line */
    SCALE_ROOM = 110,
    PIXELS = 1 << 14,
    SIDE = 440,        /* what a map that stands alone is about as wide as, */
    ALL_SIDES = 640,   /* and some beside each other */
    LEAST_LABELLED = 9 /* points a row; names would lie over each other */
};

/* viridis (van der Walt and Smith, 2015): even steps look even, also in grey. */
static const char palette[] =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3e4989', 3 '#31688e', 4 '#26828e', "
    "5 '#1f9e89', 6 '#35b779', 7 '#6ece58', 8 '#b5de2b', 9 '#fde725')\n";

typedef struct Layout {
    double width, height; /* of the picture */
    double left, top;     /* of the first map */
    double cell[2];       /* the width and height of a cell */
    double map[2];        /* of a map */
    double names[2];      /* the room for column names, for row names */
    double caption;       /* above each map */
    double font;
    int across, down;
    bool upright, named; /* column names stand on end; there are names */
    bool pixels;         /* each cell is drawn; else a map is one image, which SVG blurs */
} Layout;

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static bool has_titles(const Chart *c)
{
    return c->panel[0].title != NULL;
}

static double cell_text(const Chart *c)
{
    const Panel *p = &c->panel[0];
    return p->text ? 2 + script_letters(p->text, c->rows * c->cols) : 0;
}

static void lay_cells(Layout *l, const Chart *c)
{
    double side = clamp(ALL_SIDES / l->across, 160, SIDE), most = side / 3.4;
    double tall = clamp(side / (double)c->rows, c->rows > 64 ? 1 : 14, most);
    double wide = clamp(side / (double)c->cols, c->cols > 64 ? 1 : 14, most);
    if (c->panel[0].text) {
        wide = fmax(wide, cell_text(c) * LETTER);
        tall = fmax(tall, 2.4 * LINE);
    }
    l->cell[0] = wide;
    l->cell[1] = tall;
    l->map[0] = wide * (double)c->cols;
    l->map[1] = tall * (double)c->rows;
    l->named = tall >= LEAST_LABELLED && wide >= LEAST_LABELLED;
    l->font = clamp(0.75 * fmin(tall, l->cell[0]), 7, FONT_SIZE);
}

static void lay_names(Layout *l, const Chart *c)
{
    double letter = LETTER * l->font / FONT_SIZE;
    double across = l->named ? letter * script_letters(c->col_name, c->cols) : 0;
    l->upright = across > l->cell[0] - 4;
    l->names[0] = !l->named || !c->col_name ? 0 : (l->upright ? across : LINE) + 8;
    l->names[1] = !l->named ? 0 : letter * script_letters(c->row_name, c->rows) + 8;
}

static Layout lay_out(const Chart *c)
{
    Layout l = {.caption = has_titles(c) ? LINE + 4 : 0};
    l.across = (int)ceil(sqrt(c->panels));
    lay_cells(&l, c);
    lay_names(&l, c);
    l.down = (c->panels + l.across - 1) / l.across;
    l.left = LINE + (c->label[AXIS_LEFT] ? LINE + 4 : 0) + l.names[1];
    l.top = LINE + (c->title ? 2 * LINE : 0);
    double title = c->title ? script_letters(&c->title, 1) * LETTER * 1.2 + 2.0 * LINE : 0;
    double bottom = LINE + l.names[0] + (c->label[AXIS_X] ? LINE + 4 : 0);
    double need = l.left + l.across * l.map[0] + (l.across - 1) * GAP + SCALE_ROOM;
    l.width = ceil(fmax(fmax(need, title), WIDTH));
    l.left += (l.width - need) / 2;
    need = l.top + l.down * (l.map[1] + l.caption) + (l.down - 1) * GAP + bottom;
    l.height = ceil(fmax(need, HEIGHT));
    l.top += (l.height - need) / 2;
    return l;
}

/* The left and upper edge of a map. */
static double left_of(const Layout *l, int panel)
{
    return l->left + panel % l->across * (l->map[0] + GAP);
}
static double top_of(const Layout *l, int panel)
{
    return l->top + l->caption + panel / l->across * (l->map[1] + l->caption + GAP);
}

static void put_label(Buf *b, const Layout *l, const char *text, double x, double y,
                      const char *how)
{
    if (!text)
        return;
    buf_str(b, "set label ");
    script_quote(b, text);
    buf_fmt(b, " at screen %.6f,%.6f noenhanced %s\n", x / l->width, 1 - y / l->height, how);
}

/* The title and what the axes are, once for all maps. */
static void put_labels(Buf *b, const Layout *l, const Chart *c)
{
    double middle = l->left + (l->across * (l->map[0] + GAP) - GAP) / 2;
    double bottom = top_of(l, c->panels - 1) + l->map[1];
    double half = (l->top + l->caption + top_of(l, (l->down - 1) * l->across) + l->map[1]) / 2;
    put_label(b, l, c->title, c->panels > 1 ? l->width / 2 : middle, l->top - 1.2 * LINE,
              "center font '" FONT ",14'");
    put_label(b, l, c->label[AXIS_X], middle, bottom + l->names[0] + LINE, "center");
    put_label(b, l, c->label[AXIS_LEFT], l->left - l->names[1] - LINE + 4, half,
              "center rotate by 90");
}

/* Names at the axis; in such a text gnuplot takes % for a format. */
static void put_names(Buf *b, const char *axis, char *const *name, int64_t n, const char *how)
{
    buf_fmt(b, "set %stics scale 0 %s (", axis, how);
    for (int64_t i = 0; i < n; i++) {
        Buf twice = {0};
        for (const char *p = name[i]; *p; p++)
            buf_add(&twice, *p == '%' ? "%%" : p, *p == '%' ? 2 : 1);
        buf_add(&twice, "", 1);
        buf_str(b, i ? ", " : "");
        script_quote(b, twice.p);
        buf_fmt(b, " %lld", (long long)i);
        free(twice.p);
    }
    buf_str(b, ")\n");
}

/* Rows' names stand left of the leftmost map, columns' below the lowest. */
static void put_axes(Buf *b, const Layout *l, const Chart *c, int panel)
{
    char how[96];
    snprintf(how, sizeof how, "%snoenhanced font ',%.3g'", "", l->font);
    buf_str(b, "unset xtics\nunset ytics\n");
    if (l->named && c->row_name && panel % l->across == 0)
        put_names(b, "y", c->row_name, c->rows, how);
    snprintf(how, sizeof how, "%s noenhanced font ',%.3g'",
             l->upright ? "rotate by 90 right" : "norotate", l->font);
    if (l->named && c->col_name && panel + l->across >= c->panels)
        put_names(b, "x", c->col_name, c->cols, how);
}

/* Black on the bright half, white on the dark one. A text of two lines stands in two. */
static void put_cell(Buf *b, const Chart *c, const Panel *p, int64_t i, double font)
{
    const char *text = p->text[i], *end = strchrnul(text, '\n');
    double t = (p->value[i] - c->low) / (c->high - c->low);
    for (int line = 0, lines = *end ? 2 : 1; line < lines; line++) {
        char *piece = mem_strn(text, (size_t)(end - text));
        buf_str(b, "set label ");
        script_quote(b, piece);
        buf_fmt(b, " at %lld,%lld center front offset 0,%.1f noenhanced font ',%.3g' tc rgb '%s'\n",
                (long long)(i % c->cols), (long long)(i / c->cols),
                lines == 1 ? 0.0
                : line     ? -0.55
                           : 0.55,
                font, t > 0.6 || isnan(t) ? "#000000" : "#ffffff");
        free(piece);
        text = *end ? end + 1 : end;
        end = strchrnul(text, '\n');
    }
}

static void put_values(Buf *b, const Chart *c, int panel)
{
    buf_fmt(b, "$p%d << EOD\n", panel);
    for (int64_t i = 0; i < c->rows * c->cols; i++) {
        double v = c->panel[panel].value[i];
        buf_str(b, i % c->cols ? " " : "");
        if (isnan(v))
            buf_str(b, "NaN");
        else
            buf_fmt(b, "%.6g", v);
        buf_str(b, (i + 1) % c->cols ? "" : "\n");
    }
    buf_str(b, "EOD\n");
}

static void put_map(Buf *b, const Layout *l, const Chart *c, int panel)
{
    const Panel *p = &c->panel[panel];
    double x = left_of(l, panel), y = top_of(l, panel);
    buf_fmt(b, "set lmargin at screen %.6f\nset rmargin at screen %.6f\n", x / l->width,
            (x + l->map[0]) / l->width);
    buf_fmt(b, "set tmargin at screen %.6f\nset bmargin at screen %.6f\n", 1 - y / l->height,
            1 - (y + l->map[1]) / l->height);
    put_axes(b, l, c, panel);
    if (panel == 0)
        put_labels(b, l, c);
    put_label(b, l, p->title, x + l->map[0] / 2, y - LINE / 2.0, "center");
    for (int64_t i = 0; p->text && i < c->rows * c->cols; i++)
        put_cell(b, c, p, i, FONT_SIZE);
    buf_fmt(b, "plot $p%d matrix with image%s notitle\nunset label\nunset colorbox\n", panel,
            l->pixels ? " pixels" : "");
}

void script_heat(Buf *b, const Chart *c, PictureKind kind)
{
    Layout l = lay_out(c);
    l.pixels = kind == PICTURE_SVG && c->rows * c->cols * c->panels <= PIXELS;
    double x = left_of(&l, l.across - 1) + l.map[0] + GAP, top = top_of(&l, 0);
    double bottom = top_of(&l, (l.down - 1) * l.across) + l.map[1];
    double tall = fmin(bottom - top, SIDE);
    Scale ticks = scale_over(c->low, c->high, 0);
    script_begin(b, kind, l.width, l.height);
    buf_str(b, palette);
    buf_fmt(b, "set xrange [-0.5:%.1f]\nset yrange [%.1f:-0.5]\nset cbrange [%.6g:%.6g]\n",
            (double)c->cols - 0.5, (double)c->rows - 0.5, c->low, c->high);
    buf_fmt(b, "set colorbox user origin screen %.6f,%.6f size screen %.6f,%.6f\n", x / l.width,
            1 - ((top + bottom) / 2 + tall / 2) / l.height, 14 / l.width, tall / l.height);
    buf_str(b, "set border lw 0.5\nset key off\nset format cb '%.6g'\n");
    if (c->scale) {
        buf_str(b, "set cblabel ");
        script_quote(b, c->scale);
        buf_str(b, " noenhanced offset 1\n");
    }
    buf_fmt(b, "set cbtics %.6g scale 0.5\n", ticks.step);
    for (int p = 0; p < c->panels; p++)
        put_values(b, c, p);
    buf_str(b, "set multiplot\n");
    for (int p = 0; p < c->panels; p++)
        put_map(b, &l, c, p);
    buf_str(b, "unset multiplot\n");
}
