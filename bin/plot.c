/* plot - logs, reports and streams to a picture, or drawn in the terminal. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/write.h"
#include "bin/programs.h"
#include "plot/answers.h"
#include "plot/attention.h"
#include "plot/bins.h"
#include "plot/confusion.h"
#include "plot/curves.h"
#include "plot/draw.h"
#include "plot/picture.h"
#include "plot/vectors.h"

#include <stdlib.h>

typedef enum Mode {
    MODE_CURVES = OPT_LONG,
    MODE_CONFUSION,
    MODE_LENGTHS,
    MODE_ATTENTION,
    MODE_SIMILARITY,
    MODE_CALIBRATION,
    MODE_MARGINS,
    MODE_MAP
} Mode;

typedef struct Plot {
    Mode mode;
    const char *output, *title, *label[2];
    CurveSpec curves;
    AttentionSpec attention;
} Plot;

enum { SMOOTH_MOST = 1 << 20, LAYERS_MOST = 1000 };

static const Opt options[] = {
    {'x', NULL, "COL", "logs: the column across (the first)", OPT_TEXT(Plot, curves.x)},
    {'y', NULL, "COL[,COL...]", "logs: the columns that are drawn", OPT_TEXT(Plot, curves.y)},
    {0, "smooth", "N", "logs: the mean of each N points",
     OPT_INT(Plot, curves.smooth, 1, SMOOTH_MOST)},
    {MODE_CONFUSION, "confusion", NULL, "the confusion matrix of score --eval", OPT_KEY},
    {MODE_LENGTHS, "lengths", NULL, "tokens a row of a stream", OPT_KEY},
    {MODE_ATTENTION, "attention", NULL, "where the heads of a layer look", OPT_KEY},
    {'r', "row", "N", "attention: in row N (1)", OPT_INT(Plot, attention.row, 1, INT64_MAX)},
    {'L', "layer", "N", "attention: of layer N (the last)",
     OPT_INT(Plot, attention.layer, 1, LAYERS_MOST)},
    {MODE_SIMILARITY, "similarity", NULL, "the cosines between a stream's vectors", OPT_KEY},
    {MODE_MAP, "map", NULL, "a stream's vectors, laid flat", OPT_KEY},
    {MODE_CALIBRATION, "calibration", NULL, "how often score --csv is as right as it is sure",
     OPT_KEY},
    {MODE_MARGINS, "margins", NULL, "how far answers are before the second best", OPT_KEY},
    {0, "title", "TEXT", "what stands above it", OPT_TEXT(Plot, title)},
    {0, "xlabel", "TEXT", "what stands below it", OPT_TEXT(Plot, label[0])},
    {0, "ylabel", "TEXT", "what stands beside it", OPT_TEXT(Plot, label[1])},
    {'o', "output", "FILE", "a picture: .png, .svg or .pdf", OPT_TEXT(Plot, output)},
    {0},
};

static void check_options(Plot *p, const Args *a)
{
    Err e = {0};
    if (p->mode == MODE_CURVES && !p->curves.y)
        die_usage("plot what? Name columns of logs (-y loss), or one of --confusion, --lengths, "
                  "--attention, --similarity, --map, --calibration, --margins");
    for (const Opt *o = options; o->name || o->key; o++) {
        bool curves = o->key == 'x' || o->key == 'y' || (o->name && o->help[0] == 'l');
        bool attention = o->key == 'r' || o->key == 'L';
        if (args_given(a, o) &&
            ((curves && p->mode != MODE_CURVES) || (attention && p->mode != MODE_ATTENTION)))
            die_usage("%s%s is for %s alone", o->name ? "--" : "-",
                      o->name ? o->name : (char[]){(char)o->key, '\0'},
                      curves ? "columns of logs" : "--attention");
    }
    bool one = p->mode == MODE_CONFUSION || p->mode == MODE_CALIBRATION || p->mode == MODE_MARGINS;
    if (one && a->nfiles > 1)
        die_usage("one report at a time");
    if (p->output && picture_check(p->output, &e) < 0)
        die(&e);
}

static Plot read_options(int argc, char **argv, Args *a)
{
    Plot p = {.mode = MODE_CURVES, .curves.smooth = 1, .attention.row = 1};
    *a = args_begin(PROGRAM(plot), options, &p, argc, argv);
    for (int k; (k = args_next(a)) != -1;) {
        if (p.mode != MODE_CURVES && p.mode != (Mode)k)
            die_usage("one of --confusion, --lengths, --attention, --similarity, --map, "
                      "--calibration, --margins at a time");
        p.mode = (Mode)k;
    }
    p.attention.model = a->common.model;
    check_options(&p, a);
    return p;
}

static Chart *chart_of(const Plot *p, const Args *a, In *in, Err *e)
{
    char **file = a->nfiles ? a->files : NULL;
    switch (p->mode) {
    case MODE_CURVES: return curves_chart(a->files, a->nfiles, &p->curves, e);
    case MODE_CONFUSION: return confusion_chart(file, e);
    case MODE_CALIBRATION: return calibration_chart(file, e);
    case MODE_MARGINS: return margins_chart(file, e);
    case MODE_LENGTHS: return lengths_chart(in, e);
    case MODE_ATTENTION: return attention_chart(in, &p->attention, e);
    case MODE_SIMILARITY: return similarity_chart(in, e);
    case MODE_MAP: return map_chart(in, e);
    }
    return NULL;
}

static int show(const Plot *p, const Chart *c, Err *e)
{
    if (p->output)
        return picture_write(p->output, c, e);
    Buf out = {0};
    Page page = page_of_output();
    int status = draw_chart(&out, c, &page, e);
    if (status == 0)
        status = put_out(&out, e);
    free(out.p);
    return status;
}

int main(int argc, char **argv)
{
    Err e = {0};
    Args a;
    Plot p = read_options(argc, argv, &a);
    bool stream = p.mode == MODE_LENGTHS || p.mode == MODE_ATTENTION || p.mode == MODE_SIMILARITY ||
                  p.mode == MODE_MAP;
    In *in = stream ? in_open(a.files, a.nfiles) : NULL;
    Chart *c = chart_of(&p, &a, in, &e);
    if (!c)
        die(&e);
    chart_name(&c->title, p.title);
    chart_name(&c->label[AXIS_X], p.label[0]);
    chart_name(&c->label[AXIS_LEFT], p.label[1]);
    if (show(&p, c, &e) < 0)
        die(&e);
    if (in)
        in_close(in);
    chart_free(c);
    return 0;
}
