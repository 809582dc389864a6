#include "measure/window.h"

#include "measure/classes.h"

#include <stdlib.h>

enum { MORE = 10, PART_CONTEXT = 1 }; /* MORE: candidates, as some turn out to be the same */

/* The part of the text that its tokens take in. */
static int look_at(WindowWork *w, const AnswerWindow *x, Err *e)
{
    int32_t from = INT32_MAX, to = 0;
    for (int64_t i = 0; i < x->n; i++) {
        const int32_t *span = x->span[i];
        if (x->part[i] != PART_CONTEXT)
            continue;
        if (span[0] < 0 || span[1] < span[0] || (size_t)span[1] > x->text.n)
            return err_set(e, "token.span: [%d, %d) is not in the row's text", (int)span[0],
                           (int)span[1]);
        from = span[0] < from ? span[0] : from;
        to = span[1] > to ? span[1] : to;
    }
    w->seen = from < to ? str_of(x->text.p + from, (size_t)(to - from)) : str_of(x->text.p, 0);
    if (utf8_check(w->seen.p, w->seen.n) != w->seen.n)
        return err_set(e, "the context is not UTF-8");
    return 0;
}

/* Which tokens may answer: the context's, and the classifier's, which stands for none. */
static void allow(WindowWork *w, const AnswerWindow *x)
{
    int32_t cls = tokenizer_special(w->tokenizer, TOK_CLS);
    w->allowed = mem_resize(w->allowed, (size_t)x->n + 1, sizeof *w->allowed);
    for (int64_t i = 0; i < x->n; i++)
        w->allowed[i] = x->part[i] == PART_CONTEXT || (cls >= 0 && x->id[i] == cls);
}

static bool is_within(const AnswerWindow *x, int64_t i, const int32_t word[2])
{
    return i >= 0 && i < x->n && x->part[i] == PART_CONTEXT && x->span[i][0] >= word[0] &&
           x->span[i][1] <= word[1];
}

/* The word that holds a token, as far as this window has it: bytes of the context. */
static void widen(const WindowWork *w, const AnswerWindow *x, int64_t token, int32_t out[2])
{
    int32_t base = (int32_t)(w->seen.p - x->text.p), word[2];
    int64_t from = token, to = token;
    tokenizer_word(w->tokenizer, w->words, w->seen, x->span[token][0] - base,
                   x->span[token][1] - base, word);
    word[0] += base;
    word[1] += base;
    while (is_within(x, from - 1, word))
        from--;
    while (is_within(x, to + 1, word))
        to++;
    out[0] = x->span[from][0];
    out[1] = x->span[to][1];
}

static void take_answer(const WindowWork *w, const AnswerWindow *x, const Span *s, AnswerSet *to,
                        CharAt *at)
{
    int32_t begin[2], end[2];
    int found;
    if (x->part[s->first] != PART_CONTEXT || x->part[s->last] != PART_CONTEXT)
        return; /* [CLS] spelt out in the question */
    widen(w, x, s->first, begin);
    widen(w, x, s->last, end);
    size_t n = end[1] > begin[0] ? (size_t)(end[1] - begin[0]) : 0;
    Answer *a = answerset_add(to, str_of(x->text.p + begin[0], n), s->score, &found);
    if (found)
        return;
    a->start = chars_before(at, x->text, (size_t)begin[0]);
    a->end = chars_before(at, x->text, (size_t)end[1]);
}

int window_answers(WindowWork *w, const AnswerWindow *x, int64_t longest, int64_t top,
                   AnswerSet *to, CharAt *at, double *null, Err *e)
{
    if (look_at(w, x, e) < 0 || class_finite(x->logit, 2 * x->n, e) < 0)
        return -1;
    int64_t most = top ? 2 * top + MORE : INT64_MAX;
    allow(w, x);
    longest = longest < x->n ? longest : x->n;
    most = most < x->n * longest ? most : x->n * longest;
    w->best = mem_resize(w->best, (size_t)most + 1, sizeof *w->best);
    int64_t bests = spans_best(&w->spans, x->logit, w->allowed, x->n, longest, most, w->best, null);
    for (int64_t i = 0; i < bests; i++)
        take_answer(w, x, &w->best[i], to, at);
    return 0;
}

void window_free(WindowWork *w)
{
    spans_free(&w->spans);
    free(w->best);
    free(w->allowed);
}
