/* CSV or JSON: the first byte tells. It is looked at without being taken, so that a pipe can be
 * read from its beginning afterwards. */
#include "plot/answers.h"

#include "base/num.h"
#include "plot/bins.h"
#include "plot/lines.h"
#include "store/jsonfile.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes an answered row. */
typedef int TakeFn(void *ctx, const Answered *a, Err *e);

/* ---- which of the two ---- */

/* The first byte of a descriptor, or -1: of a file where it is, of a pipe by tee(2). */
static int first_byte(int fd)
{
    unsigned char c;
    int to[2], got = -1;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0)
        return pread(fd, &c, 1, at) == 1 ? c : -1;
    if (pipe2(to, O_CLOEXEC) < 0)
        return -1;
    if (tee(fd, to[1], 1, 0) == 1 && read(to[0], &c, 1) == 1)
        got = c;
    close(to[0]);
    close(to[1]);
    return got;
}

static bool is_json(char **file)
{
    int fd = !file || strcmp(*file, "-") == 0 ? STDIN_FILENO : open(*file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false; /* told when it is read */
    int c = first_byte(fd);
    if (fd != STDIN_FILENO)
        close(fd);
    return c == '[' || c == '{';
}

/* ---- JSON ---- */

static int best_two(const json_t *score, double best[2], Err *e)
{
    double x = json_is_number(score) ? json_number_value(score) : NAN;
    if (isnan(x))
        return err_set(e, "an answer without 'score'");
    if (x > best[0]) {
        best[1] = best[0];
        best[0] = x;
    } else if (x > best[1]) {
        best[1] = x;
    }
    return 0;
}

/* A list of objects with score, or an object with a list of scores. */
static int scores_of(const json_t *v, double best[2], Err *e)
{
    const json_t *list = json_is_object(v) ? json_object_get(v, "scores") : v;
    if (!json_is_array(list))
        return err_set(e, "not a list of answers with their scores, as `score --json` has them of "
                          "classes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (best_two(json_is_object(item) ? json_object_get(item, "score") : item, best, e) < 0)
            return -1;
    }
    if (best[1] == -INFINITY)
        return err_set(e, "one answer a row tells no margin: say `score --json -k 2`");
    return 0;
}

static int read_json_line(Str line, TakeFn *take, void *ctx, Err *e)
{
    json_error_t why;
    double best[2] = {-INFINITY, -INFINITY};
    json_t *v = json_read(line, 0, &why);
    if (!v)
        return err_set(e, "%s", why.text);
    int status = scores_of(v, best, e);
    json_decref(v);
    return status < 0 ? -1 : take(ctx, &(Answered){best[0], best[0] - best[1], -1}, e);
}

static int read_json(char **file, TakeFn *take, void *ctx, Err *e)
{
    Records *r = lines_open(file);
    Record rec;
    int k;
    while ((k = lines_next(r, &rec, e)) > 0) {
        bool empty = strspn(rec.field[0].n ? rec.field[0].p : "", " \t") == rec.field[0].n;
        if (!empty && read_json_line(rec.field[0], take, ctx, e) < 0) {
            k = err_at(e, "%s: line %" PRId64, rec.place, rec.in_file);
            break;
        }
    }
    rec_close(r);
    return k;
}

/* ---- CSV ---- */

enum { COL_ROW, COL_GOLD, COL_LABEL, COL_SCORE, COL_MARGIN, COLS };
static const char *column[COLS] = {"row", "gold", "label", "score", "margin"};

static int number(Str field, const char *what, double *v, Err *e)
{
    if (!field.n)
        return err_set(e, "column '%s' is empty: of one class there is no second", what);
    char *s = mem_strn(field.p, field.n);
    int bad = num_real(s, -1e300, 1e300, v, e);
    free(s);
    return bad < 0 ? err_at(e, "column '%s'", what) : 0;
}

static bool equal(Str a, Str b)
{
    return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* A row as its lines come: -k gives it several, in any order. */
typedef struct Gathered {
    Buf row; /* its number */
    bool open;
    Answered best;
    char *place; /* of its first line */
    int64_t record;
} Gathered;

static int give(Gathered *g, TakeFn *take, void *ctx, Err *e)
{
    if (!g->open)
        return 0;
    g->open = false;
    int status = take(ctx, &g->best, e);
    return status < 0 ? err_at(e, "%s: record %" PRId64, g->place, g->record) : 0;
}

static int read_csv_line(Gathered *g, const Record *rec, TakeFn *take, void *ctx, Err *e)
{
    const Str *field = rec->field;
    Answered a;
    if (number(field[COL_SCORE], "score", &a.score, e) < 0 ||
        number(field[COL_MARGIN], "margin", &a.margin, e) < 0)
        return err_at(e, "%s: record %" PRId64, rec->place, rec->in_file);
    a.right = field[COL_GOLD].n ? equal(field[COL_GOLD], field[COL_LABEL]) : -1;
    if (g->open && equal(field[COL_ROW], str_of(g->row.p, g->row.n))) {
        if (a.score > g->best.score)
            g->best = a;
        return 0;
    }
    if (give(g, take, ctx, e) < 0)
        return -1;
    g->row.n = 0;
    buf_add(&g->row, field[COL_ROW].p, field[COL_ROW].n);
    g->best = a;
    g->open = true;
    g->record = rec->in_file;
    if (!g->place)
        g->place = mem_str(rec->place);
    return 0;
}

static int read_csv(char **file, TakeFn *take, void *ctx, Err *e)
{
    RecSpec spec = {
        .kind = REC_CSV, .header = true, .delimiter = ',', .column = column, .columns = COLS};
    Records *r = rec_open(file, file ? 1 : 0, &spec);
    Gathered g = {0};
    Record rec;
    int k;
    while ((k = lines_next(r, &rec, e)) > 0 && read_csv_line(&g, &rec, take, ctx, e) == 0)
        ;
    if (k == 0)
        k = give(&g, take, ctx, e);
    free(g.row.p);
    free(g.place);
    rec_close(r);
    return k ? -1 : 0;
}

/* ---- the charts ---- */

static int is_share(double x, const char *what, Err *e)
{
    return x >= 0 && x <= 1.000001 ? 0
                                   : err_set(e,
                                             "%s %g is not between 0 and 1: of classes that "
                                             "share one it is",
                                             what, x);
}

static int take_reliability(void *ctx, const Answered *a, Err *e)
{
    if (a->right < 0)
        return err_set(e, "a row without a gold label: name its column with `tok -l`");
    if (is_share(a->score, "score", e) < 0)
        return -1;
    reliability_add(ctx, a);
    return 0;
}

static int take_margin(void *ctx, const Answered *a, Err *e)
{
    if (is_share(a->margin, "margin", e) < 0)
        return -1;
    margins_add(ctx, a);
    return 0;
}

Chart *calibration_chart(char **file, Err *e)
{
    if (is_json(file)) {
        err_set(e, "%s: JSON has no gold labels: pipe `score --csv`", file ? *file : "stdin");
        return NULL;
    }
    Reliability *r = reliability_new();
    if (read_csv(file, take_reliability, r, e) == 0)
        return reliability_end(r, e);
    free(r);
    return NULL;
}

Chart *margins_chart(char **file, Err *e)
{
    Margins *m = margins_new();
    if ((is_json(file) ? read_json : read_csv)(file, take_margin, m, e) == 0)
        return margins_end(m, e);
    free(m);
    return NULL;
}
