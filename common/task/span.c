/* span.c - question-answering: where in the second text the answer to the first one stands.
 * Long texts come in windows, whose answers are laid together. */
#include "base/utf8.h"
#include "base/write.h"
#include "measure/classes.h"
#include "measure/squad.h"
#include "task/answerset.h"
#include "task/group.h"
#include "task/spans.h"
#include "task/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MORE = 10, PART_CONTEXT = 1 }; /* MORE: candidates, as some turn out to be the same */

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
    /* of a window */
    int64_t first, last; /* its tokens */
    Str text, seen;      /* the context, and what the window has of it */
    SpanWork work;
    Span *best;
    bool *allowed;
    /* --eval */
    int64_t records;
    double exact, f1, weight, weights;
} SpanTask;

static void close_span(void *state)
{
    SpanTask *t = state;
    answerset_free(&t->set);
    spans_free(&t->work);
    free(t->label.p);
    free(t->best);
    free(t->allowed);
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

/* The row's tokens, its context and the part of that which its tokens take in. */
static int look_at(SpanTask *t, const Frame *f, int64_t row, Err *e)
{
    int32_t from = INT32_MAX, to = 0;
    t->first = t->end[row];
    t->last = t->end[row + 1];
    t->text = frame_text(f, "row.pair", row);
    for (int64_t i = t->first; i < t->last; i++) {
        const int32_t *span = t->span[i];
        if (t->part[i] != PART_CONTEXT)
            continue;
        if (span[0] < 0 || span[1] < span[0] || (size_t)span[1] > t->text.n)
            return err_set(e, "token.span: [%d, %d) is not in the row's text", (int)span[0],
                           (int)span[1]);
        from = span[0] < from ? span[0] : from;
        to = span[1] > to ? span[1] : to;
    }
    t->seen = from < to ? str_of(t->text.p + from, (size_t)(to - from)) : str_of(t->text.p, 0);
    if (utf8_check(t->seen.p, t->seen.n) != t->seen.n)
        return err_set(e, "the context is not UTF-8");
    return 0;
}

/* Which tokens may answer: the context's, and the classifier's, which stands for none. */
static void allow(SpanTask *t, int32_t cls)
{
    t->allowed = mem_resize(t->allowed, (size_t)(t->last - t->first) + 1, sizeof *t->allowed);
    for (int64_t i = t->first; i < t->last; i++)
        t->allowed[i - t->first] = t->part[i] == PART_CONTEXT || (cls >= 0 && t->id[i] == cls);
}

static bool is_within(const SpanTask *t, int64_t i, const int32_t word[2])
{
    return i >= t->first && i < t->last && t->part[i] == PART_CONTEXT && t->span[i][0] >= word[0] &&
           t->span[i][1] <= word[1];
}

/* The word that holds a token, as far as this window has it: bytes of the context. */
static void widen(const SpanTask *t, StreamTokenizer *l, int64_t token, int32_t out[2])
{
    int32_t base = (int32_t)(t->seen.p - t->text.p), word[2];
    int64_t from = token, to = token;
    tokenizer_word(l->tokenizer, l->work, t->seen, t->span[token][0] - base,
                   t->span[token][1] - base, word);
    word[0] += base;
    word[1] += base;
    while (is_within(t, from - 1, word))
        from--;
    while (is_within(t, to + 1, word))
        to++;
    out[0] = t->span[from][0];
    out[1] = t->span[to][1];
}

static void take_answer(SpanTask *t, StreamTokenizer *l, const Span *x)
{
    int64_t first = t->first + x->first, last = t->first + x->last;
    int32_t begin[2], end[2];
    int found;
    if (t->part[first] != PART_CONTEXT || t->part[last] != PART_CONTEXT)
        return; /* [CLS] spelt out in the question */
    widen(t, l, first, begin);
    widen(t, l, last, end);
    size_t n = end[1] > begin[0] ? (size_t)(end[1] - begin[0]) : 0;
    Answer *a = answerset_add(&t->set, str_of(t->text.p + begin[0], n), x->score, &found);
    if (found)
        return;
    a->start = chars_before(&t->at, t->text, (size_t)begin[0]);
    a->end = chars_before(&t->at, t->text, (size_t)end[1]);
}

static int take_window(SpanTask *t, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    if (look_at(t, f, row, e) < 0)
        return -1;
    const float *logit = t->logit + 2 * t->first;
    int64_t n = t->last - t->first, longest = s->asked.max_answer, top = s->answers.top;
    int64_t most = top == TOP_ALL ? INT64_MAX : 2 * (top == TOP_DEFAULT ? 1 : top) + MORE;
    double null;
    if (class_finite(logit, 2 * n, e) < 0)
        return -1;
    allow(t, tokenizer_special(s->stream_tokenizer.tokenizer, TOK_CLS));
    longest = longest < n ? longest : n;
    most = most < n * longest ? most : n * longest;
    t->best = mem_resize(t->best, (size_t)most + 1, sizeof *t->best);
    int64_t bests = spans_best(&t->work, logit, t->allowed, n, longest, most, t->best, &null);
    t->null = fmin(t->null, null);
    for (int64_t i = 0; i < bests; i++)
        take_answer(t, &s->stream_tokenizer, &t->best[i]);
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
