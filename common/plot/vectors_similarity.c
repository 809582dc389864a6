#include "plot/vectors_in.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { NAME_CHARS = 24 };

typedef struct Rows {
    float *x; /* [n, width] */
    char **name;
    int64_t n, width;
} Rows;

static int add_row(Rows *r, const Frame *f, const float *x, int64_t row, Err *e)
{
    if (r->n == CHART_SIDE)
        return err_set(e, "more than %d rows: choose some (`deal -n %d:some 1:-`)", CHART_SIDE,
                       CHART_SIDE);
    r->x = mem_resize(r->x, (size_t)((r->n + 1) * r->width), sizeof *r->x);
    r->name = mem_resize(r->name, (size_t)r->n + 1, sizeof *r->name);
    for (int64_t i = 0; i < r->width; i++)
        r->x[r->n * r->width + i] = x[i];
    Str text = frame_text(f, "row.text", row);
    r->name[r->n] = text.n ? chart_text(text, NAME_CHARS) : mem_fmt("%" PRId64, r->n + 1);
    r->n++;
    return 0;
}

static int add_frame(Rows *r, const Frame *f, Err *e)
{
    const float *x = vectors_of(f, &r->width, e);
    if (!x)
        return -1;
    for (int64_t i = 0; i < f->rows; i++)
        if (add_row(r, f, x + i * r->width, i, e) < 0)
            return -1;
    return 0;
}

static double dot(const float *a, const float *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static Chart *draw(Rows *r)
{
    Chart *c = chart_new();
    double *length = mem_array((size_t)r->n, sizeof *length);
    chart_heat(c, 1, r->n, r->n);
    c->low = 1;
    c->row_name = r->name;
    c->col_name = mem_array((size_t)r->n, sizeof *c->col_name);
    for (int64_t i = 0; i < r->n; i++) {
        c->col_name[i] = mem_str(r->name[i]);
        length[i] = sqrt(dot(r->x + i * r->width, r->x + i * r->width, r->width));
    }
    for (int64_t i = 0; i < r->n * r->n; i++) {
        int64_t a = i / r->n, b = i % r->n;
        double both = length[a] * length[b];
        double v = both > 0 ? dot(r->x + a * r->width, r->x + b * r->width, r->width) / both : NAN;
        c->panel[0].value[i] = v;
        c->low = v < c->low ? v : c->low;
    }
    c->high = 1;
    c->low = c->low < 1 - 1e-6 ? c->low : 0;
    c->title = mem_fmt("Similarity of %" PRId64 " rows", r->n);
    c->scale = mem_str("Cosine");
    r->name = NULL; /* the chart's now */
    free(length);
    return c;
}

Chart *similarity_chart(In *in, Err *e)
{
    Rows r = {0};
    Frame *f;
    int k;
    while ((k = in_next(in, &f, e)) > 0) {
        if (f->rows && add_frame(&r, f, e) < 0)
            k = err_at(e, "%s", in_place(in));
        frame_free(f);
        if (k < 0)
            break;
    }
    if (k == 0 && !r.n)
        k = err_set(e, "no rows: nothing to draw");
    Chart *c = k == 0 ? draw(&r) : NULL;
    for (int64_t i = 0; r.name && i < r.n; i++)
        free(r.name[i]);
    free(r.name);
    free(r.x);
    return c;
}
