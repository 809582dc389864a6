/* beam.c - a row whose answers compete: transformers' beam search (4.57.6, _beam_search), with all
 * numbers in f32 as there. */
#include "generate/chance.h"
#include "generate/generate_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What could come next: a token behind a line. */
typedef struct Next {
    float score, own; /* of the whole; of the token alone */
    double rank;      /* what decides which are kept */
    int line;
    int32_t id;
    bool ends;
    Finish finish;
} Next;

int64_t beam_kept(const Settings *s)
{
    int64_t ends = 1 + s->eos.n;
    return (ends > 2 ? ends : 2) * s->beams;
}

/* The least of a heap stands first. */
static bool less(const Next *a, const Next *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->line != b->line ? a->line > b->line : a->id > b->id;
}

static void sift(Next *heap, int64_t n, int64_t i)
{
    for (int64_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && less(&heap[child + 1], &heap[child]))
            child++;
        if (!less(&heap[child], &heap[i]))
            return;
        Next t = heap[i];
        heap[i] = heap[child];
        heap[child] = t;
    }
}

static int best_first(const void *a, const void *b)
{
    return less(a, b) ? 1 : less(b, a) ? -1 : 0;
}

/* The best `most` so far, and x among them if it is one. */
static int64_t offer(Next *heap, int64_t n, int64_t most, Next x)
{
    if (n < most) {
        heap[n++] = x;
        for (int64_t i = n - 1; i && less(&heap[i], &heap[(i - 1) / 2]); i = (i - 1) / 2) {
            Next t = heap[i];
            heap[i] = heap[(i - 1) / 2];
            heap[(i - 1) / 2] = t;
        }
    } else if (less(&heap[0], &x)) {
        heap[0] = x;
        sift(heap, n, 0);
    }
    return n;
}

/* A logit behind a line, and the whole with it. */
static float own_score(const Generator *g, const Line *l, float logit)
{
    return (float)((double)logit - g->heard.lse[l->at]);
}

/* Of what was heard alone: are the best `most` behind the line surely among it? Scores of logits
 * that differ may be equal, and then the lower word comes first. */
static bool best_tell(const Generator *g, const Line *l, int64_t most)
{
    const Heard *h = &g->heard;
    const float *value = h->value + l->at * h->best;
    if (!h->best)
        return false;
    float last = own_score(g, l, value[h->best - 1]) + l->score;
    return !(last > -INFINITY) || own_score(g, l, value[most - 1]) + l->score > last;
}

static int64_t offer_best(const Generator *g, const Line *l, int k, Next *heap, int64_t n,
                          int64_t most)
{
    const Heard *h = &g->heard;
    for (int64_t i = l->at * h->best; i < (l->at + 1) * h->best; i++) {
        float own = own_score(g, l, h->value[i]), sum = own + l->score;
        if (sum > -INFINITY)
            n = offer(heap, n, most,
                      (Next){.score = sum, .own = own, .rank = sum, .line = k, .id = h->whose[i]});
    }
    return n;
}

/* The candidates behind a line; n of them are there. */
static int64_t offer_line(Generator *g, const Going *r, int k, Next *heap, int64_t n, int64_t most)
{
    const Settings *s = g->settings;
    const Line *l = &r->line[k];
    float *score = g->score;
    if (best_tell(g, l, most))
        return offer_best(g, l, k, heap, n, most);
    going_logits(g, l, score);
    DrawAt at = {g->with.seed, r->row, (uint32_t)k, (uint32_t)line_said(r, l)};
    for (int64_t i = 0; i < g->words; i++)
        score[i] = own_score(g, l, score[i]);
    going_rules(g, r, l, score);
    if (s->sample)
        rules_warp(s, g->work, s->eos.n ? s->eos.n + 1 : 2, score);
    rules_end(s, score, g->words);
    for (int64_t i = 0; i < g->words; i++) {
        float sum = score[i] + l->score;
        if (!(sum > -INFINITY) || (!s->sample && n == most && (double)sum < heap[0].rank))
            continue;
        double rank = (double)sum + (s->sample ? draw_gumbel(&at, (uint32_t)i) : 0);
        n = offer(heap, n, most,
                  (Next){.score = sum, .own = score[i], .rank = rank, .line = k, .id = (int32_t)i});
    }
    return n;
}

