#include "base/namemap.h"
#include "io/spool.h"
#include "plot/components.h"
#include "plot/vectors_in.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { LABELS = 24, NAME_CHARS = 24 };

const float *vectors_of(const Frame *f, int64_t *width, Err *e)
{
    const Tensor *t = frame_need(f, "row.vector", DT_F32, 2, e);
    if (!t)
        return NULL;
    if (*width && t->shape[1] != *width) {
        err_set(e, "vectors of %" PRId64 " numbers behind those of %" PRId64, t->shape[1], *width);
        return NULL;
    }
    *width = t->shape[1];
    if (*width < 1) {
        err_set(e, "row.vector has no numbers");
        return NULL;
    }
    for (int64_t i = 0; i < f->rows * *width; i++)
        if (!isfinite(((const float *)t->data)[i])) {
            err_set(e, "row %" PRId64 " of this frame has numbers that are not finite",
                    i / *width + 1);
            return NULL;
        }
    return t->data;
}

typedef struct Map {
    int64_t rows, width;
    double *mean, *covariance, *component, variance[COMPONENTS], total;
    NameMap series; /* of a label's name, 1 + its index in the chart */
    Chart *chart;
} Map;

/* ---- passes over the rows ---- */

typedef int PassFn(Map *m, const Frame *f, const float *x, Err *e);

static int pass(Map *m, const Spool *s, PassFn *fn, const char *place, Err *e)
{
    for (int i = 0; i < spool_frames(s); i++) {
        Frame *f = spool_frame(s, i, e);
        if (!f)
            return -1;
        const float *x = f->rows ? vectors_of(f, &m->width, e) : NULL;
        int status = f->rows == 0 ? 0 : x ? fn(m, f, x, e) : -1;
        frame_free(f);
        if (status < 0)
            return err_at(e, "%s", place);
    }
    return 0;
}

static int add_mean(Map *m, const Frame *f, const float *x, Err *e)
{
    if (m->width < 2 || m->width > MAP_WIDTH)
        return err_set(e, "vectors of %" PRId64 " numbers: a map is of 2 to %d", m->width,
                       MAP_WIDTH);
    if (!m->mean)
        m->mean = mem_zero((size_t)m->width, sizeof *m->mean);
    for (int64_t i = 0; i < f->rows; i++)
        for (int64_t c = 0; c < m->width; c++)
            m->mean[c] += (double)x[i * m->width + c];
    m->rows += f->rows;
    return 0;
}

static void less_mean(const Map *m, const float *x, double *to)
{
    for (int64_t c = 0; c < m->width; c++)
        to[c] = (double)x[c] - m->mean[c];
}

static int add_covariance(Map *m, const Frame *f, const float *x, Err *e)
{
    double *d = mem_array((size_t)m->width, sizeof *d);
    (void)e;
    for (int64_t i = 0; i < f->rows; i++) {
        less_mean(m, x + i * m->width, d);
        for (int64_t a = 0; a < m->width; a++) {
            double *row = m->covariance + a * m->width, by = d[a];
            for (int64_t b = 0; b <= a; b++)
                row[b] += by * d[b];
        }
    }
    free(d);
    return 0;
}

/* The series of a label; those beyond LABELS share one. */
static Series *series_of(Map *m, Str label)
{
    bool fresh = false, full = m->chart->count >= LABELS && !namemap_has(&m->series, label);
    int64_t *at = full ? NULL : namemap_at(&m->series, label, &fresh);
    if (full && m->chart->count == LABELS)
        return chart_series(m->chart, mem_str("other labels"), MARK_POINT);
    if (full)
        return &m->chart->series[LABELS];
    if (!fresh)
        return &m->chart->series[*at];
    *at = m->chart->count;
    return chart_series(m->chart, label.n ? chart_text(label, NAME_CHARS) : mem_str("no label"),
                        MARK_POINT);
}

static int add_places(Map *m, const Frame *f, const float *x, Err *e)
{
    double *d = mem_array((size_t)m->width, sizeof *d);
    (void)e;
    for (int64_t i = 0; i < f->rows; i++) {
        double place[COMPONENTS] = {0};
        less_mean(m, x + i * m->width, d);
        for (int k = 0; k < COMPONENTS; k++)
            for (int64_t c = 0; c < m->width; c++)
                place[k] += m->component[k * m->width + c] * d[c];
        series_add(series_of(m, frame_text(f, "row.label", i)), place[0], place[1]);
    }
    free(d);
    return 0;
}

/* ---- between them ---- */

static int end_mean(Map *m, Err *e)
{
    if (m->rows < 2)
        return err_set(e, "%" PRId64 " rows: a map is of two at least", m->rows);
    for (int64_t c = 0; c < m->width; c++)
        m->mean[c] /= (double)m->rows;
    m->covariance = mem_zero((size_t)(m->width * m->width), sizeof *m->covariance);
    m->component = mem_array((size_t)(COMPONENTS * m->width), sizeof *m->component);
    return 0;
}

static int end_covariance(Map *m, Err *e)
{
    for (int64_t a = 0; a < m->width; a++) {
        for (int64_t b = 0; b <= a; b++)
            m->covariance[b * m->width + a] = m->covariance[a * m->width + b] /=
                (double)(m->rows - 1);
        m->total += m->covariance[a * m->width + a];
    }
    if (!(m->total > 0))
        return err_set(e, "all rows have the same vector: there is no map of them");
    principal_components(m->covariance, m->width, m->component, m->variance);
    return 0;
}

static void name_axes(Map *m)
{
    Chart *c = m->chart;
    for (int k = 0; k < COMPONENTS; k++)
        c->label[AXIS_X + k] = mem_fmt("Component %d (%.1f %% of the variance)", k + 1,
                                       100 * m->variance[k] / m->total);
    c->title = mem_fmt("Map of %" PRId64 " rows", m->rows);
    if (c->count == 1 && namemap_has(&m->series, str_of("", 0))) { /* nothing to tell apart */
        free(c->series[0].name);
        c->series[0].name = NULL;
    }
}

static int make_map(Map *m, In *in, Err *e)
{
    Spool *s = spool_in(in, e);
    if (!s)
        return -1;
    int status = spool_rows(s) > MAP_ROWS
                     ? err_set(e, "%" PRId64 " rows: choose some (`deal -n %d:some 1:-`)",
                               spool_rows(s), MAP_ROWS)
                     : 0;
    if (status == 0 && (pass(m, s, add_mean, in_place(in), e) < 0 || end_mean(m, e) < 0 ||
                        pass(m, s, add_covariance, in_place(in), e) < 0 ||
                        end_covariance(m, e) < 0 || pass(m, s, add_places, in_place(in), e) < 0))
        status = -1;
    spool_free(s);
    if (status == 0)
        name_axes(m);
    return status;
}

Chart *map_chart(In *in, Err *e)
{
    Map m = {.chart = chart_new()};
    int status = make_map(&m, in, e);
    namemap_free(&m.series);
    free(m.mean);
    free(m.covariance);
    free(m.component);
    if (status == 0)
        return m.chart;
    chart_free(m.chart);
    return NULL;
}
