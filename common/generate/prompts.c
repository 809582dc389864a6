/* prompts.c - prompts that begin alike: what is kept of one serves the next. */
#include "generate/generate_in.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { PROMPT_LEAST = 8 /* tokens in common that are worth a row's wait */ };

int64_t prompts_in_common(const int32_t *a, int64_t n, const int32_t *b, int64_t m)
{
    int64_t i = 0;
    while (i < n && i < m && a[i] == b[i])
        i++;
    return i;
}

void prompts_forget(Generator *g)
{
    for (int i = 0; i < g->prompt_count; i++) {
        track_drop(speaker_kept(g->speaker), &g->prompt[i]);
        free(g->prompts[i].id);
    }
    g->prompt_count = 0;
}

/* The longest beginning of the row's prompt whose keys are there; its track, or NULL. All but the
 * last token, of which the logits are wanted. */
const Track *prompts_known(const Generator *g, const Going *row, int64_t *n)
{
    const Track *best = NULL;
    *n = 0;
    if (g->prefix.n) {
        *n = prompts_in_common(row->source, row->sources - 1, g->with.prefix->ids.id, g->prefix.n);
        best = &g->prefix;
    }
    for (int i = 0; i < g->prompt_count; i++) {
        int64_t k =
            prompts_in_common(row->source, row->sources - 1, g->prompts[i].id, g->prompts[i].n);
        if (k > *n) {
            *n = k;
            best = &g->prompt[i];
        }
    }
    for (const Going *r = g->first; r && r->begun; r = r->next) {
        if (r->done || !r->lines || !r->line[0].track.n)
            continue;
        int64_t seen = r->sources < r->line[0].track.n ? r->sources : r->line[0].track.n;
        int64_t k = prompts_in_common(row->source, row->sources - 1, r->source, seen);
        if (k > *n) {
            *n = k;
            best = &r->line[0].track;
        }
    }
    return best;
}

/* Is a row about to begin alike, so that it pays to wait until its keys are there? */
bool prompts_worth_a_wait(const Generator *g, const Going *row, int64_t have)
{
    if (speaker_reads(g->speaker))
        return false;
    for (const Going *r = g->first; r && r->begun; r = r->next)
        if (!r->done && !r->line[0].track.n &&
            prompts_in_common(row->source, row->sources - 1, r->source, r->sources) >=
                have + PROMPT_LEAST)
            return true;
    return false;
}

/* The prompt of a row whose keys are there now: others may begin with it. */
void prompts_add(Generator *g, const Going *r)
{
    const Line *l = &r->line[0];
    if (speaker_reads(g->speaker) || r->sources < PROMPT_LEAST)
        return;
    if (g->prompt_count == PROMPTS) {
        track_drop(speaker_kept(g->speaker), &g->prompt[0]);
        free(g->prompts[0].id);
        g->prompt_count--;
        memmove(g->prompt, g->prompt + 1, (PROMPTS - 1) * sizeof *g->prompt);
        memmove(g->prompts, g->prompts + 1, (PROMPTS - 1) * sizeof *g->prompts);
    }
    int i = g->prompt_count++;
    g->prompt[i] = (Track){0};
    track_fork(speaker_kept(g->speaker), &g->prompt[i], &l->track, r->sources);
    g->prompts[i] = (Ids){mem_array((size_t)r->sources, sizeof(int32_t)), r->sources};
    memcpy(g->prompts[i].id, r->source, (size_t)r->sources * sizeof(int32_t));
}
