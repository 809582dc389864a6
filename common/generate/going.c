/* going.c - a row under way, where each answer is written for itself: the likeliest token, or one
 * that is drawn. */
#include "generate/chance.h"
#include "generate/generate_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines ---- */

enum { LINE_STEP = 64 };

static void line_room(Line *l, int64_t n)
{
    int64_t room = (n + LINE_STEP - 1) / LINE_STEP * LINE_STEP;
    l->id = mem_resize(l->id, (size_t)room, sizeof *l->id);
    l->logprob = mem_resize(l->logprob, (size_t)room, sizeof *l->logprob);
}

void line_copy(Generator *g, Line *to, const Line *from, bool keys)
{
    *to = (Line){.n = from->n, .score = from->score};
    line_room(to, from->n + 1);
    memcpy(to->id, from->id, (size_t)from->n * sizeof *to->id);
    memcpy(to->logprob, from->logprob, (size_t)from->n * sizeof *to->logprob);
    if (keys)
        track_fork(speaker_kept(g->speaker), &to->track, &from->track, from->track.n);
}

void line_add(Line *l, int32_t id, float logprob)
{
    if (l->n % LINE_STEP == 0)
        line_room(l, l->n + 1);
    l->id[l->n] = id;
    l->logprob[l->n++] = logprob;
}

void line_clear(Generator *g, Line *l)
{
    if (l->track.n)
        track_drop(speaker_kept(g->speaker), &l->track);
    free(l->id);
    free(l->logprob);
    *l = (Line){0};
}

/* ---- ends ---- */

/* As there, a text counts that ends within the last token's own text. */
static bool has_stop(Generator *g, const int32_t *id, int64_t n)
{
    const Settings *s = g->settings;
    if (!s->stops || n < 1)
        return false;
    g->text.n = 0;
    tokenizer_decode(g->with.tokenizer, id, (size_t)n - 1, true, &g->text);
    size_t before = g->text.n;
    g->text.n = 0;
    tokenizer_decode(g->with.tokenizer, id, (size_t)n, true, &g->text);
    for (int i = 0; i < s->stops; i++) {
        size_t len = strlen(s->stop[i]);
        size_t from = before + 1 > len ? before + 1 - len : 0;
        if (len && g->text.n >= from + len &&
            memmem(g->text.p + from, g->text.n - from, s->stop[i], len))
            return true;
    }
    return false;
}

/* Is the answer one of the choices, and none goes on from there? */
static bool has_chosen(const Generator *g, const int32_t *id, int64_t n)
{
    bool whole = false;
    return g->with.choices && !g->settings->eos.n &&
           choices_next(g->with.choices, id, n, g->work->next, &whole) == 0 && whole;
}

bool going_ends(Generator *g, const Going *r, const int32_t *id, int64_t n, Finish *why)
{
    if (ids_have(&g->settings->eos, id[n - 1]) || has_chosen(g, id + r->first, n - r->first))
        *why = FINISH_END;
    else if (has_stop(g, id + r->first, n - r->first))
        *why = FINISH_STOP;
    else if (n >= r->max_length)
        *why = FINISH_LENGTH;
    else
        return false;
    return true;
}

/* ---- a step ---- */

float *going_rules(Generator *g, const Going *r, const Line *l, float *score)
{
    Said said = {.id = l->id,
                 .n = l->n,
                 .first = r->first,
                 .source = r->source,
                 .sources = r->sources,
                 .max_length = r->max_length,
                 .min_length = r->min_length,
                 .min_new = r->min_new};
    rules_apply(g->settings, g->with.choices, g->work, &said, score);
    return score;
}

/* The largest; of equal ones the first. -1: all are impossible. In blocks, of which a compiler
 * makes vectors. */
static int32_t largest(const float *x, int64_t n)
{
    enum { BLOCK = 256, LANES = 16 };
    float top = -INFINITY;
    int64_t at = -1;
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t to = from + BLOCK < n ? from + BLOCK : n, i = from;
        float lane[LANES];
        for (int k = 0; k < LANES; k++)
            lane[k] = -INFINITY;
        for (; i + LANES <= to; i += LANES)
            for (int k = 0; k < LANES; k++)
                lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
        for (; i < to; i++)
            lane[0] = x[i] > lane[0] ? x[i] : lane[0];
        for (int k = 0; k < LANES; k++)
            if (lane[k] > top) {
                top = lane[k];
                at = from;
            }
    }
    while (at >= 0 && x[at] != top)
        at++;
    return (int32_t)at;
}

static int32_t choose(Generator *g, const Going *r, int k, float *score)
{
    const Settings *s = g->settings;
    const Line *l = &r->line[k];
    if (!s->sample) {
        rules_end(s, score, g->words);
        return largest(score, g->words);
    }
    rules_warp(s, g->work, 1, score);
    rules_end(s, score, g->words);
    DrawAt at = {g->with.seed, r->row, (uint32_t)k, (uint32_t)line_said(r, l)};
    return draw_token(&at, score, g->words);
}

