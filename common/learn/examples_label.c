#include "learn/examples_in.h"

#include "base/num.h"
#include "base/outfile.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Objective examples_objective(const Frame *f)
{
    if (frame_get(f, "token.label"))
        return LEARN_TOKEN;
    return frame_get(f, "row.start") ? LEARN_SPAN : LEARN_CLASS;
}

static int need_target(Reading *r, const Frame *f, Err *e)
{
    const Tensor *t = frame_get(f, "row.target");
    if (!t)
        return 0;
    if (t->type != DT_F32 || t->rank != 2 || t->shape[1] < 1)
        return err_set(e, "row.target is not F32 [rows, numbers]");
    if (!r->x->rows)
        r->x->numbers = t->shape[1];
    return t->shape[1] == r->x->numbers
               ? 0
               : err_set(e, "row.target of %lld numbers behind those of %lld",
                         (long long)t->shape[1], (long long)r->x->numbers);
}

int labels_need(const Reading *r, const Frame *f, Err *e)
{
    static const char *const spans[] = {"token.span", "token.part", "row.pair"};
    Objective o = r->x->objective;
    if (r->x->width && o != LEARN_CLASS)
        return err_set(e,
                       "vectors can be trained for classes alone: --objective %s wants ids (tok "
                       "| train)",
                       objective_names[o]);
    if (o == LEARN_TOKEN && !frame_get(f, "token.label"))
        return err_set(e, "the tokens have no labels: tok --conll");
    bool targets = o == LEARN_REGRESSION || (r->x->soft && !r->spec.teacher);
    if (targets && need_target((Reading *)(uintptr_t)r, f, e) < 0)
        return -1;
    bool labelled = r->spec.teacher || frame_get(f, "row.label") || frame_get(f, "row.target");
    if ((o == LEARN_CLASS || o == LEARN_MULTI || o == LEARN_REGRESSION || o == LEARN_SPAN) &&
        !labelled)
        return err_set(e, "the rows have no labels: tok -l COLUMN");
    for (int i = 0; o == LEARN_SPAN && i < 3; i++)
        if (!frame_get(f, spans[i]))
            return err_set(e,
                           "no %s in the stream: answers are found in the second text (tok -c "
                           "QUESTION -p CONTEXT -l ANSWER)",
                           spans[i]);
    return 0;
}

/* ---- classes ---- */

static int class_id(Reading *r, const ExampleRow *w, Str label, Err *e)
{
    Examples *x = r->x;
    int32_t id = label_ids_of(x->labels_met, label, r->place, w->number);
    if (has_classes(x->objective) && x->labels_met->count > EXAMPLES_CLASSES)
        return err_set(e, "more than %d different labels: is that the label's column?",
                       EXAMPLES_CLASSES);
    return id;
}

/* Labels with bars between; each class once. */
static int take_several(Reading *r, const ExampleRow *w, Str all, Err *e)
{
    Examples *x = r->x;
    for (size_t at = 0, n; at <= all.n; at += n + 1) {
        const char *bar = memchr(all.p + at, '|', all.n - at);
        n = bar ? (size_t)(bar - all.p) - at : all.n - at;
        if (!n)
            continue;
        int id = class_id(r, w, str_of(all.p + at, n), e);
        if (id < 0)
            return -1;
        buf_add(&x->several, &(int32_t){id}, sizeof(int32_t));
    }
    int64_t end = (int64_t)(x->several.n / sizeof(int32_t));
    buf_add(&x->ends, &end, sizeof end);
    return 1;
}

/* ---- numbers ---- */

static int take_shares(Reading *r, const ExampleRow *w, Err *e)
{
    Examples *x = r->x;
    if (r->spec.teacher) /* to come */
        return 1;
    const float *from = (const float *)frame_get(w->f, "row.target")->data + w->row * x->numbers;
    memcpy(x->number + x->rows * x->numbers, from, (size_t)x->numbers * sizeof *from);
    x->target[x->rows] = soft_top(from, x->numbers);
    return soft_check(from, x->numbers, e) < 0 ? -1 : 1;
}

static int take_numbers(Reading *r, const ExampleRow *w, Str label, Err *e)
{
    Examples *x = r->x;
    float *to = x->number + x->rows * x->numbers;
    const Tensor *t = frame_get(w->f, "row.target");
    if (t) {
        memcpy(to, (const float *)t->data + w->row * x->numbers, (size_t)x->numbers * sizeof *to);
    } else {
        double v;
        char *text = mem_strn(label.p, label.n);
        int bad = num_real(text, -1e30, 1e30, &v, e);
        free(text);
        if (bad)
            return err_at(e, "its label is to be a number");
        to[0] = (float)v;
    }
    for (int64_t i = 0; i < x->numbers; i++)
        if (!isfinite(to[i]))
            return err_set(e, "its target is not finite");
    return 1;
}

