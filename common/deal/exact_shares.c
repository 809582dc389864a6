#include "deal/exact_shares.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

int share_totals(const Share *part, int parts, int64_t units, int64_t *total, Err *e)
{
    double weights = 0;
    int64_t asked = 0;
    for (int p = 0; p < parts; p++) {
        weights += part[p].exact < 0 ? part[p].weight : 0;
        asked += part[p].exact < 0 ? 0 : part[p].exact;
        if (asked > units)
            return err_set(e, "%lld asked for, but there are only %lld", (long long)asked,
                           (long long)units);
    }
    int64_t rest = units - asked, left = rest;
    if (rest && weights <= 0)
        return err_set(e, "no part takes the rest (%lld of %lld)", (long long)rest,
                       (long long)units);
    double *remainder = mem_zero((size_t)parts, sizeof *remainder);
    for (int p = 0; p < parts; p++) {
        total[p] = part[p].exact;
        if (part[p].exact >= 0)
            continue;
        double quota = (double)rest * part[p].weight / weights;
        total[p] = (int64_t)floor(quota + 1e-9); /* 0.1 + 0.2 is not quite 0.3 */
        remainder[p] = quota - (double)total[p];
        left -= total[p];
    }
    for (; left > 0; left--) {
        int best = -1;
        for (int p = 0; p < parts; p++)
            if (part[p].exact < 0 && (best < 0 || remainder[p] > remainder[best] + 1e-9))
                best = p;
        total[best]++;
        remainder[best] -= 1;
    }
    free(remainder);
    return 0;
}

/* One cell and what its quota's rounding down has left, in units of 1 / all. */
typedef struct Cell {
    int64_t stratum;
    int part;
    bool up;
    int64_t remainder;
} Cell;

typedef struct Table {
    Cell *cell; /* [strata, parts] */
    int64_t strata, *part_left;
    int parts;
    bool *seen; /* parts on the path being searched */
} Table;

/* Of the parts not yet tried, that where stratum s has the largest remainder and is rounded
 * down; -1: none. */
static int next_part(const Table *t, int64_t s)
{
    int best = -1;
    for (int p = 0; p < t->parts; p++) {
        const Cell *c = &t->cell[s * t->parts + p];
        bool open = c->remainder && !c->up && !t->seen[p];
        if (open && (best < 0 || c->remainder > t->cell[s * t->parts + best].remainder))
            best = p;
    }
    return best;
}

/* Rounds one more cell of stratum s up, moving other strata's to other parts where that frees
 * the room: an augmenting path of bipartite matching. */
static bool round_up(Table *t, int64_t s)
{
    for (int p; (p = next_part(t, s)) >= 0;) {
        t->seen[p] = true;
        bool room = t->part_left[p] > 0;
        if (room)
            t->part_left[p]--;
        for (int64_t o = 0; !room && o < t->strata; o++) {
            Cell *other = &t->cell[o * t->parts + p];
            room = other->up && round_up(t, o);
            if (room)
                other->up = false;
        }
        if (room)
            return t->cell[s * t->parts + p].up = true;
    }
    return false;
}

static int by_remainder(const void *a, const void *b)
{
    const Cell *x = *(Cell *const *)a, *y = *(Cell *const *)b;
    if (x->remainder != y->remainder)
        return x->remainder > y->remainder ? -1 : 1;
    return x < y ? -1 : 1;
}

/* The largest remainders first, as long as their row and column have something left. */
static void round_greedily(Table *t, int64_t *stratum_left)
{
    size_t n = (size_t)t->strata * (size_t)t->parts;
    Cell **order = mem_array(n, sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = &t->cell[i];
    qsort(order, n, sizeof *order, by_remainder);
    for (size_t i = 0; i < n && order[i]->remainder; i++) {
        Cell *c = order[i];
        if (stratum_left[c->stratum] > 0 && t->part_left[c->part] > 0) {
            c->up = true;
            stratum_left[c->stratum]--;
            t->part_left[c->part]--;
        }
    }
    free(order);
}

void share_table(const int64_t *size, int64_t strata, const int64_t *total, int parts,
                 int64_t *cell)
{
    int64_t all = 0, *stratum_left = mem_array((size_t)strata, sizeof *stratum_left);
    Table t = {.strata = strata, .parts = parts};
    t.cell = mem_zero((size_t)strata * (size_t)parts, sizeof *t.cell);
    t.part_left = mem_array((size_t)parts, sizeof *t.part_left);
    t.seen = mem_zero((size_t)parts, sizeof *t.seen);
    for (int p = 0; p < parts; p++)
        all += t.part_left[p] = total[p];
    for (int64_t s = 0; s < strata; s++) {
        stratum_left[s] = size[s];
        for (int p = 0; p < parts; p++) {
            __int128 quota = (__int128)size[s] * total[p];
            int64_t i = s * parts + p;
            cell[i] = all ? (int64_t)(quota / all) : 0;
            t.cell[i] = (Cell){s, p, false, all ? (int64_t)(quota % all) : 0};
            stratum_left[s] -= cell[i];
            t.part_left[p] -= cell[i];
        }
    }
    round_greedily(&t, stratum_left);
    for (int64_t s = 0; s < strata; s++)
        for (; stratum_left[s] > 0; stratum_left[s]--) {
            for (int p = 0; p < parts; p++)
                t.seen[p] = false;
            round_up(&t, s);
        }
    for (int64_t i = 0; i < strata * parts; i++)
        cell[i] += t.cell[i].up;
    free(stratum_left);
    free(t.cell);
    free(t.part_left);
    free(t.seen);
}
