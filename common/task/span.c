/* span.c - question-answering: where in the second text the answer to the first one stands. Long
 * texts come in windows, whose answers are laid together. */
#include "io/utf8.h"
#include "task/classes.h"
#include "task/group.h"
#include "task/spans.h"
#include "task/squad.h"
#include "task/task.h"
#include "task/write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MORE = 10, PART_CONTEXT = 1 }; /* MORE: candidates, as some turn out to be the same */

typedef struct Answer {
    double score;
    int64_t start, end; /* characters of the second text */
    char *text, *lower;
    size_t text_n, lower_n;
} Answer;

typedef struct SpanTask {
    /* of this frame */
    const int64_t *end;
    const int32_t *id, (*span)[2];
    const uint8_t *part;
    const float *logit;
    /* of the open record */
    Group group;
    Answer *answer;
    int64_t answers, room;
    double null; /* that it has no answer: the least of its windows */
    CharAt at;
    Buf label;
    /* of a window */
    SpanWork work;
    Span *best;
    int64_t bests;
    bool *allowed;
    /* --eval */
    int64_t records;
    double exact, f1, weight, weights;
} SpanTask;

static void forget_answers(SpanTask *t)
{
    for (int64_t i = 0; i < t->answers; i++) {
        free(t->answer[i].text);
        free(t->answer[i].lower);
    }
    t->answers = 0;
}

static void close_span(void *state)
{
    SpanTask *t = state;
    forget_answers(t);
    spans_free(&t->work);
    free(t->answer);
    free(t->label.p);
    free(t->best);
    free(t->allowed);
    free(t);
}