/* ---- answers ---- */

/* Where the answer's bytes are in the second text: at its start in characters, else where its words
 * stand first. */
static int find_answer(const ExampleRow *w, Str text, Str answer, size_t *from, Err *e)
{
    const Tensor *t = frame_get(w->f, "row.start");
    if (t) {
        int64_t chars = ((const int64_t *)t->data)[w->row];
        size_t at = 0;
        for (int64_t i = 0; i < chars && at < text.n; i++) {
            int len;
            utf8_get(text.p + at, &len);
            at += (size_t)len;
        }
        *from = at;
        if (chars >= 0 && answer.n <= text.n - at && memcmp(text.p + at, answer.p, answer.n) == 0)
            return 0;
        return err_set(e, "its answer does not stand at character %lld of the second text",
                       (long long)chars);
    }
    const char *found = memmem(text.p, text.n, answer.p, answer.n);
    if (!found)
        return err_set(e, "its answer does not stand in the second text");
    *from = (size_t)(found - text.p);
    return 0;
}

/* The answer's tokens; the row's first where it has none, or not all of it is in this window, as
 * transformers' run_qa has it. */
static int take_answer(Reading *r, const ExampleRow *w, Str answer, Err *e)
{
    Examples *x = r->x;
    int32_t *to = x->answer[x->rows];
    const int64_t *at = frame_get(w->f, "row.tokens")->data;
    const int32_t(*span)[2] = frame_get(w->f, "token.span")->data;
    const uint8_t *part = frame_get(w->f, "token.part")->data;
    size_t from = 0;
    to[0] = to[1] = 0;
    if (!answer.n)
        return 1;
    if (find_answer(w, frame_text(w->f, "row.pair", w->row), answer, &from, e) < 0)
        return -1;
    int64_t first = at[w->row], last = at[w->row + 1] - 1, end = (int64_t)(from + answer.n);
    while (first <= last && part[first] != 1)
        first++;
    while (last >= first && part[last] != 1)
        last--;
    if (first > last || span[first][0] > (int64_t)from || span[last][1] < end)
        return 1;
    int64_t s = first, t = last;
    while (s <= last && span[s][0] <= (int64_t)from)
        s++;
    while (t >= first && span[t][1] >= end)
        t--;
    to[0] = (int32_t)(s - 1 - at[w->row]);
    to[1] = (int32_t)(t + 1 - at[w->row]);
    return 1;
}

/* ---- rows ---- */

int labels_take(Reading *r, const ExampleRow *w, Err *e)
{
    Examples *x = r->x;
    Objective o = x->objective;
    Str label = frame_text(w->f, "row.label", w->row);
    /* Of several classes no label is none of them. */
    bool wants = (o == LEARN_CLASS && !x->soft) || (o == LEARN_MULTI && r->spec.skip) ||
                 (o == LEARN_REGRESSION && !frame_get(w->f, "row.target"));
    if (wants && !label.n)
        return r->spec.skip ? 0
                            : err_set(e, "it has no label: --skip-unlabelled leaves such rows out");
    x->target[x->rows] = -1;
    if (x->soft)
        return take_shares(r, w, e);
    switch (o) {
    case LEARN_CLASS: {
        int id = class_id(r, w, label, e);
        x->target[x->rows] = id;
        return id < 0 ? -1 : 1;
    }
    case LEARN_MULTI: return take_several(r, w, label, e);
    case LEARN_REGRESSION: return take_numbers(r, w, label, e);
    case LEARN_SPAN: return take_answer(r, w, label, e);
    case LEARN_TOKEN:
    case LEARN_MLM:
    case LEARN_CLM:
    case OBJECTIVES: break;
    }
    return 1;
}

int labels_tokens(Reading *r, const Frame *f, int64_t from, int64_t to, Err *e)
{
    const int64_t *at = frame_get(f, "row.tokens")->data;
    int64_t n = at[to] - at[from];
    int32_t *target = mem_array((size_t)n, sizeof *target);
    int status = 0;
    for (int64_t row = from; row < to && status == 0; row++)
        for (int64_t t = at[row]; t < at[row + 1] && status == 0; t++) {
            ExampleRow w = {f, row, 0};
            Str label = frame_text(f, "token.label", t);
            target[t - at[from]] = label.n ? class_id(r, &w, label, e) : -1;
            if (label.n && target[t - at[from]] < 0)
                status = -1;
        }
    if (status == 0 && write_all(r->fd[ASIDE_TARGETS], target, (size_t)n * sizeof *target) < 0)
        status = err_sys(e, "the temporary file for rows");
    free(target);
    return status;
}
