#include "task/entities.h"

#include <stdlib.h>
#include <string.h>

void entities_add(Entities *list, const Entity *x)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->item = mem_resize(list->item, (size_t)list->cap, sizeof *list->item);
    }
    list->item[list->n++] = *x;
}

void entities_clear(Entities *list)
{
    for (int64_t i = 0; i < list->n; i++)
        free(list->item[i].word);
    free(list->item);
    *list = (Entities){0};
}

/* ---- names ---- */

static Str label_of(const Classes *c, int64_t label)
{
    return str_of(c->name[label], strlen(c->name[label]));
}

Str entity_name(const Classes *c, int64_t label, bool group)
{
    Str s = label_of(c, label);
    const char *dash = group && s.n ? memchr(s.p, '-', s.n) : NULL;
    return dash ? str_of(dash + 1, s.n - (size_t)(dash + 1 - s.p)) : s;
}

/* "B-PER" begins PER, "I-PER" goes on with it, and so does any label without such a letter. */
static Str tag_of(const Classes *c, int64_t label, bool *begins)
{
    Str s = label_of(c, label);
    bool marked = s.n >= 2 && (s.p[0] == 'B' || s.p[0] == 'I') && s.p[1] == '-';
    *begins = marked && s.p[0] == 'B';
    return marked ? str_of(s.p + 2, s.n - 2) : s;
}

static bool goes_on(const Classes *c, int64_t before, int64_t label)
{
    bool begins, ignored;
    Str last = tag_of(c, before, &ignored), tag = tag_of(c, label, &begins);
    return !begins && tag.n == last.n && memcmp(tag.p, last.p, tag.n) == 0;
}

static bool is_outside(Str name)
{
    return name.n == 1 && name.p[0] == 'O';
}

/* ---- tokens to words to groups ---- */

/* The text of n neighbours, as the model's decoder joins them. */
static void join_words(Entity *to, const Entity *part, int64_t n, const Tokenizer *t)
{
    Str *word = mem_array((size_t)n, sizeof *word);
    Buf text = {0};
    for (int64_t i = 0; i < n; i++)
        word[i] = str_of(part[i].word, part[i].word_n);
    tokenizer_join(t, word, (size_t)n, &text);
    to->word = mem_strn(text.p ? text.p : "", text.n);
    to->word_n = text.n;
    free(text.p);
    free(word);
}

static int64_t best_of(const double *score, int64_t n)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (score[i] > score[best])
            best = i;
    return best;
}

static void average_scores(Entity *to, const Entity *part, int64_t n, int64_t classes)
{
    double *mean = mem_zero((size_t)classes, sizeof *mean);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < classes; k++)
            mean[k] += part[i].scores[k] / (double)n;
    to->label = best_of(mean, classes);
    to->score = mean[to->label];
    free(mean);
}

/* A word of n tokens: the label of its first, of its surest, or of their mean. */
static Entity make_word(const Entity *part, int64_t n, const Classes *c, Aggregate how,
                        const Tokenizer *t)
{
    const Entity *chosen = part;
    for (int64_t i = 1; how == AGG_MAX && i < n; i++)
        if (part[i].score > chosen->score)
            chosen = &part[i];
    Entity word = *chosen;
    word.start = part[0].start;
    word.end = part[n - 1].end;
    if (how == AGG_AVERAGE)
        average_scores(&word, part, n, c->n);
    join_words(&word, part, n, t);
    return word;
}

static Entity make_group(const Entity *part, int64_t n, const Tokenizer *t)
{
    Entity group = part[0];
    group.score = 0;
    for (int64_t i = 0; i < n; i++)
        group.score += part[i].score / (double)n;
    group.end = part[n - 1].end;
    join_words(&group, part, n, t);
    return group;
}

static Entities make_words(const Entities *tokens, const Classes *c, Aggregate how,
                           const Tokenizer *t)
{
    Entities words = {0};
    for (int64_t i = 0, n; i < tokens->n; i += n) {
        for (n = 1; i + n < tokens->n && tokens->item[i + n].inside;)
            n++;
        Entity word = make_word(&tokens->item[i], n, c, how, t);
        entities_add(&words, &word);
    }
    return words;
}

static Entities make_groups(const Entities *words, const Classes *c, const Tokenizer *t)
{
    Entities groups = {0};
    for (int64_t i = 0, n; i < words->n; i += n) {
        const Entity *x = &words->item[i];
        for (n = 1; i + n < words->n && goes_on(c, x[n - 1].label, x[n].label);)
            n++;
        if (is_outside(entity_name(c, x->label, true)))
            continue;
        Entity group = make_group(x, n, t);
        entities_add(&groups, &group);
    }
    return groups;
}

static void drop_outside(Entities *list, const Classes *c)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < list->n; i++)
        if (is_outside(label_of(c, list->item[i].label)))
            free(list->item[i].word);
        else
            list->item[kept++] = list->item[i];
    list->n = kept;
}

void entities_group(Entities *list, const Classes *c, Aggregate how, const Tokenizer *t)
{
    if (how == AGG_NONE) {
        drop_outside(list, c);
        return;
    }
    Entities words = {0}, groups;
    if (how != AGG_SIMPLE)
        words = make_words(list, c, how, t);
    groups = make_groups(how == AGG_SIMPLE ? list : &words, c, t);
    entities_clear(&words);
    entities_clear(list);
    *list = groups;
}

/* ---- windows ---- */

static int by_start(const void *a, const void *b)
{
    const Entity *x = *(const Entity *const *)a, *y = *(const Entity *const *)b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x < y ? -1 : 1;
}

static bool better(const Entity *x, const Entity *than)
{
    int64_t n = x->end - x->start, m = than->end - than->start;
    return n > m || (n == m && x->score > than->score);
}

void entities_merge(Entities *list)
{
    if (!list->n)
        return;
    Entity **order = mem_array((size_t)list->n, sizeof *order);
    Entities merged = {0};
    for (int64_t i = 0; i < list->n; i++)
        order[i] = &list->item[i];
    qsort(order, (size_t)list->n, sizeof *order, by_start);
    Entity *last = order[0];
    for (int64_t i = 1; i < list->n; i++) {
        Entity *x = order[i];
        if (last->start <= x->start && x->start < last->end) {
            last = better(x, last) ? x : last;
        } else {
            entities_add(&merged, last);
            last->word = NULL;
            last = x;
        }
    }
    entities_add(&merged, last);
    last->word = NULL;
    free(order);
    entities_clear(list);
    *list = merged;
}
