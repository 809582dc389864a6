#include "plot/bins.h"

#include "report/print_rows.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LENGTH_BARS = 30, SCORE_BINS = 10, MARGIN_BINS = 20 };

/* ---- tokens a row ---- */

typedef struct RowLengths {
    int64_t *rows, size, longest, count, sum;
} RowLengths;

static void count_length(RowLengths *c, int64_t tokens)
{
    if (tokens >= c->size) {
        int64_t size = 2 * tokens + 64;
        c->rows = mem_resize(c->rows, (size_t)size, sizeof *c->rows);
        for (int64_t i = c->size; i < size; i++)
            c->rows[i] = 0;
        c->size = size;
    }
    c->rows[tokens]++;
    c->longest = tokens > c->longest ? tokens : c->longest;
    c->count++;
    c->sum += tokens;
}

/* 1, 2 or 5 times a power of ten, so that there are not too many bars. */
static int64_t length_width(int64_t longest)
{
    int64_t width = 1;
    for (int turn = 0; longest / width >= LENGTH_BARS; turn++)
        width = turn % 3 == 1 ? width / 2 * 5 : 2 * width;
    return width;
}

static Chart *draw_lengths(const RowLengths *n)
{
    Chart *c = chart_new();
    Series *s = chart_series(c, NULL, MARK_BAR);
    int64_t width = length_width(n->longest), shortest = 0, middle = 0;
    while (!n->rows[shortest])
        shortest++;
    for (int64_t seen = n->rows[0]; 2 * seen < n->count; seen += n->rows[middle])
        middle++;
    for (int64_t from = shortest / width * width; from <= n->longest; from += width) {
        double rows = 0;
        for (int64_t k = from; k < from + width && k <= n->longest; k++)
            rows += (double)n->rows[k];
        series_add(s, (double)from + (double)(width - 1) / 2.0, rows);
    }
    c->bar = (double)width;
    c->whole[AXIS_X] = c->whole[AXIS_LEFT] = true;
    c->title =
        mem_fmt("Tokens a row: %" PRId64 " rows, median %" PRId64 ", mean %.1f, at most %" PRId64,
                n->count, middle, (double)n->sum / (double)n->count, n->longest);
    c->label[AXIS_X] =
        width > 1 ? mem_fmt("Tokens, in steps of %" PRId64, width) : mem_str("Tokens");
    c->label[AXIS_LEFT] = mem_str("Rows");
    return c;
}

Chart *lengths_chart(In *in, Err *e)
{
    RowLengths n = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, e)) > 0) {
        bool tokens = f->rows == 0 || frame_get(f, "row.tokens") != NULL;
        for (int64_t i = 0; tokens && i < f->rows; i++)
            count_length(&n, rows_length(f, i));
        frame_free(f);
        if (!tokens) {
            k = err_set(e, "%s: rows without tokens (pooled?): look at them before `pool`",
                        in_place(in));
            break;
        }
    }
    if (k == 0 && !n.count)
        k = err_set(e, "no rows: nothing to draw");
    Chart *c = k == 0 ? draw_lengths(&n) : NULL;
    free(n.rows);
    return c;
}

/* ---- how sure, and how often right ---- */

struct Reliability {
    int64_t rows[SCORE_BINS], right[SCORE_BINS], all;
    double score[SCORE_BINS];
};

Reliability *reliability_new(void)
{
    return mem_zero(1, sizeof(Reliability));
}

/* What was subtracted may be a bit below its bin's edge: 0.7 - 0.2 belongs to 0.5. */
static int bin_of(double share, int bins)
{
    int bin = (int)(share * bins + 1e-9);
    return bin < 0 ? 0 : bin < bins ? bin : bins - 1;
}

void reliability_add(Reliability *r, const Answered *a)
{
    int bin = bin_of(a->score, SCORE_BINS);
    r->rows[bin]++;
    r->right[bin] += a->right;
    r->score[bin] += a->score;
    r->all++;
}

/* The expected calibration error (Guo et al., "On calibration of modern neural networks", 2017). */
static double calibration_error(const Reliability *r)
{
    double sum = 0;
    for (int i = 0; i < SCORE_BINS; i++)
        sum += fabs((double)r->right[i] - r->score[i]);
    return sum / (double)r->all;
}

Chart *reliability_end(Reliability *r, Err *e)
{
    Chart *c = NULL;
    if (!r->all) {
        err_set(e, "no rows: nothing to draw");
    } else {
        c = chart_new();
        chart_series(c, mem_str("share that is right"), MARK_BAR);
        chart_series(c, mem_str("share of all rows"), MARK_LINE);
        chart_series(c, mem_str("perfectly calibrated"), MARK_DASH);
        for (int i = 0; i < SCORE_BINS; i++) {
            double middle = (i + 0.5) / SCORE_BINS;
            if (r->rows[i])
                series_add(&c->series[0], middle, (double)r->right[i] / (double)r->rows[i]);
            series_add(&c->series[1], middle, (double)r->rows[i] / (double)r->all);
        }
        series_add(&c->series[2], 0, 0);
        series_add(&c->series[2], 1, 1);
        c->bar = 1.0 / SCORE_BINS;
        for (int axis = AXIS_X; axis <= AXIS_LEFT; axis++) {
            c->from[axis][0] = 0;
            c->from[axis][1] = 1;
        }
        c->title = mem_fmt("Calibration: %" PRId64 " rows, expected error %.3f", r->all,
                           calibration_error(r));
        c->label[AXIS_X] = mem_str("Score of the Answer");
        c->label[AXIS_LEFT] = mem_str("Share");
    }
    free(r);
    return c;
}

/* ---- margins ---- */

enum { WRONG, RIGHT, UNKNOWN, KINDS };

struct Margins {
    int64_t rows[KINDS][MARGIN_BINS], all[KINDS];
};

Margins *margins_new(void)
{
    return mem_zero(1, sizeof(Margins));
}

void margins_add(Margins *m, const Answered *a)
{
    int kind = a->right < 0 ? UNKNOWN : a->right;
    m->rows[kind][bin_of(a->margin, MARGIN_BINS)]++;
    m->all[kind]++;
}

Chart *margins_end(Margins *m, Err *e)
{
    static const char *const name[KINDS] = {"wrong", "right", "answers"};
    static const int order[KINDS] = {RIGHT, WRONG, UNKNOWN};
    int64_t all = m->all[WRONG] + m->all[RIGHT] + m->all[UNKNOWN];
    Chart *c = NULL;
    if (!all)
        err_set(e, "no rows: nothing to draw");
    else
        c = chart_new();
    for (int k = 0; c && k < KINDS; k++) {
        int kind = order[k];
        bool alone = m->all[kind] == all && kind == UNKNOWN;
        if (!m->all[kind])
            continue;
        char *legend =
            alone ? NULL
                  : mem_fmt("%s: %" PRId64, kind == UNKNOWN ? "without a label" : name[kind],
                            m->all[kind]);
        Series *s = chart_series(c, legend, MARK_BAR);
        for (int i = 0; i < MARGIN_BINS; i++)
            series_add(s, (i + 0.5) / MARGIN_BINS, (double)m->rows[kind][i]);
    }
    if (c) {
        c->bar = 1.0 / MARGIN_BINS;
        c->whole[AXIS_LEFT] = true;
        c->from[AXIS_X][0] = 0;
        c->from[AXIS_X][1] = 1;
        c->title = mem_fmt("Margins: %" PRId64 " rows", all);
        c->label[AXIS_X] = mem_str("First minus Second Score");
        c->label[AXIS_LEFT] = mem_str("Rows");
    }
    free(m);
    return c;
}
