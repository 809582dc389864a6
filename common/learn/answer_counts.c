#include "learn/answer_counts.h"

#include "measure/squad.h"

#include <math.h>
#include <stdlib.h>

AnswerCounts answer_counts_new(const Examples *x, const Tokenizer *t)
{
    return (AnswerCounts){.x = x, .work = {.tokenizer = t, .words = tokwork_new(t)}, .open = -1};
}

void answer_counts_end(AnswerCounts *k)
{
    const Examples *x = k->x;
    int found;
    if (k->open < 0)
        return;
    double w = x->weight ? (double)x->weight[k->open] : 1;
    if (x->texts.unanswered || !k->set.n)
        answerset_add(&k->set, str_of("", 0), x->texts.unanswered ? k->null : 0, &found);
    int64_t *order = answerset_rank(&k->set);
    const Answer *best = &k->set.answer[order[0]];
    Str gold = examples_gold(x, k->open), said = str_of(best->text, best->text_n);
    k->exact += w * squad_exact(gold, said);
    k->f1 += w * squad_f1(gold, said);
    k->weight += w;
    free(order);
    answerset_clear(&k->set);
    k->open = -1;
}

int answer_counts_add(AnswerCounts *k, int64_t row, const float *logit, Err *e)
{
    const Examples *x = k->x;
    int64_t from = x->starts[row];
    double null;
    if (!x->texts.of[row].joins)
        answer_counts_end(k);
    if (k->open < 0) {
        k->open = row;
        k->at = (CharAt){0};
        k->null = INFINITY;
    }
    AnswerWindow w = {.id = x->id + from,
                      .span = x->texts.span + from,
                      .part = x->texts.part + from,
                      .logit = logit,
                      .n = x->starts[row + 1] - from,
                      .text = examples_context(x, row)};
    if (window_answers(&k->work, &w, WINDOW_LONGEST, 1, &k->set, &k->at, &null, e) < 0)
        return err_at(e, "%s: row %lld", x->place, (long long)row + 1);
    k->null = fmin(k->null, null);
    return 0;
}

void answer_counts_free(AnswerCounts *k)
{
    tokwork_free(k->work.words);
    window_free(&k->work);
    answerset_free(&k->set);
}
