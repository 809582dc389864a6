#include "measure/spans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Softmax over the allowed tokens of one of the two logits. */
static void softmax(double *p, const float *logit, const bool *allowed, int64_t n)
{
    double top = -INFINITY, sum = 0;
    for (int64_t i = 0; i < n; i++)
        if (allowed[i])
            top = fmax(top, (double)logit[2 * i]);
    for (int64_t i = 0; i < n; i++)
        sum += p[i] = allowed[i] ? exp((double)logit[2 * i] - top) : 0;
    for (int64_t i = 0; i < n && sum > 0; i++)
        p[i] /= sum;
}

enum { FEW = 1024 };

/* Among the best k, which stand in order. */
static int64_t insert(Span *span, int64_t have, int64_t k, Span x)
{
    if (have == k && span[k - 1].score >= x.score)
        return have;
    int64_t at = have < k ? have++ : k - 1;
    for (; at > 0 && span[at - 1].score < x.score; at--)
        span[at] = span[at - 1];
    span[at] = x;
    return have;
}

/* Best first; of equal ones the one that was found first. */
static int by_score(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->last > y->last) - (x->last < y->last);
}

/* Many are gathered, 2k at a time, and the best k kept. */
static int64_t gather(SpanWork *w, int64_t have, int64_t k, Span x)
{
    if (have == w->room) {
        w->room = have < 2 * k ? 2 * have + FEW : have;
        w->many = mem_resize(w->many, (size_t)w->room, sizeof *w->many);
    }
    w->many[have++] = x;
    if (have < 2 * k)
        return have;
    qsort(w->many, (size_t)have, sizeof *w->many, by_score);
    return k;
}

int64_t spans_best(SpanWork *w, const float *logit, const bool *allowed, int64_t n, int64_t longest,
                   int64_t k, Span *span, double *null)
{
    int64_t have = 0;
    *null = 0;
    if (n == 0)
        return 0;
    w->start = mem_resize(w->start, (size_t)n, sizeof *w->start);
    w->end = mem_resize(w->end, (size_t)n, sizeof *w->end);
    softmax(w->start, logit, allowed, n);
    softmax(w->end, logit + 1, allowed, n);
    *null = w->start[0] * w->end[0];
    w->start[0] = w->end[0] = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t over = longest < n - i ? i + longest : n;
        for (int64_t j = i; w->start[i] > 0 && j < over; j++) {
            Span x = {i, j, w->start[i] * w->end[j]};
            if (x.score > 0)
                have = k <= FEW ? insert(span, have, k, x) : gather(w, have, k, x);
        }
    }
    if (k <= FEW || !have)
        return have;
    qsort(w->many, (size_t)have, sizeof *w->many, by_score);
    have = have < k ? have : k;
    memcpy(span, w->many, (size_t)have * sizeof *span);
    return have;
}

void spans_free(SpanWork *w)
{
    free(w->start);
    free(w->end);
    free(w->many);
}
