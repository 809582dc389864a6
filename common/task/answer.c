#include "task/answer.h"

#include "task/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEEP "row.keep."

/* A row being answered: its n scores and their order. */
typedef struct Ranked {
    const Classes *classes;
    double *score;
    int64_t *order; /* as printed */
    int64_t count;  /* of them */
    double margin;  /* first minus second score; NaN: there is no second */
} Ranked;

const float *answer_logits(const Frame *f, Classes *c, Err *e)
{
    const char *task = frame_meta(f, "task");
    if (task && strcmp(task, "class") != 0) {
        err_set(e, "task '%.60s' comes with a later version of weft: this one scores 'class'",
                task);
        return NULL;
    }
    const Tensor *t = frame_need(f, "row.logit", DT_F32, 2, e);
    if (!t)
        return NULL;
    if (t->shape[1] < 1) {
        err_set(e, "row.logit has no logits");
        return NULL;
    }
    return classes_read(c, f, t->shape[1], e) < 0 ? NULL : t->data;
}

int answer_finite(const float *logit, int64_t n, Err *e)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(logit[i]))
            return err_set(e, "the model produced %s: look at its weights with `show`",
                           isnan(logit[i]) ? "NaN" : "infinity");
    return 0;
}

static Str label_of(const Ranked *r, int64_t k)
{
    const char *s = r->classes->name[r->order[k]];
    return str_of(s, strlen(s));
}

static void put_tsv_row(const Answers *a, Buf *b, const Ranked *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        if (a->top != TOP_DEFAULT)
            buf_fmt(b, "%lld\t", (long long)a->rows + 1);
        put_tsv(b, label_of(r, k));
        buf_fmt(b, "\t%.6f\n", r->score[r->order[k]]);
    }
}

static void put_json_row(Buf *b, const Ranked *r)
{
    buf_str(b, "[");
    for (int64_t k = 0; k < r->count; k++) {
        buf_str(b, k ? ", {\"label\": " : "{\"label\": ");
        put_json(b, label_of(r, k));
        buf_str(b, ", \"score\": ");
        put_float(b, (float)r->score[r->order[k]]);
        buf_str(b, "}");
    }
    buf_str(b, "]\n");
}

static void put_csv_header(const Answers *a, Buf *b)
{
    buf_str(b, "row");
    for (int i = 0; i < a->keeps; i++) {
        const char *name = a->keep[i] + strlen(KEEP);
        buf_str(b, ",");
        put_csv(b, str_of(name, strlen(name)));
    }
    buf_str(b, a->pair ? ",text,pair,gold,label,score,margin\n"
                       : ",text,gold,label,score,margin\n");
}

static void put_csv_text(Buf *b, const Frame *f, const char *tensor, int64_t row)
{
    buf_str(b, ",");
    put_csv(b, frame_text(f, tensor, row));
}

static void put_csv_row(const Answers *a, Buf *b, const Frame *f, int64_t row, const Ranked *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        buf_fmt(b, "%lld", (long long)a->rows + 1);
        for (int i = 0; i < a->keeps; i++)
            put_csv_text(b, f, a->keep[i], row);
        put_csv_text(b, f, "row.text", row);
        if (a->pair)
            put_csv_text(b, f, "row.pair", row);
        put_csv_text(b, f, "row.label", row);
        buf_str(b, ",");
        put_csv(b, label_of(r, k));
        buf_fmt(b, ",%.6f,", r->score[r->order[k]]);
        if (!isnan(r->margin))
            buf_fmt(b, "%.6f", r->margin);
        buf_str(b, "\n");
    }
}

static bool is_keep(const Tensor *t)
{
    return strncmp(t->name, KEEP, strlen(KEEP)) == 0;
}

static bool is_known(const Answers *a, const char *name)
{
    for (int i = 0; i < a->keeps; i++)
        if (strcmp(a->keep[i], name) == 0)
            return true;
    return false;
}

/* The first frame settles the columns; a later stream may lack some, but not bring others. */
static int settle_columns(Answers *a, Buf *b, const Frame *f, Err *e)
{
    bool pair = frame_get(f, "row.pair") != NULL;
    if (a->begun && pair && !a->pair)
        return err_set(e, "a second text, which the first stream's rows had not: "
                          "score the streams apart");
    if (!a->begun)
        a->keep = mem_zero((size_t)f->count, sizeof *a->keep);
    for (int i = 0; i < f->count; i++) {
        const char *name = f->tensor[i].name;
        if (!is_keep(&f->tensor[i]) || is_known(a, name))
            continue;
        if (a->begun)
            return err_set(e, "column '%.100s', which the first stream had not: "
                              "score the streams apart", name + strlen(KEEP));
        a->keep[a->keeps++] = mem_str(name);
    }
    if (!a->begun) {
        a->pair = pair;
        put_csv_header(a, b);
    }
    a->begun = true;
    return 0;
}

static void rank(const Answers *a, const float *logit, Ranked *r)
{
    int64_t n = r->classes->n;
    class_scores(a->independent ? ANY_OF : r->classes->problem, logit, n, r->score);
    class_rank(logit, n, r->order);
    r->margin = n > 1 ? r->score[r->order[0]] - r->score[r->order[1]] : NAN;
    r->count = a->top == TOP_DEFAULT ? 1 : a->top == TOP_ALL || a->top > n ? n : a->top;
    for (int64_t i = 0; a->top == TOP_ALL && i < n; i++)
        r->order[i] = i;
}

static int answer_rows(Answers *a, Buf *b, const Frame *f, const float *logit, Ranked *r, Err *e)
{
    for (int64_t i = 0; i < f->rows; i++, logit += r->classes->n) {
        if (answer_finite(logit, r->classes->n, e) < 0) {
            e->row = i + 1;
            return -1;
        }
        rank(a, logit, r);
        if (a->format == FORMAT_TSV)
            put_tsv_row(a, b, r);
        else if (a->format == FORMAT_JSON)
            put_json_row(b, r);
        else
            put_csv_row(a, b, f, i, r);
        a->rows++;
    }
    return 0;
}

int answer_frame(Answers *a, Buf *b, const Frame *f, Err *e)
{
    Classes classes;
    const float *logit = answer_logits(f, &classes, e);
    if (!logit)
        return -1;
    Ranked r = {.classes = &classes};
    r.score = mem_array((size_t)classes.n, sizeof *r.score);
    r.order = mem_array((size_t)classes.n, sizeof *r.order);
    int status = a->format == FORMAT_CSV ? settle_columns(a, b, f, e) : 0;
    if (status == 0)
        status = answer_rows(a, b, f, logit, &r, e);
    free(r.score);
    free(r.order);
    classes_clear(&classes);
    return status;
}

void answer_free(Answers *a)
{
    for (int i = 0; i < a->keeps; i++)
        free(a->keep[i]);
    free(a->keep);
}
