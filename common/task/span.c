/* span.c - question-answering: where in the second text the answer to the first one stands.
 * Long texts come in windows, whose answers are laid together. */
#include "base/utf8.h"
#include "base/write.h"
#include "measure/squad.h"
#include "measure/window.h"
#include "task/group.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_CONTEXT = 1 };

typedef struct SpanTask {
    /* of this frame */
    const int64_t *end;
    const int32_t *id, (*span)[2];
    const uint8_t *part;
    const float *logit;
    /* of the open record */
    Group group;
    AnswerSet set;
    double null; /* that it has no answer: the least of its windows */
    CharAt at;
    Buf label;
    WindowWork work;
    /* --eval */
    int64_t records;
    double exact, f1, weight, weights;
} SpanTask;

static void close_span(void *state)
{
    SpanTask *t = state;
    answerset_free(&t->set);
    window_free(&t->work);
    free(t->label.p);
    free(t);
}

static void *open_span(Scorer *s, const Frame *f, Err *e)
{
    if (!frame_need(f, "token.logit", DT_F32, 2, e) ||
        stream_tokenizer_open(&s->stream_tokenizer, f, e) < 0)
        return NULL;
    return mem_zero(1, sizeof(SpanTask));
}

static int frame_span(void *state, Scorer *s, const Frame *f, Err *e)
{
    SpanTask *t = state;
    const Tensor *logit = frame_need(f, "token.logit", DT_F32, 2, e), *end, *id, *part, *span;
    if (!logit || !(end = frame_need(f, "row.tokens", DT_I64, 1, e)) ||
        !(id = frame_need(f, "token.id", DT_I32, 1, e)) ||
        !(part = frame_need(f, "token.part", DT_U8, 1, e)) ||
        !(span = frame_need(f, "token.span", DT_I32, 2, e)))
        return -1;
    if (logit->shape[1] != 2)
        return err_set(e, "token.logit has %lld logits a token, and spans have two: start, end",
                       (long long)logit->shape[1]);
    if (!frame_get(f, "row.pair"))
        return err_set(e, "rows of one text: a question and its context are a pair (tok -p)");
    t->end = end->data;
    t->id = id->data;
    t->part = part->data;
    t->span = span->data;
    t->logit = logit->data;
    return answer_columns(&s->answers, f, "start,end,score,answer", e);
}

/* ---- a window ---- */

static int take_window(SpanTask *t, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    int64_t first = t->end[row], top = s->answers.top;
    double null;
    t->work.tokenizer = s->stream_tokenizer.tokenizer;
    t->work.words = s->stream_tokenizer.work;
    AnswerWindow x = {.id = t->id + first,
                      .span = t->span + first,
                      .part = t->part + first,
                      .logit = t->logit + 2 * first,
                      .n = t->end[row + 1] - first,
                      .text = frame_text(f, "row.pair", row)};
    if (window_answers(&t->work, &x, s->asked.max_answer,
                       top == TOP_ALL       ? 0
                       : top == TOP_DEFAULT ? 1
                                            : top,
                       &t->set, &t->at, &null, e) < 0)
        return -1;
    t->null = fmin(t->null, null);
    return 0;
}

/* ---- a record ---- */

static void put_object(Buf *b, const Answer *x)
{
    put_json_key(b, "{", "score");
    put_float(b, (float)x->score);
    buf_fmt(b, ", \"start\": %lld, \"end\": %lld", (long long)x->start, (long long)x->end);
    put_json_key(b, ", ", "answer");
    put_json(b, str_of(x->text, x->text_n));
    buf_str(b, "}");
}

static void put_answers(SpanTask *t, Answers *a)
{
    bool json = a->format == FORMAT_JSON, list = json && a->top != TOP_DEFAULT;
    int64_t *order = answerset_rank(&t->set), n = answer_count(a, 1, t->set.n);
    double margin =
        t->set.n > 1 ? t->set.answer[order[0]].score - t->set.answer[order[1]].score : NAN;
    if (list)
        buf_str(&a->out, "[");
    for (int64_t i = 0; i < n; i++) {
        const Answer *x = &t->set.answer[order[i]];
        if (json && i)
            buf_str(&a->out, ", ");
        if (json)
            put_object(&a->out, x);
        else
            answer_line(a,
                        (Cell[]){cell_count(x->start), cell_count(x->end), cell_score(x->score),
                                 cell_text(str_of(x->text, x->text_n))},
                        4, margin);
    }
    if (json)
        buf_str(&a->out, list ? "]\n" : "\n");
    free(order);
}

static void measure(SpanTask *t)
{
    int64_t *order = answerset_rank(&t->set);
    const Answer *x = &t->set.answer[order[0]];
    Str gold = str_of(t->label.p ? t->label.p : "", t->label.n), said = str_of(x->text, x->text_n);
    t->exact += t->weight * squad_exact(gold, said);
    t->f1 += t->weight * squad_f1(gold, said);
    t->weights += t->weight;
    t->records++;
    free(order);
}

static int flush_span(void *state, Scorer *s, Err *e)
{
    SpanTask *t = state;
    int found;
    (void)e;
    if (!t->group.open)
        return 0;
    group_close(&t->group);
    bool impossible = s->asked.given & ASK_IMPOSSIBLE;
    if (impossible || !t->set.n)
        answerset_add(&t->set, str_of("", 0), impossible ? t->null : 0, &found);
    if (s->asked.given & ASK_EVAL)
        measure(t);
    else
        put_answers(t, &s->answers);
    answerset_clear(&t->set);
    return 0;
}

/* A record without a gold answer has none to be found, where --impossible allows for that. */
static int read_label(SpanTask *t, const Scorer *s, const Frame *f, int64_t row, Err *e)
{
    Str label = frame_text(f, "row.label", row);
    t->label.n = 0;
    buf_add(&t->label, label.p, label.n);
    t->weight = task_weight(f, row);
    if (!(s->asked.given & ASK_EVAL))
        return 0;
    if (utf8_check(label.p, label.n) != label.n)
        return err_set(e, "the label is not UTF-8");
    if (!label.n && !(s->asked.given & ASK_IMPOSSIBLE))
        return err_set(e, "no gold answer: name its column with `tok -l`, or say --impossible "
                          "where a question may have none");
    return 0;
}

static int row_span(void *state, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    SpanTask *t = state;
    if (group_turns(&t->group, f, row)) {
        flush_span(t, s, e);
        if (read_label(t, s, f, row, e) < 0)
            return -1;
        group_open(&t->group);
        t->null = INFINITY;
        t->at = (CharAt){0};
        answer_row(&s->answers, f, row);
    }
    if (take_window(t, s, f, row, e) < 0)
        return -1;
    return group_ends(f, row, "row.pair", PART_CONTEXT) ? flush_span(t, s, e) : 0;
}

static int report_span(void *state, Scorer *s, Err *e)
{
    const SpanTask *t = state;
    Buf *b = &s->answers.out;
    if (t->weights <= 0)
        return err_set(e, "no rows to measure");
    double exact = t->exact / t->weights, f1 = t->f1 / t->weights;
    const char *fmt = s->answers.format == FORMAT_JSON
                          ? "{\"rows\": %lld, \"exact\": %.9g, \"f1\": %.9g}\n"
                          : "rows\t%lld\nexact\t%.6f\nf1\t%.6f\n";
    buf_fmt(b, fmt, (long long)t->records, exact, f1);
    return 0;
}

const Task task_span = {"span",      ASK_MAX_ANSWER | ASK_IMPOSSIBLE | ASK_EVAL,
                        open_span,   frame_span,
                        row_span,    flush_span,
                        report_span, close_span};
