#include "model/transformer/near.h"
#include "model/transformer/transformer_in.h"
#include "model/transformer/waves.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

/* A matrix to be packed, of host memory, and where it goes. */
typedef struct Job {
    View part[DENSE_PARTS];
    const float *bias[DENSE_PARTS];
    const Dense *dense;
    Weight **to;
} Job;

typedef struct Loader {
    Transformer *t;
    Job *job;
} Loader;

static int out_of_memory(const Transformer *t, Err *e)
{
    return err_set(e, "out of memory on %s", t->dev->name);
}

/* A head that was pruned is one of zeros: it gives nothing, and no one notices. */
static const float *with_pruned(const Transformer *t, const Param *a, Err *e)
{
    const Config *c = &t->config;
    int64_t rows = a->by_col ? a->cols : a->rows, per = a->by_col ? a->rows : a->cols ? a->cols : 1;
    int64_t have = config_heads(c, a->layer) * c->size * a->heads, at = 0;
    const float *w = a->by_col ? weights_get(t->weights, a->name, a->rows, have, e)
                               : weights_get(t->weights, a->name, have, a->cols, e);
    if (!w)
        return NULL;
    float *all = weights_own(t->weights, (size_t)param_numbers(a));
    for (int64_t r = 0; r < rows; r++) {
        bool there = !c->pruned[a->layer * c->heads + r / c->size % c->heads];
        for (int64_t i = 0; i < per; i++)
            all[a->by_col ? i * rows + r : r * per + i] = !there      ? 0
                                                          : a->by_col ? w[i * have + at]
                                                                      : w[at * per + i];
        at += there;
    }
    return all;
}

const float *transformer_param(Transformer *t, int param, Err *e)
{
    const Param *a = &t->plan.params.param[param];
    if (a->waves && !(t->weights && weights_has(t->weights, a->name)))
        return t->waves ? t->waves : (t->waves = waves_new(a->rows, a->cols));
    return a->heads ? with_pruned(t, a, e) : weights_get(t->weights, a->name, a->rows, a->cols, e);
}

/* Tables and vectors are used where they lie. */
static int hold(Transformer *t, int param, Err *e)
{
    const float *p = transformer_param(t, param, e);
    if (!p)
        return -1;
    int64_t n = param_numbers(&t->plan.params.param[param]);
    t->value[param] = t->dev->hold(t->dev, p, (size_t)n * sizeof *p);
    return t->value[param] ? 0 : out_of_memory(t, e);
}

static int read_dense(Transformer *t, Job *j, const Dense *d, Err *e)
{
    j->dense = d;
    j->to = &t->weight[d->id];
    for (int i = 0; i < d->parts; i++) {
        const Param *a = &t->plan.params.param[d->weight + i];
        const float *w = transformer_param(t, d->weight + i, e);
        if (!w)
            return -1;
        j->part[i] = view_of((void *)(uintptr_t)w, K_F32, a->rows, a->cols);
        if (d->bias >= 0 && !(j->bias[i] = transformer_param(t, d->bias + i, e)))
            return -1;
    }
    return 0;
}

/* Packing reads and writes every weight once: worth all threads when a pipeline starts cold. */
static void stage_pack(Piece *p, void *ctx)
{
    const Loader *l = ctx;
    bool by_input = l->t->config.family->by_input;
    for (int64_t i = p->lo; i < p->hi; i++) {
        Job *j = &l->job[i];
        *j->to = p->dev->pack(p->dev, j->part, j->dense->bias >= 0 ? j->bias : NULL,
                              j->dense->parts, by_input, l->t->type);
        for (int k = 0; k < j->dense->parts; k++)
            weights_done(l->t->weights, j->part[k].p, j->part[k].rows * j->part[k].cols);
    }
}

static int pack_all(Transformer *t, const Dense **dense, Err *e)
{
    int n = t->plan.denses, r = 0;
    Loader l = {t, mem_zero((size_t)n, sizeof *l.job)};
    for (int i = 0; i < n && r == 0; i++)
        r = read_dense(t, &l.job[i], dense[i], e);
    if (r == 0)
        t->dev->each(t->dev, EACH_COLS, &(Batch){.cols = n}, stage_pack, &l);
    for (int i = 0; i < n && r == 0; i++)
        if (!t->weight[i])
            r = out_of_memory(t, e);
    free(l.job);
    return r;
}

/* All that no matrix takes, in the order of the network. */
static int hold_all(Transformer *t, const Dense **dense, Err *e)
{
    const Params *all = &t->plan.params;
    bool *packed = mem_zero((size_t)all->count, sizeof *packed);
    int r = 0;
    for (int i = 0; i < t->plan.denses; i++)
        for (int k = 0; k < dense[i]->parts; k++) {
            packed[dense[i]->weight + k] = true;
            if (dense[i]->bias >= 0)
                packed[dense[i]->bias + k] = true;
        }
    for (int i = 0; i < all->count && r == 0; i++)
        if (!packed[i] && i != t->plan.distance)
            r = hold(t, i, e);
    free(packed);
    return r;
}

/* Which entry of the table is for keys that far behind the query, or if negative before it: a
 * quarter of them for each near distance on either side, the others for ranges that grow by a
 * factor (Raffel et al. 2020, 2.1). In the reference's f32, where a range begins. */
int64_t distance_bucket(int64_t distance, const Config *c)
{
    int64_t side = c->buckets / 2, exact = side / 2, n = distance < 0 ? -distance : distance;
    int64_t base = distance > 0 ? side : 0;
    if (n < exact)
        return base + n;
    float ranges = logf((float)n / (float)exact) / (float)log((double)c->distance / (double)exact) *
                   (float)(side - exact);
    int64_t bucket = exact + (int64_t)ranges;
    return base + (bucket < side ? bucket : side - 1);
}

/* The table [buckets, heads] as attend wants it, by distance. */
static int read_distance(Transformer *t, Err *e)
{
    const Config *c = &t->config;
    int64_t wide = 2 * c->distance + 1;
    const float *table = t->plan.distance >= 0 ? transformer_param(t, t->plan.distance, e) : NULL;
    if (!table)
        return t->plan.distance >= 0 ? -1 : 0;
    t->distance_host = mem_array((size_t)(c->heads * wide), sizeof(float));
    for (int64_t h = 0; h < c->heads; h++)
        for (int64_t i = 0; i < wide; i++)
            t->distance_host[h * wide + i] =
                table[distance_bucket(i - c->distance, c) * c->heads + h];
    t->distance = t->dev->hold(t->dev, t->distance_host, (size_t)(c->heads * wide) * sizeof(float));
    return t->distance ? 0 : out_of_memory(t, e);
}

int transformer_near(Transformer *t, Err *e)
{
    return near_hold(&t->config, t->dev, &t->near_host, &t->near, e);
}

int transformer_weights(Transformer *t, Err *e)
{
    const Dense **dense = plan_denses(&t->plan);
    t->value = mem_zero((size_t)t->plan.params.count, sizeof *t->value);
    t->weight = mem_zero((size_t)t->plan.denses + 1, sizeof *t->weight);
    int r = hold_all(t, dense, e);
    if (r == 0)
        r = read_distance(t, e);
    if (r == 0)
        r = transformer_near(t, e);
    if (r == 0)
        r = pack_all(t, dense, e);
    free(dense);
    return r;
}
