#include "measure/entity_counts.h"

#include "base/write.h"

#include <stdlib.h>
#include <string.h>

/* ---- types ---- */

enum { NO_TYPE = -2 }; /* as nothing has; -1: one that no entity is of */

/* A label is a letter and a type: what stands behind the first dash, or else all the rest. */
static const char *type_name(const char *label, char *mark)
{
    const char *rest = *label ? label + 1 : label, *dash = strchr(rest, '-');
    while (!dash && (*rest & 0xc0) == 0x80) /* a letter's bytes */
        rest++;
    const char *name = dash ? dash + 1 : rest;
    *mark = *label ? *label : 'O';
    return *name ? name : "_";
}

static bool is_outside(char mark)
{
    return mark == 'O' || mark == '.';
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int32_t find_type(const EntityCounts *x, const char *name)
{
    char **at = bsearch(&name, x->type, (size_t)x->types, sizeof name, by_name);
    return at ? (int32_t)(at - x->type) : -1;
}

EntityCounts entity_counts_new(const Classes *c)
{
    static const OpenEntity none = {{'O', NO_TYPE}, 0};
    EntityCounts x = {.gold = none, .said = none};
    char mark;
    x.type = mem_zero((size_t)c->n, sizeof *x.type);
    x.tag = mem_zero((size_t)c->n, sizeof *x.tag);
    x.count = mem_zero((size_t)c->n, sizeof *x.count);
    int32_t names = 0;
    for (int64_t i = 0; i < c->n; i++) {
        const char *name = type_name(c->name[i], &mark);
        if (!is_outside(mark))
            x.type[names++] = mem_str(name);
    }
    qsort(x.type, (size_t)names, sizeof *x.type, by_name);
    for (int32_t i = 0; i < names; i++)
        if (x.types && strcmp(x.type[x.types - 1], x.type[i]) == 0)
            free(x.type[i]);
        else
            x.type[x.types++] = x.type[i];
    for (int64_t i = 0; i < c->n; i++) {
        x.tag[i].type = find_type(&x, type_name(c->name[i], &mark));
        x.tag[i].mark = mark;
    }
    return x;
}

void entity_counts_free(EntityCounts *x)
{
    for (int32_t i = 0; i < x->types; i++)
        free(x->type[i]);
    free(x->type);
    free(x->tag);
    free(x->count);
    *x = (EntityCounts){0};
}

/* ---- counting ---- */

static bool is_one_of(char mark, const char *marks)
{
    return strchr(marks, mark) != NULL;
}

/* Letters but B, I, E and S go on as long as the type is the same. */
static bool ends_before(EntityTag last, EntityTag tag)
{
    return is_one_of(last.mark, "ES") ||
           (is_one_of(last.mark, "BI") && is_one_of(tag.mark, "BSO")) ||
           (!is_outside(last.mark) && last.type != tag.type);
}

static bool begins_at(EntityTag last, EntityTag tag)
{
    return is_one_of(tag.mark, "BS") ||
           (is_one_of(last.mark, "ESO") && is_one_of(tag.mark, "EI")) ||
           (!is_outside(tag.mark) && last.type != tag.type);
}

/* Takes the next tag. The entity that ended before it, if one did: its type in *type. */
static bool step(OpenEntity *edge, EntityTag tag, int64_t at, int64_t *begin, int32_t *type)
{
    bool ended = ends_before(edge->last, tag);
    *begin = edge->begin;
    *type = edge->last.type;
    if (begins_at(edge->last, tag))
        edge->begin = at;
    edge->last = tag;
    return ended;
}

static void take(EntityCounts *x, EntityTag gold, EntityTag said)
{
    int64_t gold_begin, said_begin;
    int32_t gold_type, said_type;
    bool g = step(&x->gold, gold, x->at, &gold_begin, &gold_type);
    bool s = step(&x->said, said, x->at, &said_begin, &said_type);
    if (g)
        x->count[gold_type].gold++;
    if (s)
        x->count[said_type].said++;
    if (g && s && gold_type == said_type && gold_begin == said_begin)
        x->count[gold_type].right++;
    x->at++;
}

void entity_counts_add(EntityCounts *x, int64_t gold, int64_t said, double nll)
{
    take(x, x->tag[gold], x->tag[said]);
    x->words++;
    x->hits += gold == said;
    x->loss += nll;
}

void entity_counts_end(EntityCounts *x)
{
    EntityTag outside = {'O', find_type(x, "_")};
    take(x, outside, outside);
}

/* ---- the report ---- */

typedef struct Rates {
    double precision, recall, f1;
} Rates;

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static Rates rates_of(EntityCount k)
{
    double right = (double)k.right;
    return (Rates){ratio(right, (double)k.said), ratio(right, (double)k.gold),
                   ratio(2 * right, (double)(k.said + k.gold))};
}

/* Over all entities together, and two means of the types' F1: of those that occur, and by how
 * often they are gold. */
typedef struct Overall {
    Rates all;
    double macro_f1, weighted_f1, accuracy, loss;
} Overall;

static Overall sum_up(const EntityCounts *x)
{
    EntityCount all = {0};
    double macro = 0, weighted = 0, occur = 0;
    for (int32_t i = 0; i < x->types; i++) {
        EntityCount k = x->count[i];
        all = (EntityCount){all.right + k.right, all.said + k.said, all.gold + k.gold};
        macro += rates_of(k).f1;
        weighted += rates_of(k).f1 * (double)k.gold;
        occur += k.said || k.gold;
    }
    return (Overall){.all = rates_of(all),
                     .macro_f1 = ratio(macro, occur),
                     .weighted_f1 = ratio(weighted, (double)all.gold),
                     .accuracy = ratio((double)x->hits, (double)x->words),
                     .loss = ratio(x->loss, (double)x->words)};
}

double entity_counts_f1(const EntityCounts *x)
{
    return sum_up(x).all.f1;
}

static void put_text(Buf *b, const EntityCounts *x, int64_t rows)
{
    Overall o = sum_up(x);
    buf_fmt(b, "rows\t%lld\nwords\t%lld\n", (long long)rows, (long long)x->words);
    put_score_line(b, "loss", o.loss);
    put_score_line(b, "accuracy", o.accuracy);
    put_score_line(b, "precision", o.all.precision);
    put_score_line(b, "recall", o.all.recall);
    put_score_line(b, "f1", o.all.f1);
    put_score_line(b, "macro_f1", o.macro_f1);
    put_score_line(b, "weighted_f1", o.weighted_f1);
    buf_str(b, "\nlabel\tprecision\trecall\tf1\tsupport\n");
    for (int32_t i = 0; i < x->types; i++) {
        Rates r = rates_of(x->count[i]);
        put_tsv(b, str_of(x->type[i], strlen(x->type[i])));
        buf_fmt(b, "\t%.6f\t%.6f\t%.6f\t%lld\n", r.precision, r.recall, r.f1,
                (long long)x->count[i].gold);
    }
}

static void put_object(Buf *b, const EntityCounts *x, int64_t rows)
{
    Overall o = sum_up(x);
    buf_fmt(b, "{\"rows\": %lld, \"words\": %lld, \"loss\": %.9g, \"accuracy\": %.9g, ",
            (long long)rows, (long long)x->words, o.loss, o.accuracy);
    buf_fmt(b, "\"precision\": %.9g, \"recall\": %.9g, \"f1\": %.9g, ", o.all.precision,
            o.all.recall, o.all.f1);
    buf_fmt(b, "\"macro_f1\": %.9g, \"weighted_f1\": %.9g, \"per_class\": [", o.macro_f1,
            o.weighted_f1);
    for (int32_t i = 0; i < x->types; i++) {
        Rates r = rates_of(x->count[i]);
        put_json_key(b, i ? ", {" : "{", "label");
        put_json(b, str_of(x->type[i], strlen(x->type[i])));
        buf_fmt(b, ", \"precision\": %.9g, \"recall\": %.9g, \"f1\": %.9g, \"support\": %lld}",
                r.precision, r.recall, r.f1, (long long)x->count[i].gold);
    }
    buf_str(b, "]}\n");
}

void entity_counts_put(Buf *b, const EntityCounts *x, int64_t rows, bool json)
{
    if (json)
        put_object(b, x, rows);
    else
        put_text(b, x, rows);
}