static void *open_span(Scorer *s, const Frame *f, Err *e)
{
    if (!frame_need(f, "token.logit", DT_F32, 2, e) || lexicon_open(&s->lexicon, f, e) < 0)
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

/* The word that holds a token, as far as this window has it: bytes of the context. */
static void widen(const SpanTask *t, Lexicon *l, Str text, int64_t first, int64_t last,
                  int64_t token, int32_t out[2])
{
    const int32_t(*span)[2] = t->span;
    int32_t word[2] = {span[token][0], span[token][1]};
    tokenizer_word(l->tokenizer, l->work, text, word[0], word[1], word);
    int64_t from = token, to = token;
    while (from > first && t->part[from - 1] == PART_CONTEXT && span[from - 1][0] >= word[0] &&
           span[from - 1][1] <= word[1])
        from--;
    while (to + 1 < last && t->part[to + 1] == PART_CONTEXT && span[to + 1][0] >= word[0] &&
           span[to + 1][1] <= word[1])
        to++;
    out[0] = span[from][0];
    out[1] = span[to][1];
}

static Answer *find_answer(SpanTask *t, Str lower)
{
    for (int64_t i = 0; i < t->answers; i++)
        if (t->answer[i].lower_n == lower.n && memcmp(t->answer[i].lower, lower.p, lower.n) == 0)
            return &t->answer[i];
    return NULL;
}

static void add_answer(SpanTask *t, const Answer *x)
{
    if (t->answers == t->room) {
        t->room = t->room ? 2 * t->room : 32;
        t->answer = mem_resize(t->answer, (size_t)t->room, sizeof *t->answer);
    }
    t->answer[t->answers++] = *x;
}

/* The same words again, wherever they stand, add to the first one's score. */
static void take_answer(SpanTask *t, Str text, size_t start, size_t end, double score)
{
    Str said = str_of(text.p + start, end > start ? end - start : 0);
    Buf lower = {0};
    squad_lower(&lower, said);
    Answer *same = find_answer(t, str_of(lower.p ? lower.p : "", lower.n));
    if (same) {
        same->score += score;
        free(lower.p);
        return;
    }
    Answer x = {.score = score, .text = mem_strn(said.p, said.n), .text_n = said.n,
                .lower = lower.p ? lower.p : mem_str(""), .lower_n = lower.n};
    x.start = chars_before(&t->at, text, start);
    x.end = chars_before(&t->at, text, end);
    add_answer(t, &x);
}

static int check_spans(const SpanTask *t, Str text, int64_t first, int64_t last, Err *e)
{
    for (int64_t i = first; i < last; i++) {
        const int32_t *span = t->span[i];
        if (t->part[i] == PART_CONTEXT &&
            (span[0] < 0 || span[1] < span[0] || (size_t)span[1] > text.n))
            return err_set(e, "token.span: [%d, %d) is not in the row's text", (int)span[0],
                           (int)span[1]);
    }
    if (utf8_check(text.p, text.n) != text.n)
        return err_set(e, "the context is not UTF-8");
    return 0;
}

/* Which tokens may answer: the context's, and the classifier's, which stands for none. */
static void allow(SpanTask *t, int64_t first, int64_t last, int32_t cls)
{
    t->allowed = mem_resize(t->allowed, (size_t)(last - first) + 1, sizeof *t->allowed);
    for (int64_t i = first; i < last; i++)
        t->allowed[i - first] = t->part[i] == PART_CONTEXT || (cls >= 0 && t->id[i] == cls);
}

static int take_window(SpanTask *t, Scorer *s, const Frame *f, int64_t row, Err *e)
{
    int64_t first = t->end[row], last = t->end[row + 1], top = s->answers.top;
    Str text = frame_text(f, "row.pair", row);
    int64_t spans = (last - first) * s->asked.max_answer;
    int64_t most = top == TOP_ALL ? spans : 2 * (top == TOP_DEFAULT ? 1 : top) + MORE;
    double null;
    if (class_finite(t->logit + 2 * first, 2 * (last - first), e) < 0 ||
        check_spans(t, text, first, last, e) < 0)
        return -1;
    allow(t, first, last, tokenizer_special(s->lexicon.tokenizer, TOK_CLS));
    most = most < spans ? most : spans;
    t->best = mem_resize(t->best, (size_t)most + 1, sizeof *t->best);
    t->bests = spans_best(&t->work, t->logit + 2 * first, t->allowed, last - first,
                          s->asked.max_answer, most, t->best, &null);
    t->null = fmin(t->null, null);
    for (int64_t i = 0; i < t->bests; i++) {
        int64_t from = first + t->best[i].first, to = first + t->best[i].last;
        int32_t begin[2], end[2];
        if (t->part[from] != PART_CONTEXT || t->part[to] != PART_CONTEXT)
            continue; /* [CLS] spelt out in the question */
        widen(t, &s->lexicon, text, first, last, from, begin);
        widen(t, &s->lexicon, text, first, last, to, end);
        take_answer(t, text, (size_t)begin[0], (size_t)end[1], t->best[i].score);
    }
    return 0;
}

/* ---- a record ---- */

static int by_score(const void *a, const void *b, void *answers)
{
    const Answer *answer = answers;
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (answer[i].score != answer[j].score)
        return answer[i].score > answer[j].score ? -1 : 1;
    return i < j ? -1 : 1;
}

/* The answers' indices, best first; release with free(). */
static int64_t *ranked(SpanTask *t)
{
    int64_t *order = mem_array((size_t)t->answers, sizeof *order);
    for (int64_t i = 0; i < t->answers; i++)
        order[i] = i;
    qsort_r(order, (size_t)t->answers, sizeof *order, by_score, t->answer);
    return order;
}

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
    int64_t *order = ranked(t), most = a->top == TOP_DEFAULT ? 1 : a->top;
    int64_t n = a->top == TOP_ALL || most > t->answers ? t->answers : most;
    double margin = t->answers > 1 ? t->answer[order[0]].score - t->answer[order[1]].score : NAN;
    if (list)
        buf_str(&a->out, "[");
    for (int64_t i = 0; i < n; i++) {
        const Answer *x = &t->answer[order[i]];
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
    int64_t *order = ranked(t);
    const Answer *x = &t->answer[order[0]];
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
    Answer none = {0};
    (void)e;
    if (!t->group.open)
        return 0;
    group_close(&t->group);
    bool impossible = s->asked.given & ASK_IMPOSSIBLE;
    if (impossible || !t->answers) {
        none.score = impossible && isfinite(t->null) ? t->null : 0;
        none.text = mem_str("");
        add_answer(t, &none);
    }
    if (s->asked.given & ASK_EVAL)
        measure(t);
    else
        put_answers(t, &s->answers);
    forget_answers(t);
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

const Task task_span = {"span", ASK_MAX_ANSWER | ASK_IMPOSSIBLE | ASK_EVAL, open_span,
                        frame_span, row_span, flush_span, report_span, close_span};
