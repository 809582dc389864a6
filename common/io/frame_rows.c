/* frame_rows.c - frames cut by rows and put together again. */
#include "io/frame.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of one step along the first axis. */
static size_t stride(const Tensor *t)
{
    size_t n = dtype_size(t->type);
    for (int i = 1; i < t->rank; i++)
        n *= (size_t)t->shape[i];
    return n;
}

/* A tensor of f like t with another first axis; where its data goes. */
static char *add_like(Frame *f, const Tensor *t, int64_t n)
{
    int64_t shape[FRAME_RANKS];
    memcpy(shape, t->shape, sizeof shape);
    shape[0] = n;
    return frame_add(f, t->name, t->type, t->rank, shape);
}

static char *put(char *at, const void *p, size_t n)
{
    if (n)
        memcpy(at, p, n);
    return at + n;
}

static const int64_t *row_ends(const Frame *f)
{
    const Tensor *t = frame_get(f, "row.tokens");
    return t ? t->data : NULL;
}

static void share(Frame *f, const Tensor *t)
{
    frame_adopt(f, t->name, t->type, t->rank, t->shape, block_share(t->block), t->data);
}

/* Does a range tensor of f point into t? */
static bool is_bytes(const Frame *f, const Tensor *t)
{
    Tensor *range[2];
    return tensor_ranges(f, t, range) > 0;
}

/* ---- select ---- */

/* Picks of a frame in order of their rows: those of row i are pick[first[i]..first[i+1]). */
typedef struct Picks {
    int64_t *first, *pick;
} Picks;

static int64_t row_of(const int64_t *at, int64_t rows, int64_t token)
{
    int64_t lo = 0, hi = rows;
    while (hi - lo > 1) {
        int64_t mid = lo + (hi - lo) / 2;
        if (at[mid] <= token)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static Picks picks_by_row(const Frame *f, const Tensor *pick)
{
    const int64_t *at = row_ends(f), *token = pick->data;
    int64_t m = pick->shape[0];
    int64_t *row = mem_array((size_t)m, sizeof *row);
    Picks p = {mem_zero((size_t)f->rows + 2, sizeof(int64_t)),
               mem_array((size_t)m, sizeof(int64_t))};
    for (int64_t i = 0; i < m; i++) {
        row[i] = row_of(at, f->rows, token[i]);
        p.first[row[i] + 2]++;
    }
    for (int64_t i = 2; i <= f->rows + 1; i++)
        p.first[i] += p.first[i - 1];
    for (int64_t i = 0; i < m; i++) /* first[row + 1] walks from the row's begin to its end */
        p.pick[p.first[row[i] + 1]++] = i;
    free(row);
    return p;
}

/* Every pick.* tensor of the chosen rows; pick.token counted from the new frame's first. */
static void select_picks(Frame *g, const Frame *f, const int64_t *row, int64_t n)
{
    const Tensor *pick = frame_get(f, "pick.token");
    if (!pick)
        return;
    Picks p = picks_by_row(f, pick);
    const int64_t *at = row_ends(f), *to = row_ends(g), *token = pick->data;
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++)
        m += p.first[row[i] + 1] - p.first[row[i]];
    for (int k = 0; k < f->count; k++) {
        const Tensor *t = &f->tensor[k];
        if (tensor_axis(t->name) != AXIS_PICK)
            continue;
        size_t step = stride(t);
        char *out = add_like(g, t, m);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = p.first[row[i]]; j < p.first[row[i] + 1]; j++) {
                if (t == pick)
                    *(int64_t *)out = token[p.pick[j]] - at[row[i]] + to[i];
                else
                    put(out, (const char *)t->data + (size_t)p.pick[j] * step, step);
                out += step;
            }
    }
    free(p.first);
    free(p.pick);
}

