#include "generate/rules.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

RuleWork *rulework_new(int64_t words, const Choices *c)
{
    RuleWork *w = mem_zero(1, sizeof *w);
    w->words = words;
    w->seen = mem_zero((size_t)words + 1, sizeof *w->seen);
    w->of = mem_array((size_t)words + 1, sizeof *w->of);
    w->next = mem_array(c ? (size_t)choices_most(c) + 1 : 1, sizeof *w->next);
    return w;
}

void rulework_free(RuleWork *w)
{
    if (!w)
        return;
    free(w->seen);
    free(w->of);
    free(w->next);
    free(w);
}

/* ---- sequences ---- */

/* Where all but the last token of the sequence stand at the end of what was said. As there, a
 * sequence as long as all that was said may count, one that is longer does not. */
static bool would_end(const Said *a, const Ids *seq)
{
    int64_t before = seq->n - 1;
    return seq->n <= a->n &&
           memcmp(a->id + a->n - before, seq->id, (size_t)before * sizeof *seq->id) == 0;
}

static void sequence_bias(const Settings *s, const Said *a, float *score)
{
    for (int long_ones = 0; long_ones < 2; long_ones++)
        for (int i = 0; i < s->biases; i++) {
            const SequenceBias *b = &s->bias[i];
            if ((b->ids.n > 1) == long_ones && (b->ids.n == 1 || would_end(a, &b->ids)))
                score[b->ids.id[b->ids.n - 1]] += b->bias;
        }
}

static void bad_words(const Settings *s, const Said *a, float *score)
{
    for (int i = 0; i < s->bads; i++) {
        const Ids *b = &s->bad[i];
        bool end = b->n == 1 && ids_have(&s->eos, b->id[0]);
        if (!end && (b->n == 1 || would_end(a, b)))
            score[b->id[b->n - 1]] = -INFINITY;
    }
}

/* ---- repetition ---- */

/* Once for each id, however often it stands there. */
static void penalise(RuleWork *w, const int32_t *id, int64_t n, float penalty, float *score)
{
    w->mark++;
    for (int64_t i = 0; i < n; i++) {
        if (w->seen[id[i]] == w->mark)
            continue;
        w->seen[id[i]] = w->mark;
        float *x = &score[id[i]];
        *x = *x < 0 ? *x * penalty : *x / penalty;
    }
}

/* No token that makes, with what was said last, n tokens in a row that stand in `id`. */
static void no_repeat(const int32_t *id, int64_t ids, const Said *a, int64_t n, float *score)
{
    if (n <= 0 || a->n < n - 1)
        return;
    const int32_t *last = a->id + a->n - (n - 1);
    for (int64_t i = 0; i + n <= ids; i++)
        if (memcmp(id + i, last, (size_t)(n - 1) * sizeof *id) == 0)
            score[id[i + n - 1]] = -INFINITY;
}

/* ---- lengths, and what is forced ---- */

static void ban(const Ids *l, float *score)
{
    for (int64_t i = 0; i < l->n; i++)
        score[l->id[i]] = -INFINITY;
}

static void force(const int32_t *id, int64_t n, float *score, int64_t words)
{
    for (int64_t i = 0; i < words; i++)
        score[i] = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        score[id[i]] = 0;
}

static void only_choices(const Settings *s, const Choices *c, RuleWork *w, const Said *a,
                         float *score)
{
    bool whole;
    int64_t n = choices_next(c, a->id + a->first, a->n - a->first, w->next, &whole);
    w->mark++;
    for (int64_t i = 0; i < n; i++)
        w->seen[w->next[i]] = w->mark;
    for (int64_t i = 0; whole && i < s->eos.n; i++)
        w->seen[s->eos.id[i]] = w->mark;
    for (int64_t i = 0; i < w->words; i++)
        if (w->seen[i] != w->mark)
            score[i] = -INFINITY;
}

static void remove_invalid(float *score, int64_t words)
{
    for (int64_t i = 0; i < words; i++)
        score[i] = isnan(score[i])   ? 0
                   : isinf(score[i]) ? (score[i] > 0 ? FLT_MAX : -FLT_MAX)
                                     : score[i];
}

static void decay(const Settings *s, const Said *a, float *score)
{
    int64_t over = a->n - s->decay_start - a->first;
    if (over <= 0)
        return;
    float more = (float)(pow(s->decay, (double)over) - 1);
    for (int64_t i = 0; i < s->eos.n; i++)
        score[s->eos.id[i]] += fabsf(score[s->eos.id[i]]) * more;
}

void rules_apply(const Settings *s, const Choices *c, RuleWork *w, const Said *a, float *score)
{
    int64_t begin = a->first + (a->first == 1 && s->forced_bos != UNSET);
    sequence_bias(s, a, score);
    if (s->encoder_repetition != 1)
        penalise(w, a->source, a->sources, (float)(1 / s->encoder_repetition), score);
    if (s->repetition != 1)
        penalise(w, a->id, a->n, (float)s->repetition, score);
    no_repeat(a->id, a->n, a, s->no_repeat, score);
    no_repeat(a->source, a->sources, a, s->encoder_no_repeat, score);
    bad_words(s, a, score);
    if (a->n < a->min_length || a->n - a->first < a->min_new)
        ban(&s->eos, score);
    if (c)
        only_choices(s, c, w, a, score);
    if (s->forced_bos != UNSET && a->n == 1)
        force(&s->forced_bos, 1, score, w->words);
    if (s->forced_eos.n && a->n == a->max_length - 1)
        force(s->forced_eos.id, s->forced_eos.n, score, w->words);
    if (s->remove_invalid)
        remove_invalid(score, w->words);
    if (s->decay_start != UNSET)
        decay(s, a, score);
    ban(&s->suppress, score);
    if (a->n == begin)
        ban(&s->begin_suppress, score);
}

double rules_log_sum(const float *score, int64_t n)
{
    float top = -INFINITY;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        top = score[i] > top ? score[i] : top;
    for (int64_t i = 0; i < n; i++)
        if (score[i] > -INFINITY)
            sum += exp((double)score[i] - (double)top);
    return (double)top + log(sum);
}

void rules_end(const Settings *s, float *score, int64_t words)
{
    if (!s->renormalize)
        return;
    double all = rules_log_sum(score, words);
    for (int64_t i = 0; i < words; i++)
        score[i] = (float)((double)score[i] - all);
}
