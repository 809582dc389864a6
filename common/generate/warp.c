/* warp.c - the rules of sampling: which tokens are left to draw from. */
#include "generate/rules.h"

#include <math.h>
#include <stdlib.h>

/* Tokens that can come by their scores, in w->of; how many. */
static int64_t possible(RuleWork *w, const float *score)
{
    int64_t n = 0;
    for (int64_t i = 0; i < w->words; i++)
        if (score[i] > -INFINITY)
            w->of[n++] = (Keyed){score[i], (int32_t)i};
    return n;
}

/* The largest first; of equal ones the lower token. */
static int falling(const void *a, const void *b)
{
    const Keyed *x = a, *y = b;
    return x->key != y->key ? (x->key < y->key) - (x->key > y->key)
                            : (x->id > y->id) - (x->id < y->id);
}

static int rising(const void *a, const void *b)
{
    const Keyed *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key)
                            : (x->id > y->id) - (x->id < y->id);
}

static void sort(RuleWork *w, int64_t n, int (*by)(const void *, const void *))
{
    qsort(w->of, (size_t)n, sizeof *w->of, by);
}

/* The sum of e^(score - top). */
static double sum_of(const RuleWork *w, const float *score, int64_t n, double *top)
{
    double sum = 0;
    *top = -INFINITY;
    for (int64_t i = 0; i < n; i++)
        *top = fmax(*top, (double)score[w->of[i].id]);
    for (int64_t i = 0; i < n; i++)
        sum += exp((double)score[w->of[i].id] - *top);
    return sum;
}

static double entropy(const RuleWork *w, const float *score, int64_t n, double top, double sum)
{
    double h = 0, all = top + log(sum);
    for (int64_t i = 0; i < n; i++) {
        double l = (double)score[w->of[i].id] - all;
        h -= l * exp(l);
    }
    return h;
}

static void temperature(const Settings *s, RuleWork *w, float *score)
{
    float t = (float)s->temperature;
    for (int64_t i = 0; i < w->words; i++)
        score[i] /= t;
}

/* ---- the k-th largest ---- */

static void sift(Keyed *heap, int64_t n, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && heap[child + 1].key < heap[child].key)
            child++;
        if (heap[i].key <= heap[child].key)
            return;
        Keyed t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
    }
}

/* By a heap of the k largest so far, whose least stands first. */
static float kth_largest(RuleWork *w, const float *score, int64_t k)
{
    for (int64_t i = 0; i < k; i++)
        w->of[i] = (Keyed){score[i], (int32_t)i};
    for (int64_t i = k / 2; i-- > 0;)
        sift(w->of, k, i);
    for (int64_t i = k; i < w->words; i++)
        if (score[i] > w->of[0].key) {
            w->of[0].key = score[i];
            sift(w->of, k, 0);
        }
    return w->of[0].key;
}

static void top_k(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    int64_t k = s->top_k > keep ? s->top_k : keep;
    if (k >= w->words)
        return;
    float least = kth_largest(w, score, k);
    for (int64_t i = 0; i < w->words; i++)
        if (score[i] < least)
            score[i] = -INFINITY;
}

/* ---- by their probabilities ---- */

static void top_p(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    double top, sum, below = 0;
    int64_t n = possible(w, score);
    sum = sum_of(w, score, n, &top);
    sort(w, n, rising);
    for (int64_t i = 0; i < n - keep; i++) {
        below += exp((double)w->of[i].key - top) / sum;
        if (!((float)below <= (float)(1 - s->top_p)))
            break;
        score[w->of[i].id] = -INFINITY;
    }
}

static void min_p(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    double top;
    int64_t n = possible(w, score);
    sum_of(w, score, n, &top);
    sort(w, n, falling);
    for (int64_t i = keep; i < n; i++)
        if (exp((double)w->of[i].key - top) < s->min_p)
            score[w->of[i].id] = -INFINITY;
}

/* Those whose surprise is nearest to the expected one, until they have so much of the whole. */
static void typical(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    double top, sum, mass = 0;
    int64_t n = possible(w, score), last = 0;
    sum = sum_of(w, score, n, &top);
    double h = entropy(w, score, n, top, sum), all = top + log(sum);
    for (int64_t i = 0; i < n; i++)
        w->of[i].key = (float)fabs(all - (double)w->of[i].key - h);
    sort(w, n, rising);
    while (last < n && (mass += exp((double)score[w->of[last].id] - all)) < s->typical)
        last++;
    for (int64_t i = keep; last < n && i < n; i++)
        if (w->of[i].key > w->of[last].key)
            score[w->of[i].id] = -INFINITY;
}

/* Those below a probability go, but for the `keep` likeliest. */
static void cut_off(RuleWork *w, int64_t n, int64_t keep, double top, double sum, double least,
                    float *score)
{
    sort(w, n, falling);
    float kept = n ? w->of[(keep < n ? keep : n) - 1].key : 0;
    for (int64_t i = 0; i < n; i++)
        if (exp((double)w->of[i].key - top) / sum < least && w->of[i].key < kept)
            score[w->of[i].id] = -INFINITY;
}

static void epsilon(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    double top;
    int64_t n = possible(w, score);
    double sum = sum_of(w, score, n, &top);
    cut_off(w, n, keep, top, sum, s->epsilon, score);
}

static void eta(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    double top;
    int64_t n = possible(w, score);
    double sum = sum_of(w, score, n, &top), h = entropy(w, score, n, top, sum);
    cut_off(w, n, keep, top, sum, fmin(s->eta, sqrt(s->eta) * exp(-h)), score);
}

void rules_warp(const Settings *s, RuleWork *w, int64_t keep, float *score)
{
    if (s->temperature != 1)
        temperature(s, w, score);
    if (s->top_k > 0)
        top_k(s, w, keep, score);
    if (s->top_p < 1)
        top_p(s, w, keep, score);
    if (!isnan(s->min_p))
        min_p(s, w, keep, score);
    if (s->typical < 1)
        typical(s, w, keep, score);
    if (s->epsilon > 0 && s->epsilon < 1)
        epsilon(s, w, keep, score);
    if (s->eta > 0 && s->eta < 1)
        eta(s, w, keep, score);
}
