#include "plot/script_in.h"

#include <math.h>
#include <string.h>

/* Okabe and Ito's colours, which people who see red and green alike tell apart ("Color universal
 * design", 2008), without yellow, which is faint on white; then grey. */
static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#e69f00", "#56b4e9", "#000000", "#999999"};
static const int shape[] = {7, 5, 9, 13, 11, 6, 4, 8};
enum { COLOURS = 8, SHAPES = 8 };
enum {
    BUCKETS = 2000, /* a longer curve is drawn by so many pieces */
    MARKED = 40     /* a shorter one has its points marked */
};

void script_quote(Buf *b, const char *text)
{
    buf_str(b, "'");
    for (; *text; text++)
        buf_add(b, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    buf_str(b, "'");
}

double script_letters(char *const *text, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; text && i < n; i++) {
        double letters = 0;
        for (const char *p = text[i]; *p;
             p++) { /* what takes three bytes is mostly twice as wide */
            letters += ((unsigned char)*p & 0xc0) != 0x80 ? (unsigned char)*p >= 0xe3 ? 2 : 1 : 0;
            letters = *p == '\n' ? 0 : letters;
            most = fmax(most, letters);
        }
    }
    return most;
}

void script_begin(Buf *b, PictureKind kind, double width, double height)
{
    static const char *const name[] = {"pngcairo", "svg fixed fontscale 1.25",
                                       "pdfcairo fontscale 1 linewidth 2"};
    bool pdf = kind == PICTURE_PDF; /* in inches of 72 points */
    buf_fmt(b, "set encoding utf8\nset terminal %s noenhanced font '%s,%d' background '#ffffff' ",
            name[kind], FONT, FONT_SIZE);
    if (pdf)
        buf_fmt(b, "size %.4fin,%.4fin\n", width / 72, height / 72);
    else
        buf_fmt(b, "size %.0f,%.0f\n", width, height);
}

static void put_text(Buf *b, const char *what, const char *text, const char *more)
{
    if (!text)
        return;
    buf_fmt(b, "set %s ", what);
    script_quote(b, text);
    buf_fmt(b, " noenhanced%s\n", more);
}

static void put_point(Buf *b, double x, double y)
{
    buf_fmt(b, "%.10g %.10g\n", x, y);
}

/* A long curve by the first, lowest, highest and last point of each of its pieces, in their order:
 * it looks the same. */
static void put_piece(Buf *b, const Series *s, int64_t from, int64_t to)
{
    int64_t lo = from, hi = from;
    for (int64_t i = from; i < to; i++) {
        lo = s->y[i] < s->y[lo] ? i : lo;
        hi = s->y[i] > s->y[hi] ? i : hi;
    }
    int64_t at[] = {from, lo < hi ? lo : hi, lo < hi ? hi : lo, to - 1};
    for (int i = 0; i < 4; i++)
        if (i == 0 || at[i] != at[i - 1])
            put_point(b, s->x[at[i]], s->y[at[i]]);
}

static void put_data(Buf *b, const Chart *c, int i, double shift)
{
    const Series *s = &c->series[i];
    bool line = s->mark == MARK_LINE || s->mark == MARK_DASH;
    buf_fmt(b, "$s%d << EOD\n", i);
    if (line && s->n > 4 * BUCKETS)
        for (int64_t k = 0; k < BUCKETS; k++)
            put_piece(b, s, s->n * k / BUCKETS, s->n * (k + 1) / BUCKETS);
    else
        for (int64_t k = 0; k < s->n; k++)
            put_point(b, s->x[k] + shift, s->y[k]);
    buf_str(b, "EOD\n");
}

static void put_axis(Buf *b, const Chart *c, int axis)
{
    static const char *const name[] = {"x", "y", "y2"};
    static const char *const label[] = {"xlabel", "ylabel", "y2label"};
    Scale s = chart_scale(c, axis);
    if (axis == AXIS_RIGHT && !chart_has(c, axis))
        return;
    buf_fmt(b,
            "set %srange [%.10g:%.10g]\nset %stics %.10g,%.10g,%.10g%s\nset format %s '%%.10g'\n",
            name[axis], s.lo, s.hi, name[axis], s.lo, s.step, s.hi,
            axis == AXIS_RIGHT || !chart_has(c, AXIS_RIGHT) ? "" : " nomirror", name[axis]);
    put_text(b, label[axis], c->label[axis], "");
}