static void select_tensor(Frame *g, const Frame *f, const Tensor *t, const int64_t *row, int64_t n)
{
    const int64_t *at = row_ends(f);
    const char *from = t->data;
    Axis axis = tensor_axis(t->name);
    if (axis == AXIS_OTHER) {
        share(g, t);
    } else if (axis == AXIS_ROW1) {
        int64_t *to = (int64_t *)add_like(g, t, n + 1);
        *to = 0;
        for (int64_t i = 0; i < n; i++)
            to[i + 1] = to[i] + at[row[i] + 1] - at[row[i]];
    } else if (axis == AXIS_ROW || axis == AXIS_TOKEN) {
        bool rows = axis == AXIS_ROW;
        size_t step = stride(t);
        char *out = add_like(g, t, rows ? n : g->tokens);
        for (int64_t i = 0; i < n && (rows || at); i++) {
            int64_t a = rows ? row[i] : at[row[i]], b = rows ? a + 1 : at[row[i] + 1];
            out = put(out, from + (size_t)a * step, (size_t)(b - a) * step);
        }
    }
}

typedef struct Run {
    int64_t start, end, to;
} Run;

static int by_start(const void *a, const void *b)
{
    int64_t x = ((const Run *)a)->start, y = ((const Run *)b)->start;
    return (x > y) - (x < y);
}

/* Where ranges point to, sorted and melted into runs that do not touch. */
static Run *used_runs(Tensor *const *range, int ranges, size_t *count)
{
    Run *run = NULL;
    size_t n = 0, kept = 0;
    for (int k = 0; k < ranges; k++) {
        const int64_t *r = range[k]->data;
        run = mem_resize(run, n + (size_t)range[k]->shape[0], sizeof *run);
        for (int64_t i = 0; i < range[k]->shape[0]; i++, r += 2)
            if (r[0] < r[1])
                run[n++] = (Run){r[0], r[1], 0};
    }
    if (n)
        qsort(run, n, sizeof *run, by_start);
    for (size_t i = 0; i < n; i++)
        if (kept && run[i].start <= run[kept - 1].end)
            run[kept - 1].end = run[i].end > run[kept - 1].end ? run[i].end : run[kept - 1].end;
        else
            run[kept++] = run[i];
    for (size_t i = 1; i < kept; i++)
        run[i].to = run[i - 1].to + run[i - 1].end - run[i - 1].start;
    *count = kept;
    return run;
}

static void move_range(int64_t *range, const Run *run, size_t n)
{
    if (range[0] == range[1]) {
        range[0] = range[1] = 0;
        return;
    }
    size_t lo = 0;
    while (n > 1) {
        size_t half = n / 2;
        if (run[lo + half].start <= range[0])
            lo += half;
        n -= half;
    }
    int64_t by = run[lo].to - run[lo].start;
    range[0] += by;
    range[1] += by;
}

/* Leaves behind the bytes that no range of g points into. */
static void compact(Frame *g, const char *bytes)
{
    size_t n;
    Tensor *range[2], *old = frame_get(g, bytes);
    int ranges = tensor_ranges(g, old, range);
    Run *run = used_runs(range, ranges, &n);
    for (int k = 0; k < ranges; k++)
        for (int64_t i = 0; i < range[k]->shape[0]; i++)
            move_range((int64_t *)range[k]->data + 2 * i, run, n);
    int64_t all = n ? run[n - 1].to + run[n - 1].end - run[n - 1].start : 0;
    Block *b = block_new((size_t)all);
    char *out = b->p;
    for (size_t i = 0; i < n; i++)
        out = put(out, (const char *)old->data + run[i].start, (size_t)(run[i].end - run[i].start));
    frame_adopt(g, bytes, DT_U8, 1, &all, b, b->p);
    free(run);
}

Frame *frame_select(const Frame *f, const int64_t *row, int64_t n)
{
    const int64_t *at = row_ends(f);
    Frame *g = frame_new(n, 0);
    for (int64_t i = 0; at && i < n; i++)
        g->tokens += at[row[i] + 1] - at[row[i]];
    for (int i = 0; i < f->count; i++)
        select_tensor(g, f, &f->tensor[i], row, n);
    select_picks(g, f, row, n);
    for (int i = 0; i < f->count; i++)
        if (is_bytes(f, &f->tensor[i]))
            compact(g, f->tensor[i].name);
    for (int i = 0; i < f->keys; i++)
        frame_set_meta(g, f->key[i], f->value[i]);
    return g;
}

