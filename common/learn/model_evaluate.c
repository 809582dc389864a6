/* model_evaluate.c - how well a model does on rows: without dropout, a batch at a time. */
#include "learn/model_learner_in.h"

#include "base/mem.h"
#include "learn/answer_counts.h"
#include "measure/entity_counts.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_TOKENS = 1024 };

/* What has been counted; of each objective its own. */
typedef struct Counted {
    Metrics classes;
    EntityCounts entities;
    AnswerCounts answers;
    double loss, weight, right, rows, f1;
} Counted;

static int64_t likeliest(const float *logit, int64_t n)
{
    int64_t top = 0;
    for (int64_t c = 1; c < n; c++)
        if (logit[c] > logit[top])
            top = c;
    return top;
}

static double weight_at(const Examples *x, int64_t row)
{
    return x->weight ? (double)x->weight[row] : 1;
}

static void count_class(Counted *k, const Examples *x, int64_t row, const float *logit, int64_t n)
{
    metrics_add(&k->classes, x->target[row], likeliest(logit, n), examples_nll(x, row, logit, n),
                weight_at(x, row));
}

/* Numbers: mean loss; of independent classes the share of rows that are right throughout, and F1
 * over all of them together. */
static void count_numbers(Counted *k, const Examples *x, int64_t row, const float *logit, int64_t n)
{
    double w = weight_at(x, row), loss = 0;
    bool all = true;
    for (int64_t c = 0; c < n; c++) {
        double y = (double)logit[c], t = (double)x->number[row * n + c];
        if (x->objective == LEARN_MULTI) {
            loss += log1p(exp(-fabs(y))) + fmax(y, 0) - y * t;
            all = all && (y > 0) == (t > 0.5);
            k->right += w * (y > 0 && t > 0.5);
            k->f1 += w * ((y > 0) + (t > 0.5));
        } else {
            loss += (y - t) * (y - t);
        }
    }
    k->loss += w * loss / (double)n;
    k->weight += w;
    k->rows += w * all;
}

static void count_tokens(Counted *k, const Examples *x, int64_t row, const float *logit, int64_t n)
{
    for (int64_t t = x->starts[row]; t < x->starts[row + 1]; t++, logit += n) {
        int32_t gold = x->token_target[t];
        if (gold < 0)
            continue;
        int64_t said = likeliest(logit, n);
        double nll = class_nll(logit, n, gold);
        entity_counts_add(&k->entities, gold, said, nll);
        metrics_add(&k->classes, gold, said, nll, weight_at(x, row));
    }
    entity_counts_end(&k->entities);
}

/* The loss is of begins and ends by themselves. */
static int count_answer(Counted *k, const Examples *x, int64_t row, const float *logit, Err *e)
{
    int64_t n = x->starts[row + 1] - x->starts[row];
    double w = weight_at(x, row), nll = 0;
    float *column = mem_array((size_t)n, sizeof *column);
    for (int c = 0; c < 2; c++) {
        for (int64_t t = 0; t < n; t++)
            column[t] = logit[2 * t + c];
        nll += class_nll(column, n, x->answer[row][c]) / 2;
    }
    free(column);
    k->loss += w * nll;
    k->weight += w;
    return answer_counts_add(&k->answers, row, logit, e);
}

static int count_logits(ModelLearner *m, Counted *k, const Examples *x, const int64_t *row,
                        View logits, Err *e)
{
    const ModelBatch *b = &m->batch;
    int64_t n = logits.cols;
    float *host = learner_bring(&m->base, logits.p, logits.rows * n, e);
    int status = host ? 0 : -1;
    for (int64_t i = 0; status == 0 && i < b->in.rows; i++) {
        bool by_token = x->objective == LEARN_TOKEN || x->objective == LEARN_SPAN;
        const float *logit = host + (by_token ? b->starts[i] : i) * n;
        if (x->objective == LEARN_CLASS)
            count_class(k, x, row[i], logit, n);
        else if (x->objective == LEARN_TOKEN)
            count_tokens(k, x, row[i], logit, n);
        else if (x->objective == LEARN_SPAN)
            status = count_answer(k, x, row[i], logit, e);
        else
            count_numbers(k, x, row[i], logit, n);
    }
    free(host);
    return status;
}