static void put_style(Buf *b, const Series *s, int look)
{
    const char *rgb = colour[look % COLOURS];
    int dash = look / COLOURS % 5 + 1; /* where all colours are used up, the curves are broken */
    switch (s->mark) {
    case MARK_LINE:
        if (s->n > MARKED)
            buf_fmt(b, "lines lw 2 dt %d lc rgb '%s'", dash, rgb);
        else
            buf_fmt(b, "linespoints lw 2 dt %d pt %d ps 0.7 lc rgb '%s'", dash,
                    shape[look % SHAPES], rgb);
        break;
    case MARK_DASH: buf_str(b, "lines lw 1.5 dt 2 lc rgb '#666666'"); break;
    case MARK_POINT:
        buf_fmt(b, "points pt %d ps %s lc rgb '%s'", shape[(look + look / COLOURS) % SHAPES],
                s->n > 2000 ? "0.4" : "0.8", rgb);
        break;
    case MARK_BAR: buf_fmt(b, "boxes fs solid 0.85 noborder lc rgb '%s'", rgb); break;
    }
}

/* Names of labels stand beside the picture, those of curves, which are longer, below it. */
static void put_legend(Buf *b, const Chart *c)
{
    bool any = false, points = false;
    for (int i = 0; i < c->count; i++) {
        any |= c->series[i].name != NULL;
        points |= c->series[i].mark == MARK_POINT;
    }
    if (!any)
        buf_str(b, "set key off\n");
    else if (points)
        buf_str(b, "set key outside right top vertical Left reverse noenhanced samplen 1\n");
    else
        buf_str(b, "set key outside below left vertical Left reverse noenhanced samplen 2 "
                   "maxcols 1 height 1\n");
}

/* How many series are bars, and the width of one. */
static double bar_width(const Chart *c, int *bars)
{
    *bars = 0;
    for (int i = 0; i < c->count; i++)
        *bars += c->series[i].mark == MARK_BAR;
    return *bars ? 0.9 * c->bar / *bars : 0;
}

static void put_plot(Buf *b, const Chart *c)
{
    for (int i = 0, look = 0; i < c->count; i++) {
        const Series *s = &c->series[i];
        if (!s->n)
            continue;
        buf_fmt(b, "%s$s%d using 1:2 axes x1y%d with ", look || i ? ", \\\n  " : "plot ", i,
                s->right ? 2 : 1);
        put_style(b, s, look++);
        buf_str(b, s->name ? " title " : " notitle");
        if (s->name)
            script_quote(b, s->name);
    }
    buf_str(b, "\n");
}

static void put_curves(Buf *b, const Chart *c, PictureKind kind)
{
    int bars, bar = 0;
    double wide = bar_width(c, &bars);
    int below = 0;
    for (int i = 0; i < c->count; i++)
        below += c->series[i].name != NULL;
    script_begin(b, kind, WIDTH, HEIGHT + (below > 6 ? 19 * (below - 6) : 0));
    put_text(b, "title", c->title, " font '" FONT ",14'");
    for (int axis = 0; axis < AXIS_COUNT; axis++)
        put_axis(b, c, axis);
    put_legend(b, c);
    buf_str(b, "set grid lc rgb '#dddddd' lt 1\n");
    if (bars)
        buf_fmt(b, "set boxwidth %.10g absolute\n", wide);
    for (int i = 0; i < c->count; i++)
        put_data(b, c, i, c->series[i].mark == MARK_BAR ? (bar++ - (bars - 1) / 2.0) * wide : 0);
    put_plot(b, c);
}

void script_put(Buf *b, const Chart *c, PictureKind kind)
{
    if (c->panels)
        script_heat(b, c, kind);
    else
        put_curves(b, c, kind);
}
