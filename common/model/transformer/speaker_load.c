#include "model/transformer/speaker_in.h"

#include "base/mem.h"
#include "model/transformer/near.h"
#include "model/transformer/waves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int out_of_memory(const Speaker *s, Err *e)
{
    return err_set(e, "out of memory on %s", s->dev->name);
}

static const float *get(Speaker *s, int param, Err *e)
{
    const Param *a = &s->plan.params.param[param];
    if (a->waves && !weights_has(s->weights, a->name))
        return s->waves ? s->waves : (s->waves = waves_new(a->rows, a->cols));
    return weights_get(s->weights, a->name, a->rows, a->cols, e);
}

/* Tables and vectors are used where they lie. */
static int hold(Speaker *s, int param, Err *e)
{
    if (param < 0 || s->value[param])
        return 0;
    const float *p = get(s, param, e);
    if (!p)
        return -1;
    int64_t n = param_numbers(&s->plan.params.param[param]);
    s->value[param] = s->dev->hold(s->dev, p, (size_t)n * sizeof *p);
    return s->value[param] ? 0 : out_of_memory(s, e);
}

static int hold_norm(Speaker *s, const NormPlan *n, Err *e)
{
    return hold(s, n->gamma, e) < 0 ? -1 : hold(s, n->beta, e);
}

/* ---- matrices ---- */

/* A matrix to be packed, of host memory, and where it goes. */
typedef struct Job {
    View part[DENSE_PARTS];
    const float *bias[DENSE_PARTS];
    int parts;
    bool biased, by_input;
    Weight **to;
} Job;

typedef struct Jobs {
    Speaker *s;
    Job *job;
    int n;
} Jobs;

static int pack(const Jobs *l, Err *e)
{
    Speaker *s = l->s;
    Device *dev = s->dev;
    for (int i = 0; i < l->n; i++) {
        const Job *j = &l->job[i];
        *j->to = dev->pack_thin(dev, j->part, j->biased ? j->bias : NULL, j->parts, j->by_input,
                                s->form);
        if (!*j->to)
            return out_of_memory(s, e);
        for (int k = 0; k < j->parts; k++)
            weights_done(s->weights, j->part[k].p, j->part[k].rows * j->part[k].cols);
    }
    return 0;
}

static int add_dense(Jobs *l, const Dense *d, Err *e)
{
    Speaker *s = l->s;
    if (d->id < 0)
        return 0;
    Job *j = &l->job[l->n++];
    *j = (Job){.parts = d->parts,
               .biased = d->bias >= 0,
               .by_input = s->config.family->by_input,
               .to = &s->weight[d->id]};
    for (int i = 0; i < d->parts; i++) {
        const Param *a = &s->plan.params.param[d->weight + i];
        const float *w = get(s, d->weight + i, e);
        if (!w || (j->biased && !(j->bias[i] = get(s, d->bias + i, e))))
            return -1;
        j->part[i] = view_of((void *)(uintptr_t)w, K_F32, a->rows, a->cols);
    }
    return 0;
}

static int add_layer(Jobs *l, const LayerPlan *y, Err *e)
{
    const Dense *dense[] = {&y->qkv,       &y->out, &y->cross_query, &y->cross_pair,
                            &y->cross_out, &y->up,  &y->down};
    const NormPlan *norm[] = {&y->attend, &y->cross, &y->feed, &y->query, &y->key};
    for (size_t i = 0; i < sizeof dense / sizeof *dense; i++)
        if (add_dense(l, dense[i], e) < 0)
            return -1;
    for (size_t i = 0; i < sizeof norm / sizeof *norm; i++)
        if (hold_norm(l->s, norm[i], e) < 0)
            return -1;
    return 0;
}

/* The matrix over the words is that of their embeddings where config.json ties them. */
static int add_words(Jobs *l, Err *e)
{
    Speaker *s = l->s;
    const Config *c = &s->config;
    const Param *word = &s->plan.params.param[s->plan.word];
    char name[64];
    snprintf(name, sizeof name, "%s.weight", c->family->speaks);
    const float *w = c->tied ? get(s, s->plan.word, e)
                             : weights_get(s->weights, name, word->rows, word->cols, e);
    if (!w)
        return -1;
    Job *j = &l->job[l->n++];
    *j = (Job){.parts = 1, .to = &s->words};
    j->part[0] = view_of((void *)(uintptr_t)w, K_F32, word->rows, word->cols);
    if (weights_has(s->weights, "final_logits_bias")) {
        j->biased = true;
        j->bias[0] = weights_get(s->weights, "final_logits_bias", 1, c->vocab, e);
        if (!j->bias[0])
            return -1;
    }
    /* T5's are drawn for states of another size where they are both. */
    s->words_scale = c->tied && c->family->unscaled ? 1 / sqrtf((float)c->hidden) : 1.0f;
    return 0;
}

