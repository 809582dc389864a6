/* next.c - next sentence: does the second text go on from the first? Two logits a row, as
 * BertForNextSentencePrediction has them: it does, it does not. */
#include "base/write.h"
#include "measure/metrics.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>

typedef struct Next {
    Classes classes;
    const float *logit;
    Metrics metrics;
} Next;

static void *open_next(Scorer *s, const Frame *f, Err *e)
{
    Next *t = mem_zero(1, sizeof *t);
    (void)s, (void)f;
    if (classes_parse(&t->classes, "[\"is_next\",\"not_next\"]", NULL, 2, e) < 0) {
        free(t);
        return NULL;
    }
    t->metrics = metrics_new(2);
    return t;
}

static int frame_next(void *state, Scorer *s, const Frame *f, Err *e)
{
    Next *t = state;
    const Tensor *logit = frame_need(f, "row.logit", DT_F32, 2, e);
    if (!logit)
        return -1;
    if (logit->shape[1] != 2)
        return err_set(e, "row.logit has %lld logits a row, and next sentence has two",
                       (long long)logit->shape[1]);
    t->logit = logit->data;
    return answer_columns(&s->answers, f, "is_next,not_next", e);
}

static int row_next(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Next *t = state;
    Answers *a = &s->answers;
    const float *logit = t->logit + 2 * row;
    double p[2];
    if (s->asked.given & ASK_EVAL)
        return metrics_choice(&t->metrics, &t->classes, logit, frame_text(f, "row.label", row),
                              task_weight(f, row), e);
    if (class_finite(logit, 2, e) < 0)
        return -1;
    class_scores(ONE_OF, logit, 2, p);
    answer_row(a, f, row);
    if (a->format == FORMAT_JSON) {
        put_json_key(&a->out, "{", "is_next");
        put_float(&a->out, (float)p[0]);
        put_json_key(&a->out, ", ", "not_next");
        put_float(&a->out, (float)p[1]);
        buf_str(&a->out, "}\n");
    } else {
        answer_line(a, (Cell[]){cell_score(p[0]), cell_score(p[1])}, 2, fabs(p[0] - p[1]));
    }
    return 0;
}

static int report_next(void *state, Scorer *s, Err *e)
{
    const Next *t = state;
    (void)e;
    metrics_put(&s->answers.out, &t->metrics, &t->classes, s->answers.format == FORMAT_JSON);
    return 0;
}

static void close_next(void *state)
{
    Next *t = state;
    classes_clear(&t->classes);
    metrics_free(&t->metrics);
    free(t);
}

const Task task_next = {"next", ASK_EVAL | ASK_SKIP, open_next, frame_next, row_next,
                        NULL,   report_next,         close_next};
