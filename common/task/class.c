/* class.c - text-classification: one of several labels a row, or several. The rules of scores
 * are those of transformers' pipeline (classes.h). */
#include "base/msg.h"
#include "base/write.h"
#include "measure/metrics.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Class {
    Classes classes; /* of this frame; --eval: of the whole input */
    const float *logit;
    double *score;
    int64_t *order;
    Metrics metrics;
    Buf columns; /* --wide */
} Class;

static void *open_class(Scorer *s, const Frame *f, Err *e)
{
    (void)s, (void)f, (void)e;
    return mem_zero(1, sizeof(Class));
}

static int measurable(const Classes *c, Err *e)
{
    if (c->n < 2 || c->problem != ONE_OF)
        return err_set(e, "--eval measures a choice of one class among several, which this "
                          "model does not make");
    return metrics_fit(c->n, e);
}

/* A confusion matrix has one set of names: those of the first frame hold for all. */
static int same_classes(const Classes *was, const Classes *is, Err *e)
{
    bool same = was->n == is->n;
    for (int64_t i = 0; same && i < was->n; i++)
        same = strcmp(was->name[i], is->name[i]) == 0;
    if (same)
        return 0;
    char *a = classes_list(was), *b = classes_list(is);
    err_set(e, "the classes change from (%.300s) to (%.300s): take the streams apart", a, b);
    free(a);
    free(b);
    return -1;
}

static void take_classes(Class *t, const Classes *c)
{
    classes_clear(&t->classes);
    t->classes = *c;
    t->score = mem_resize(t->score, (size_t)c->n, sizeof *t->score);
    t->order = mem_resize(t->order, (size_t)c->n, sizeof *t->order);
}

static Str label_of(const Class *t, int64_t class)
{
    return str_of(t->classes.name[class], strlen(t->classes.name[class]));
}

/* The classes' names as columns of CSV. */
static void name_columns(Class *t)
{
    t->columns.n = 0;
    for (int64_t i = 0; i < t->classes.n; i++) {
        buf_str(&t->columns, i ? "," : "");
        put_csv(&t->columns, label_of(t, i));
    }
    buf_add(&t->columns, "", 1);
}

/* --raw: whatever makes scores of logits. */
int class_names(Classes *c, const Frame *f, const Scorer *s, int64_t n, Err *e)
{
    if (s->asked.given & ASK_RAW)
        return classes_parse(c, frame_meta(f, "classes"), "regression", n, e);
    return classes_read(c, f, n, e);
}

static int frame_class(void *state, Scorer *s, const Frame *f, Err *e)
{
    Class *t = state;
    Classes c;
    bool eval = s->asked.given & ASK_EVAL, wide = s->asked.given & ASK_WIDE;
    const Tensor *logit = frame_need(f, "row.logit", DT_F32, 2, e);
    if (!logit)
        return -1;
    if (logit->shape[1] < 1)
        return err_set(e, "row.logit has no logits");
    if (class_names(&c, f, s, logit->shape[1], e) < 0)
        return -1;
    t->logit = logit->data;
    bool other = (eval || wide) && t->classes.n && same_classes(&t->classes, &c, e) < 0;
    if (other || (eval && measurable(&c, e) < 0)) {
        classes_clear(&c);
        return -1;
    }
    take_classes(t, &c);
    if (eval && !t->metrics.classes)
        t->metrics = metrics_new(c.n);
    if (wide)
        name_columns(t);
    return eval ? 0 : answer_columns(&s->answers, f, wide ? t->columns.p : "label,score", e);
}

static void put_json_row(const Class *t, Buf *b, int64_t count)
{
    buf_str(b, "[");
    for (int64_t k = 0; k < count; k++) {
        put_json_key(b, k ? ", {" : "{", "label");
        put_json(b, label_of(t, t->order[k]));
        put_json_key(b, ", ", "score");
        put_float(b, (float)t->score[t->order[k]]);
        buf_str(b, "}");
    }
    buf_str(b, "]\n");
}

static void put_wide_row(const Class *t, Answers *a, double margin)
{
    Cell *cell = mem_array((size_t)t->classes.n, sizeof *cell);
    for (int64_t i = 0; i < t->classes.n; i++)
        cell[i] = cell_score(t->score[i]);
    answer_line(a, cell, (int)t->classes.n, margin);
    free(cell);
}

/* How many of n classes are answered; they and the second best stand in t->order. */
static int64_t rank(Class *t, const float *logit, const Answers *a, double *margin)
{
    int64_t n = t->classes.n, count = answer_count(a, 1, n);
    class_top(logit, n, count > 2 || n < 2 ? count : 2, t->order);
    *margin = n > 1 ? t->score[t->order[0]] - t->score[t->order[1]] : NAN;
    for (int64_t i = 0; a->top == TOP_ALL && i < n; i++)
        t->order[i] = i;
    return count;
}

static int row_class(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Class *t = state;
    int64_t n = t->classes.n;
    const float *logit = t->logit + row * n;
    double margin;
    if (s->asked.given & ASK_EVAL)
        return metrics_choice(&t->metrics, &t->classes, logit, frame_text(f, "row.label", row),
                              task_weight(f, row), e);
    if (class_finite(logit, n, e) < 0)
        return -1;
    class_scores(s->asked.given & ASK_MULTI ? ANY_OF : t->classes.problem, logit, n, t->score);
    int64_t count = rank(t, logit, &s->answers, &margin);
    answer_row(&s->answers, f, row);
    if (s->asked.given & ASK_WIDE) {
        put_wide_row(t, &s->answers, margin);
        return 0;
    }
    if (s->answers.format == FORMAT_JSON)
        put_json_row(t, &s->answers.out, count);
    for (int64_t k = 0; s->answers.format != FORMAT_JSON && k < count; k++)
        answer_line(
            &s->answers,
            (Cell[]){cell_text(label_of(t, t->order[k])), cell_score(t->score[t->order[k]])}, 2,
            margin);
    return 0;
}

static int report_class(void *state, Scorer *s, Err *e)
{
    const Class *t = state;
    (void)e;
    metrics_put(&s->answers.out, &t->metrics, &t->classes, s->answers.format == FORMAT_JSON);
    return 0;
}

static void close_class(void *state)
{
    Class *t = state;
    classes_clear(&t->classes);
    metrics_free(&t->metrics);
    free(t->score);
    free(t->order);
    free(t->columns.p);
    free(t);
}

const Task task_class = {"class",      ASK_MULTI | ASK_EVAL | ASK_SKIP | ASK_WIDE | ASK_RAW,
                         open_class,   frame_class,
                         row_class,    NULL,
                         report_class, close_class};
