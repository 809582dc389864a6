/* transformer_far.c - the keys and queries of distances (DeBERTa). They depend on the weights
 * alone, so they are made once, of the distances that the longest row so far has, by products as
 * those of the layers. */
#include "model/transformer/transformer_in.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_REACH = 63 };

/* The table's entry for keys that far behind the query: one each for near distances, the others for
 * ranges that grow by a factor. In the reference's f32, where a range begins. */
int64_t far_bucket(int64_t distance, const Distances *f)
{
    int64_t half = f->entries / 2, mid = f->buckets / 2, n = distance < 0 ? -distance : distance;
    if (f->buckets && n > mid) {
        float whole = logf((float)((double)(f->most - 1) / (double)mid));
        float log = ceilf(logf((float)n / (float)mid) / whole * (float)(mid - 1));
        n = mid + (int64_t)log;
    }
    int64_t at = half + (distance < 0 ? -n : n);
    return at < 0 ? 0 : at > f->entries - 1 ? f->entries - 1 : at;
}

/* Where a layer's keys and queries of distances are made. */
typedef struct Maker {
    Transformer *t;
    int64_t rows, cols;
    const int32_t *index; /* entries of the table, [rows] */
    float *to;
} Maker;

static void stage_make(Piece *p, void *ctx)
{
    const Maker *k = ctx;
    const Transformer *t = k->t;
    const HalfPlan *h = t->plan.half;
    const Config *c = &t->config;
    int64_t wide = c->heads * c->size;
    View table = view_of((void *)(uintptr_t)t->value[h->far], K_F32, c->far.entries, c->hidden);
    View x = temp_view(p, K_F32, p->hi - p->lo, c->hidden);
    View in = temp_view(p, t->compute, x.rows, x.cols);
    p->dev->embed(p, &(Embed){.table = {table}, .index = {k->index + p->lo}, .y = x});
    if (c->far.normed)
        p->dev->norm(p, &(Norm){.x = x,
                                .y = in,
                                .gamma = t->value[h->far_norm.gamma],
                                .beta = h->far_norm.beta < 0 ? NULL : t->value[h->far_norm.beta],
                                .eps = c->eps});
    else
        p->dev->mix(p, &(Mix){.x = x, .y = in, .a = 1});
    for (int64_t i = 0; i < h->end - h->first; i++) {
        const LayerPlan *y = plan_layer(h, h->first + i);
        View out = view_of(k->to + i * k->rows * k->cols, K_F32, k->rows, k->cols);
        out = view_rows(out, p->lo, p->hi);
        if (c->far.shared) {
            p->dev->linear(p, &(Linear){.x = in, .w = t->weight[y->qkv.id], .y = out});
            continue;
        }
        if (c->far.by_query)
            p->dev->linear(
                p, &(Linear){.x = in, .w = t->weight[y->far_key.id], .y = view_cols(out, 0, wide)});
        if (c->far.by_key)
            p->dev->linear(p, &(Linear){.x = in,
                                        .w = t->weight[y->far_query.id],
                                        .y = view_cols(out, k->cols - wide, k->cols)});
    }
}

/* Where attention finds them. */
static void set_layers(Transformer *t, const Maker *k, const int32_t *entry, int64_t reach)
{
    const Distances *f = &t->config.far;
    int64_t wide = t->config.heads * t->config.size;
    for (int64_t i = 0; i < t->plan.half[0].end; i++) {
        View all = view_of(k->to + i * k->rows * k->cols, K_F32, k->rows, k->cols);
        AttendFar *a = &t->far[i];
        *a = (AttendFar){.entry = entry, .reach = reach};
        if (f->by_query)
            a->key = f->shared ? view_cols(all, wide, 2 * wide) : view_cols(all, 0, wide);
        if (f->by_key)
            a->query =
                f->shared ? view_cols(all, 0, wide) : view_cols(all, k->cols - wide, k->cols);
    }
}

/* Which of the rows that are made each distance has, and which of the table's they are. */
static int64_t list_entries(const Distances *f, int64_t reach, int32_t *entry, int32_t *index)
{
    int64_t rows = 0;
    for (int64_t i = 0; i <= 2 * reach; i++) {
        int32_t of = (int32_t)far_bucket(i - reach, f);
        if (!rows || of != index[rows - 1])
            index[rows++] = of;
        entry[i] = (int32_t)rows - 1;
    }
    return rows;
}

int far_grow(Transformer *t, int64_t longest, Err *e)
{
    const Distances *f = &t->config.far;
    int64_t layers = t->plan.half[0].end, wide = t->config.heads * t->config.size;
    int64_t most = t->config.positions - 1, reach = 2 * t->far_reach;
    if (!(f->by_query || f->by_key) || !layers || (t->far && longest - 1 <= t->far_reach))
        return 0;
    reach = reach < LEAST_REACH ? LEAST_REACH : reach > most ? most : reach;
    reach = reach < longest - 1 ? longest - 1 : reach;
    Maker k = {.t = t, .cols = (f->shared ? 3 : f->by_query + f->by_key) * wide};
    int64_t distances = 2 * reach + 1;
    int32_t *entry = mem_array((size_t)(2 * distances), sizeof *entry), *index = entry + distances;
    k.rows = list_entries(f, reach, entry, index);
    size_t places = (size_t)(distances + k.rows) * sizeof *entry;
    size_t bytes = (size_t)(layers * k.rows * k.cols) * sizeof(float);
    int32_t *at = space_grow(&t->far_space[0], t->dev, places, e);
    k.to = at ? space_grow(&t->far_space[1], t->dev, bytes, e) : NULL;
    if (k.to) {
        t->dev->put(t->dev, at, entry, places);
        k.index = at + distances;
        t->dev->each(t->dev, EACH_ROWS, &(Batch){.tokens = k.rows}, stage_make, &k);
        t->far = mem_resize(t->far, (size_t)layers, sizeof *t->far);
        set_layers(t, &k, at, reach);
        t->far_reach = reach;
    }
    free(entry);
    return k.to ? 0 : -1;
}

void far_free(Transformer *t)
{
    for (int i = 0; i < 2; i++)
        t->dev->free(t->dev, t->far_space[i].p);
    free(t->far);
}
