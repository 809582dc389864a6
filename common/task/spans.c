#include "task/spans.h"

#include <math.h>
#include <stdlib.h>

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
            double score = w->start[i] * w->end[j];
            if (score > 0)
                have = insert(span, have, k, (Span){i, j, score});
        }
    }
    return have;
}

void spans_free(SpanWork *w)
{
    free(w->start);
    free(w->end);
}
