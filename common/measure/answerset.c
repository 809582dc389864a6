#include "measure/answerset.h"

#include "measure/squad.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 4096 }; /* slots */

static uint64_t hash_of(Str s)
{
    uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

/* Where these words stand in the table, or may be put. */
static int64_t *find_slot(const AnswerSet *s, Str lower)
{
    for (uint64_t i = hash_of(lower);; i++) {
        int64_t *slot = &s->slot[i & (uint64_t)(s->slots - 1)];
        const Answer *a = *slot ? &s->answer[*slot - 1] : NULL;
        if (!a || (a->lower_n == lower.n && memcmp(a->lower, lower.p, lower.n) == 0))
            return slot;
    }
}

/* Keeps the table at most half full. */
static void make_room(AnswerSet *s)
{
    if (s->n < s->room)
        return;
    s->room = s->room ? 2 * s->room : 32;
    s->answer = mem_resize(s->answer, (size_t)s->room, sizeof *s->answer);
    s->slots = 2 * s->room;
    free(s->slot);
    s->slot = mem_zero((size_t)s->slots, sizeof *s->slot);
    for (int64_t i = 0; i < s->n; i++)
        *find_slot(s, str_of(s->answer[i].lower, s->answer[i].lower_n)) = i + 1;
}

Answer *answerset_add(AnswerSet *s, Str text, double score, int *found)
{
    Buf lower = {0};
    buf_room(&lower, 1);
    squad_lower(&lower, text);
    make_room(s);
    int64_t *slot = find_slot(s, str_of(lower.p, lower.n));
    *found = *slot != 0;
    if (*found) {
        free(lower.p);
        Answer *a = &s->answer[*slot - 1];
        a->score += score;
        return a;
    }
    *slot = ++s->n;
    s->answer[s->n - 1] = (Answer){.score = score,
                                   .text = mem_strn(text.n ? text.p : "", text.n),
                                   .text_n = text.n,
                                   .lower = lower.p,
                                   .lower_n = lower.n};
    return &s->answer[s->n - 1];
}

static void answerset_drop(AnswerSet *s)
{
    free(s->answer);
    free(s->slot);
    *s = (AnswerSet){0};
}

void answerset_clear(AnswerSet *s)
{
    for (int64_t i = 0; i < s->n; i++) {
        free(s->answer[i].text);
        free(s->answer[i].lower);
    }
    s->n = 0;
    if (s->slots > SMALL) /* a long text's: the next may be short */
        answerset_drop(s);
    else if (s->slots)
        memset(s->slot, 0, (size_t)s->slots * sizeof *s->slot);
}

void answerset_free(AnswerSet *s)
{
    answerset_clear(s);
    answerset_drop(s);
}

static int by_score(const void *a, const void *b, void *answers)
{
    const Answer *answer = answers;
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    if (answer[i].score != answer[j].score)
        return answer[i].score > answer[j].score ? -1 : 1;
    return i < j ? -1 : 1;
}

int64_t *answerset_rank(AnswerSet *s)
{
    int64_t *order = mem_array((size_t)s->n, sizeof *order);
    for (int64_t i = 0; i < s->n; i++)
        order[i] = i;
    qsort_r(order, (size_t)s->n, sizeof *order, by_score, s->answer);
    return order;
}