static int count_words(ModelLearner *m, Counted *k, Err *e)
{
    const ModelBatch *b = &m->batch;
    if (b->items.n == 0)
        return 0;
    const float *loss = words_learn_pass(
        m->spec.words,
        &(WordsItems){
            .n = b->items.n, .token = b->items.token, .target = b->target, .weight = b->weight},
        NULL, e);
    float *host = loss ? learner_bring(&m->base, loss, b->items.n, e) : NULL;
    for (int64_t i = 0; host && i < b->items.n; i++) {
        k->loss += (double)host[i];
        k->weight += (double)b->weight[i];
    }
    free(host);
    return host ? 0 : -1;
}

static int count_batch(ModelLearner *m, Counted *k, const Examples *x, const int64_t *row,
                       int64_t n, Err *e)
{
    if (model_batch(m, x, row, n, -1, 1, e) < 0)
        return -1;
    if (m->still)
        model_still_give(m, x, row, n);
    else if (transformer_forward(m->spec.t, &m->batch.in, NULL, e) < 0)
        return -1;
    if (m->spec.words)
        return count_words(m, k, e);
    View logits = head_learn_forward(m->spec.head, &m->batch.items, NULL, e);
    return logits.p ? count_logits(m, k, x, row, logits, e) : -1;
}

static Summary sum_up(const Counted *k, const Examples *x)
{
    Summary s = {k->loss / k->weight, NAN, NAN, NAN, NAN};
    switch (x->objective) {
    case LEARN_CLASS: return metrics_sum(&k->classes, NULL);
    case LEARN_TOKEN:
        s = metrics_sum(&k->classes, NULL);
        s.macro_f1 = NAN;
        s.micro_f1 = entity_counts_f1(&k->entities);
        break;
    case LEARN_SPAN:
        s.accuracy = k->answers.exact / k->answers.weight;
        s.macro_f1 = k->answers.f1 / k->answers.weight;
        break;
    case LEARN_MULTI:
        s.accuracy = k->rows / k->weight;
        s.micro_f1 = k->f1 > 0 ? 2 * k->right / k->f1 : 0;
        break;
    case LEARN_REGRESSION:
    case LEARN_MLM:
    case LEARN_CLM:
    case OBJECTIVES: break;
    }
    return s;
}

int model_evaluate(Learner *l, const Examples *x, Summary *s, Err *e)
{
    ModelLearner *m = (ModelLearner *)l;
    Counted k = {0};
    int64_t most = m->most_tokens > LEAST_TOKENS ? m->most_tokens : LEAST_TOKENS;
    int64_t *row = mem_array((size_t)x->rows, sizeof *row);
    int status = m->still ? model_still_ready(m, x, e) : 0;
    if (x->objective == LEARN_CLASS || x->objective == LEARN_TOKEN)
        k.classes = metrics_new(m->spec.classes->n);
    if (x->objective == LEARN_TOKEN)
        k.entities = entity_counts_new(m->spec.classes);
    if (x->objective == LEARN_SPAN)
        k.answers = answer_counts_new(x, m->spec.tokenizer);
    for (int64_t i = 0, n; i < x->rows && status == 0; i += n) {
        for (n = 0; i + n < x->rows && (n == 0 || x->starts[i + n + 1] - x->starts[i] <= most); n++)
            row[n] = i + n;
        status = l->stop && l->stop(l->stop_ctx) ? 1 : count_batch(m, &k, x, row, n, e);
    }
    if (status == 0 && x->objective == LEARN_SPAN)
        answer_counts_end(&k.answers);
    if (status == 0)
        *s = sum_up(&k, x);
    if (k.classes.confusion)
        metrics_free(&k.classes);
    if (x->objective == LEARN_TOKEN)
        entity_counts_free(&k.entities);
    if (x->objective == LEARN_SPAN)
        answer_counts_free(&k.answers);
    free(row);
    return status;
}