/* Do the rules leave the model's own numbers as they are? */
static bool is_plain(const Generator *g)
{
    const Settings *s = g->settings;
    return !s->biases && !s->bads && !g->with.choices && s->repetition == 1 &&
           s->encoder_repetition == 1 && s->no_repeat <= 0 && s->encoder_no_repeat <= 0 &&
           s->forced_bos == UNSET && !s->forced_eos.n && s->decay_start == UNSET &&
           !s->suppress.n && !s->begin_suppress.n && !s->remove_invalid && !s->renormalize &&
           s->min_length <= 0 && s->min_new <= 0;
}

bool going_likeliest(const Generator *g)
{
    return is_plain(g) && g->settings->beams <= 1 && !g->settings->sample;
}

int going_best(const Generator *g)
{
    enum { SPARE = 4, MOST = 128 };
    const Settings *s = g->settings;
    int64_t n = 0;
    if (is_plain(g) && s->beams > 1 && !s->sample)
        n = beam_kept(s) + SPARE;
    else if (is_plain(g) && s->beams <= 1 && s->sample && s->top_k > 0)
        n = s->top_k + 1;
    return n <= MOST && n < g->words ? (int)n : 0;
}

void going_logits(Generator *g, const Line *l, float *to)
{
    size_t bytes = (size_t)g->words * sizeof *to;
    if (g->heard.logits)
        memcpy(to, g->heard.logits + l->at * g->words, bytes);
    else if (speaker_logits(g->speaker, l->at, to, &g->lost) < 0)
        memset(to, 0, bytes);
}

/* The scores of those that --top-k leaves; the others cannot come. False: those that were heard do
 * not tell, for the last one that stays has equals, perhaps by its division. */
static bool only_best(const Generator *g, const Line *l, float *score)
{
    const Heard *h = &g->heard;
    const float *value = h->value + l->at * h->best, t = (float)g->settings->temperature;
    const int32_t *whose = h->whose + l->at * h->best;
    int last = h->best - 1;
    if (!last || !(value[last - 1] / t > value[last] / t))
        return false;
    for (int64_t i = 0; i < g->words; i++)
        score[i] = -INFINITY;
    for (int i = 0; i < last; i++)
        score[whose[i]] = value[i];
    return true;
}

static int32_t choose_by_rules(Generator *g, const Going *r, int k, float *logprob)
{
    const Line *l = &r->line[k];
    if (!g->heard.best || !only_best(g, l, g->score))
        going_logits(g, l, g->score); /* a copy: lines of one prompt share its logits */
    int32_t id = choose(g, r, k, going_rules(g, r, l, g->score));
    if (id >= 0)
        *logprob = (float)((double)g->score[id] - rules_log_sum(g->score, g->words));
    return id;
}

static void line_step(Generator *g, Going *r, int k)
{
    Line *l = &r->line[k];
    double all = g->heard.lse[l->at];
    if (!isfinite(all) && !g->settings->remove_invalid) {
        going_fail(g, r, "the model's numbers are not finite: are the weights whole?");
        return;
    }
    int32_t id = g->heard.word[l->at];
    float logprob = (float)((double)g->heard.top[l->at] - all);
    if (!g->likeliest)
        id = choose_by_rules(g, r, k, &logprob);
    if (id < 0) {
        going_fail(g, r, "the rules leave no token that could come");
        return;
    }
    line_add(l, id, logprob);
    l->done = going_ends(g, r, l->id, l->n, &l->finish);
}

static float mean_logprob(const Going *r, const Line *l)
{
    double sum = 0;
    for (int64_t i = r->first; i < l->n; i++)
        sum += (double)l->logprob[i];
    return (float)(sum / (double)line_said(r, l));
}

void going_step(Generator *g, Going *r)
{
    bool all = true;
    for (int k = 0; k < r->lines; k++) {
        if (!r->line[k].done)
            line_step(g, r, k);
        if (r->done)
            return; /* it failed */
        all &= r->line[k].done;
    }
    if (!all)
        return;
    for (int k = 0; k < r->lines; k++)
        r->line[k].score = mean_logprob(r, &r->line[k]);
    r->fin = r->line;
    r->fins = r->lines;
    r->line = NULL;
    r->lines = 0;
    going_over(g, r);
}

/* ---- the end ---- */

void going_fail(Generator *g, Going *r, const char *why)
{
    r->why = mem_str(why);
    going_over(g, r);
}

void going_over(Generator *g, Going *r)
{
    for (int i = 0; i < r->lines; i++)
        line_clear(g, &r->line[i]);
    free(r->line);
    r->line = NULL;
    r->lines = 0;
    if (r->memory.n)
        track_drop(speaker_memory(g->speaker), &r->memory);
    int64_t n = r->fins < g->settings->returns ? r->fins : g->settings->returns;
    r->answer = mem_zero((size_t)n + 1, sizeof *r->answer);
    for (int i = 0; i < r->fins; i++) {
        const Line *l = &r->fin[i];
        if (l->track.n)
            track_drop(speaker_kept(g->speaker), &r->fin[i].track);
        if (i < n)
            r->answer[i] = (Written){l->id + r->first, line_said(r, l), l->score, l->finish,
                                     l->logprob + r->first};
    }
    r->done = true;
    r->result = (Done){r->answer, r->why ? 0 : n, r->why, r->cut};
    g->under_way--;
}
