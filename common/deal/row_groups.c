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

void row_groups_add(RowGroups *u, const Frame *f, bool by_label)
{
    for (int64_t i = 0; i < f->rows; i++) {
        if (record_step(&u->at, f, i) < u->n)
            continue;
        if (u->n == u->room) {
            u->room = u->room ? 2 * u->room : 1024;
            u->stratum = mem_resize(u->stratum, (size_t)u->room, sizeof *u->stratum);
        }
        Str label = by_label ? frame_text(f, "row.label", i) : str_of(NULL, 0);
        int32_t s = stratum_of(u, label);
        u->stratum[u->n++] = s;
        u->size[s]++;
    }
    record_end(&u->at, f);
}

void row_groups_free(RowGroups *u)
{
    namemap_free(&u->names);
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

uint8_t *row_groups_deal(const RowGroups *u, const int64_t *total, int parts, Rand *r)
{
    uint8_t *part = mem_alloc((size_t)u->n);
    int64_t *cell = mem_zero((size_t)u->strata * (size_t)parts, sizeof *cell);
    int64_t *order = by_stratum(u), at = 0;
    share_table(u->size, u->strata, total, parts, cell);
    for (int32_t s = 0; s < u->strata; s++) {
        rand_shuffle(r, order + at, u->size[s]);
        for (int p = 0; p < parts; p++)
            for (int64_t k = cell[s * (int64_t)parts + p]; k > 0; k--)
                part[order[at++]] = (uint8_t)p;
    }
    free(order);
    free(cell);
    return part;
}