static int read_weights(Speaker *s, Err *e)
{
    const HalfPlan *h = speaker_half(s);
    Jobs l = {s, mem_zero((size_t)s->plan.denses + 1, sizeof *l.job), 0};
    int r = hold(s, s->plan.word, e);
    if (r == 0)
        r = hold(s, h->position, e);
    if (r == 0)
        r = hold_norm(s, &h->embed, e);
    if (r == 0)
        r = hold_norm(s, &h->last, e);
    if (r == 0)
        r = add_words(&l, e); /* first: memory is at its peak while the largest is there twice */
    for (int64_t i = 0; i < h->owned && r == 0; i++)
        r = add_layer(&l, &h->layer[i], e);
    if (r == 0)
        r = pack(&l, e);
    free(l.job);
    return r;
}

/* ---- distances ---- */

/* As distance_bucket has it, where keys that come later are never seen: half of the table for each
 * near distance, half for ranges that grow. */
static int64_t bucket_behind(int64_t distance, const Config *c)
{
    int64_t exact = c->buckets / 2, n = distance < 0 ? -distance : 0;
    if (n < exact)
        return n;
    float ranges = logf((float)n / (float)exact) / (float)log((double)c->distance / (double)exact) *
                   (float)(c->buckets - exact);
    int64_t bucket = exact + (int64_t)ranges;
    return bucket < c->buckets ? bucket : c->buckets - 1;
}

static int read_distance(Speaker *s, Err *e)
{
    const Config *c = &s->config;
    const char *name = c->family->decoder.distance;
    int64_t wide = 2 * c->distance + 1;
    char full[128];
    if (!name)
        return 0;
    snprintf(full, sizeof full, "%s.weight", name);
    const float *table = weights_get(s->weights, full, c->buckets, c->heads, e);
    if (!table)
        return -1;
    s->distance_host = mem_array((size_t)(c->heads * wide), sizeof(float));
    for (int64_t h = 0; h < c->heads; h++)
        for (int64_t i = 0; i < wide; i++)
            s->distance_host[h * wide + i] =
                table[bucket_behind(i - c->distance, c) * c->heads + h];
    s->distance = s->dev->hold(s->dev, s->distance_host, (size_t)(c->heads * wide) * sizeof(float));
    return s->distance ? 0 : out_of_memory(s, e);
}

/* ---- the model ---- */

static int refuse(const char *folder, const Config *c, Err *e)
{
    const char *can = c->causal ? "`ppl`" : "`encode`, `head` and `score`";
    return err_set(
        e,
        "%s: %s (model_type '%s') does not write: %s take it, and gen takes GPT-2, OPT, Llama, "
        "Mistral, Qwen, BART, mBART, T5, mT5 and Marian",
        folder, c->architecture[0] ? c->architecture : "the model", c->family->type, can);
}

static int load(Speaker *s, const char *folder, Err *e)
{
    Config *c = &s->config;
    if (config_load(folder, c, e) < 0)
        return -1;
    if (!c->family->speaks)
        return refuse(folder, c, e);
    if (c->pruned)
        return err_set(e, "%s/config.json: pruned_heads is not supported for gen", folder);
    bool reads = c->decoders || c->speakers;
    int64_t encoders = c->layers - c->decoders;
    if (reads && !(s->encoder = transformer_load(
                       folder, s->dev, s->form == THIN_BF16 ? K_BF16 : K_F32, encoders, e)))
        return -1;
    config_speaks(c);
    s->which = reads ? 1 : 0;
    if (!(s->weights = weights_open(folder, c->family->prefix, e)))
        return -1;
    plan_new(&s->plan, c, s->weights, c->layers);
    s->value = mem_zero((size_t)s->plan.params.count, sizeof *s->value);
    s->weight = mem_zero((size_t)s->plan.denses + 1, sizeof *s->weight);
    if (read_weights(s, e) < 0 || read_distance(s, e) < 0)
        return -1;
    return near_hold(c, s->dev, &s->near_host, &s->near, e);
}

Speaker *speaker_load(const char *folder, Device *dev, ThinForm form, Err *e)
{
    Speaker *s = mem_zero(1, sizeof *s);
    s->dev = dev;
    s->form = form;
    if (load(s, folder, e) == 0)
        return s;
    speaker_free(s);
    return NULL;
}

void speaker_free(Speaker *s)
{
    if (!s)
        return;
    for (int i = 0; s->weight && i < s->plan.denses; i++)
        s->dev->unpack(s->dev, s->weight[i]);
    s->dev->unpack(s->dev, s->words);
    for (int i = 0; s->value && i < s->plan.params.count; i++)
        if (s->value[i])
            s->dev->release(s->dev, s->value[i]);
    if (s->distance)
        s->dev->release(s->dev, s->distance);
    if (s->near)
        s->dev->release(s->dev, s->near);
    turns_free(&s->turns, s->dev);
    for (int i = 0; i < SAY_SPACES; i++)
        s->dev->free(s->dev, s->space[i].p);
    kept_free(s->kept);
    kept_free(s->memory);
    transformer_free(s->encoder);
    plan_clear(&s->plan);
    free(s->value);
    free(s->weight);
    free(s->distance_host);
    free(s->near_host);
    free(s->waves);
    weights_close(s->weights);
    config_clear(&s->config);
    free(s);
}