/* The line with the candidate behind it. */
static Line extended(Generator *g, const Going *r, const Next *x, bool keys)
{
    const Line *from = &r->line[x->line];
    Line to;
    line_copy(g, &to, from, keys);
    line_add(&to, x->id, x->own);
    to.score = x->score;
    to.finish = x->finish;
    return to;
}

static float by_length(const Settings *s, int64_t n)
{
    return (float)pow((double)n, s->length_penalty);
}

/* An answer that is whole: among the best, or not. */
static void finish(Generator *g, Going *r, const Next *x)
{
    const Settings *s = g->settings;
    int64_t said = line_said(r, &r->line[x->line]) + 1;
    float score = x->score / by_length(s, said);
    int at = r->fins;
    if (at == s->beams && !(score > r->fin[at - 1].score))
        return;
    if (at == s->beams)
        line_clear(g, &r->fin[--at]);
    else
        r->fins++;
    for (; at && score > r->fin[at - 1].score; at--)
        r->fin[at] = r->fin[at - 1];
    r->fin[at] = extended(g, r, x, false);
    r->fin[at].score = score;
}

/* Could those under way still be better than the worst that is whole? */
static bool may_improve(const Generator *g, const Going *r)
{
    const Settings *s = g->settings;
    if (!r->lines)
        return false;
    int64_t said = line_said(r, &r->line[0]);
    if (s->early == EARLY_NEVER && s->length_penalty > 0)
        said = r->max_length - r->first;
    float worst = r->fins == s->beams ? r->fin[r->fins - 1].score : -1e9f;
    return r->line[0].score / by_length(s, said) > worst;
}

static void go_on(Generator *g, Going *r, const Next *next, int64_t n)
{
    Line *line = mem_zero((size_t)g->settings->beams, sizeof *line);
    int lines = 0;
    for (int64_t i = 0; i < n && lines < g->settings->beams; i++)
        if (!next[i].ends)
            line[lines++] = extended(g, r, &next[i], true);
    for (int i = 0; i < r->lines; i++)
        line_clear(g, &r->line[i]);
    free(r->line);
    r->line = line;
    r->lines = lines;
}

/* Of those drawn the best go on first, as there. */
static int by_score(const void *a, const void *b)
{
    const Next *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static bool are_finite(const Generator *g, const Going *r)
{
    if (g->settings->remove_invalid)
        return true;
    for (int k = 0; k < r->lines; k++)
        if (isnan(g->heard.lse[r->line[k].at]) || isinf(g->heard.lse[r->line[k].at]))
            return false;
    return true;
}

static int64_t candidates(Generator *g, Going *r, Next *next)
{
    int64_t n = 0;
    for (int k = 0; k < r->lines; k++)
        n = offer_line(g, r, k, next, n, beam_kept(g->settings));
    qsort(next, (size_t)n, sizeof *next, best_first);
    for (int64_t i = 0; i < n; i++) {
        Line *l = &r->line[next[i].line];
        line_add(l, next[i].id, 0);
        next[i].ends = going_ends(g, r, l->id, l->n, &next[i].finish);
        l->n--;
    }
    return n;
}

void beam_step(Generator *g, Going *r)
{
    const Settings *s = g->settings;
    if (!are_finite(g, r)) {
        going_fail(g, r, "the model's numbers are not finite: are the weights whole?");
        return;
    }
    Next *next = mem_array((size_t)beam_kept(s), sizeof *next);
    int64_t n = candidates(g, r, next);
    bool full = r->fins == s->beams && s->early == EARLY_YES;
    if (!r->fin)
        r->fin = mem_zero((size_t)s->beams, sizeof *r->fin);
    for (int64_t i = 0; i < n && i < s->beams; i++)
        if (next[i].ends && r->open && !full)
            finish(g, r, &next[i]);
    if (s->sample && n)
        qsort(next, (size_t)n, sizeof *next, by_score);
    go_on(g, r, next, n);
    free(next);
    r->open = r->open && may_improve(g, r);
    if (!r->open || (r->fins == s->beams && s->early == EARLY_YES)) {
        if (!r->fins)
            going_fail(g, r, "the rules leave no token that could come");
        else
            going_over(g, r);
    }
}
