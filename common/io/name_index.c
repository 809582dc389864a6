#include "io/name_index.h"

#include <string.h>

static const char *name_of(NamedItems list, int i)
{
    return *(const char *const *)((const char *)list.first + (size_t)i * list.step);
}

static int compare(const char *name, Str a, Str b)
{
    int d = strncmp(name, a.p, a.n);
    if (d == 0)
        d = strncmp(name + a.n, b.p, b.n);
    return d ? d : name[a.n + b.n] != '\0';
}

/* How many names come before this one; *found: whether it is the next. */
static int place_of(const NameIndex *x, NamedItems list, Str a, Str b, int *found)
{
    int low = 0, high = x->n;
    *found = 0;
    while (low < high) {
        int mid = low + (high - low) / 2, d = compare(name_of(list, x->at[mid]), a, b);
        if (d == 0)
            *found = 1;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

int name_find(const NameIndex *x, NamedItems list, Str a, Str b)
{
    int found, i = place_of(x, list, a, b, &found);
    return found ? x->at[i] : -1;
}

void name_added(NameIndex *x, NamedItems list)
{
    const char *name = name_of(list, x->n);
    int found, i = place_of(x, list, str_of(name, strlen(name)), str_of("", 0), &found);
    x->at = mem_resize(x->at, (size_t)x->n + 1, sizeof *x->at);
    memmove(x->at + i + 1, x->at + i, (size_t)(x->n - i) * sizeof *x->at);
    x->at[i] = x->n++;
}

void name_dropped(NameIndex *x, int i)
{
    int n = 0;
    for (int k = 0; k < x->n; k++)
        if (x->at[k] != i)
            x->at[n++] = x->at[k] - (x->at[k] > i);
    x->n = n;
}

NameIndex name_copy(const NameIndex *x)
{
    NameIndex y = {.at = mem_array((size_t)x->n, sizeof *y.at), .n = x->n};
    memcpy(y.at, x->at, (size_t)x->n * sizeof *y.at);
    return y;
}
