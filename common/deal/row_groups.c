#include "deal/row_groups.h"

#include <stdlib.h>

static int32_t stratum_of(RowGroups *u, Str label)
{
    bool fresh;
    int64_t *stratum = namemap_at(&u->names, label, &fresh);
    if (!fresh)
        return (int32_t)*stratum;
    *stratum = u->strata;
    u->size = mem_resize(u->size, (size_t)u->strata + 1, sizeof *u->size);
    u->size[u->strata] = 0;
    return u->strata++;
}

static int64_t new_unit(RowGroups *u, int32_t stratum, bool weighed)
{
    if (u->n == u->room) {
        u->room = u->room ? 2 * u->room : 1024;
        u->stratum = mem_resize(u->stratum, (size_t)u->room, sizeof *u->stratum);
        if (weighed)
            u->weight = mem_resize(u->weight, (size_t)u->room, sizeof *u->weight);
    }
    if (weighed)
        u->weight[u->n] = 0;
    u->stratum[u->n] = stratum;
    return u->n++;
}

/* The unit of a record of this value: one that has it already, or a new one. */
static void join_unit(RowGroups *u, Str value, int32_t stratum)
{
    bool fresh = true;
    int64_t unit = -1, *known = NULL;
    if (value.n) {
        known = namemap_at(&u->values, value, &fresh);
        unit = fresh ? -1 : *known;
    }
    if (unit < 0)
        unit = new_unit(u, stratum, true);
    if (known)
        *known = unit;
    if (u->records == u->record_room) {
        u->record_room = u->record_room ? 2 * u->record_room : 1024;
        u->unit = mem_resize(u->unit, (size_t)u->record_room, sizeof *u->unit);
    }
    u->unit[u->records] = unit;
    u->weight[unit]++;
    u->size[u->stratum[unit]]++;
}

void row_groups_add(RowGroups *u, const Frame *f, bool by_label, const char *group)
{
    for (int64_t i = 0; i < f->rows; i++) {
        if (record_step(&u->at, f, i) < u->records)
            continue;
        Str label = by_label ? frame_text(f, "row.label", i) : str_of(NULL, 0);
        int32_t s = stratum_of(u, label);
        if (group) {
            join_unit(u, frame_text(f, group, i), s);
        } else {
            new_unit(u, s, false);
            u->size[s]++;
        }
        u->records++;
    }
    record_end(&u->at, f);
}

void row_groups_free(RowGroups *u)
{
    namemap_free(&u->names);
    namemap_free(&u->values);
    free(u->unit);
    free(u->weight);
    free(u->stratum);
    free(u->size);
}

/* RowGroups in order of their strata, in the stream's order within one. */
static int64_t *by_stratum(const RowGroups *u)
{
    int64_t *order = mem_array((size_t)u->n, sizeof *order);
    int64_t *next = mem_array((size_t)u->strata, sizeof *next), at = 0;
    for (int32_t s = 0; s < u->strata; at += u->size[s++])
        next[s] = at;
    for (int64_t i = 0; i < u->n; i++)
        order[next[u->stratum[i]]++] = i;
    free(next);
    return order;
}

/* Of units without a weight. */
static void deal_units(const RowGroups *u, const int64_t *cell, int parts, Rand *r, uint8_t *part)
{
    int64_t *order = by_stratum(u), at = 0;
    for (int32_t s = 0; s < u->strata; s++) {
        if (r)
            rand_shuffle(r, order + at, u->size[s]);
        for (int p = 0; p < parts; p++)
            for (int64_t k = cell[s * (int64_t)parts + p]; k > 0; k--)
                part[order[at++]] = (uint8_t)p;
    }
    free(order);
}

typedef struct Weighed {
    int64_t unit, weight, place;
} Weighed;

static int heavier(const void *a, const void *b)
{
    const Weighed *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight) - (x->weight > y->weight)
                                  : (x->place > y->place) - (x->place < y->place);
}

/* The heaviest first, so that those of one record fill up what is left; shuffled among equals. */
static Weighed *by_weight(const RowGroups *u, Rand *r)
{
    Weighed *w = mem_array((size_t)u->n, sizeof *w);
    int64_t *order = mem_array((size_t)u->n, sizeof *order);
    for (int64_t i = 0; i < u->n; i++)
        order[i] = i;
    if (r)
        rand_shuffle(r, order, u->n);
    for (int64_t i = 0; i < u->n; i++)
        w[i] = (Weighed){order[i], u->weight[order[i]], i};
    qsort(w, (size_t)u->n, sizeof *w, heavier);
    free(order);
    return w;
}

static void deal_weighed(const RowGroups *u, int64_t *cell, int parts, Rand *r, uint8_t *part)
{
    Weighed *w = by_weight(u, r);
    uint8_t *of = mem_alloc((size_t)u->n);
    for (int64_t i = 0; i < u->n; i++) {
        int64_t *left = cell + u->stratum[w[i].unit] * (int64_t)parts;
        int most = 0;
        for (int p = 1; p < parts; p++)
            if (left[p] > left[most])
                most = p;
        left[most] -= w[i].weight;
        of[w[i].unit] = (uint8_t)most;
    }
    for (int64_t i = 0; i < u->records; i++)
        part[i] = of[u->unit[i]];
    free(of);
    free(w);
}

uint8_t *row_groups_deal(const RowGroups *u, const int64_t *total, int parts, Rand *r)
{
    uint8_t *part = mem_alloc((size_t)u->records);
    int64_t *cell = mem_zero((size_t)u->strata * (size_t)parts, sizeof *cell);
    share_table(u->size, u->strata, total, parts, cell);
    if (u->unit)
        deal_weighed(u, cell, parts, r, part);
    else
        deal_units(u, cell, parts, r, part);
    free(cell);
    return part;
}