Frame *frame_slice(const Frame *f, int64_t first, int64_t n)
{
    int64_t *row = mem_array((size_t)n, sizeof *row);
    for (int64_t i = 0; i < n; i++)
        row[i] = first + i;
    Frame *g = frame_select(f, row, n);
    free(row);
    return g;
}

/* ---- join ---- */

static bool same_shape(const Tensor *a, const Tensor *b, int from)
{
    if (a->type != b->type || a->rank != b->rank)
        return false;
    for (int i = from; i < a->rank; i++)
        if (a->shape[i] != b->shape[i])
            return false;
    return true;
}

bool frame_agree(const Frame *a, const Frame *b)
{
    if (a->count != b->count || a->keys != b->keys)
        return false;
    for (int i = 0; i < a->keys; i++) {
        const char *v = frame_meta(b, a->key[i]);
        if (!v || strcmp(v, a->value[i]) != 0)
            return false;
    }
    for (int i = 0; i < a->count; i++) {
        const Tensor *s = &a->tensor[i], *t = frame_get(b, s->name);
        if (!t || tensor_grows(a, s) != tensor_grows(b, t) || !same_shape(s, t, tensor_grows(a, s)))
            return false;
        if (!tensor_grows(a, s) && s->bytes && memcmp(s->data, t->data, s->bytes) != 0)
            return false;
    }
    return true;
}

/* All frames' tensors of this name, end to end. */
static void join_tensor(Frame *g, Frame **f, int n, const Tensor *like)
{
    bool ends = tensor_axis(like->name) == AXIS_ROW1;
    int64_t all = ends;
    for (int i = 0; i < n; i++)
        all += frame_get(f[i], like->name)->shape[0] - ends;
    char *out = add_like(g, like, all);
    size_t step = stride(like);
    for (int i = 0; i < n; i++) {
        const Tensor *t = frame_get(f[i], like->name);
        size_t skip = ends && i ? step : 0; /* the 0 of row.tokens stands once */
        out = put(out, (const char *)t->data + skip, t->bytes - skip);
    }
}

static void add_to(int64_t *p, int64_t n, int64_t by)
{
    for (int64_t i = 0; i < n; i++)
        p[i] += by;
}

/* What counts from a frame's beginning now counts from g's: ends of rows, picks, ranges. */
static void rebase(Frame *g, Frame **f, int n, const Tensor *like)
{
    Counts counts = tensor_counts(f[0], like);
    const Tensor *to = tensor_bytes(f[0], like);
    int64_t ends = tensor_axis(like->name) == AXIS_ROW1, by = 0;
    if (counts == COUNTS_NOTHING)
        return;
    int64_t *p = (int64_t *)frame_get(g, like->name)->data + ends;
    for (int i = 0; i < n; i++) {
        int64_t k = (frame_get(f[i], like->name)->shape[0] - ends) * (to ? 2 : 1);
        add_to(p, k, by);
        p += k;
        by += to ? frame_get(f[i], to->name)->shape[0] : f[i]->tokens;
    }
}

Frame *frame_join(Frame **f, int n)
{
    if (n == 1)
        return f[0];
    Frame *g = frame_new(0, 0);
    for (int i = 0; i < n; i++) {
        g->rows += f[i]->rows;
        g->tokens += f[i]->tokens;
    }
    for (int i = 0; i < f[0]->count; i++) {
        const Tensor *like = &f[0]->tensor[i];
        if (!tensor_grows(f[0], like)) {
            share(g, like);
            continue;
        }
        join_tensor(g, f, n, like);
        rebase(g, f, n, like);
    }
    for (int i = 0; i < f[0]->keys; i++)
        frame_set_meta(g, f[0]->key[i], f[0]->value[i]);
    g->end = f[n - 1]->end;
    g->end_rows = f[n - 1]->end_rows;
    for (int i = 0; i < n; i++)
        frame_free(f[i]);
    return g;
}
