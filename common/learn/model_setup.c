#include "learn/model_setup.h"

#include "base/mem.h"
#include "base/msg.h"
#include "learn/label_ids.h"
#include "model/find.h"
#include "model/model_tokenizer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const HeadTask tasks[OBJECTIVES] = {
    [LEARN_CLASS] = HEAD_CLASS, [LEARN_MULTI] = HEAD_CLASS, [LEARN_REGRESSION] = HEAD_CLASS,
    [LEARN_TOKEN] = HEAD_TOKEN, [LEARN_SPAN] = HEAD_SPAN,   [LEARN_MLM] = HEAD_MASK,
    [LEARN_CLM] = HEAD_LM};

/* ---- the model ---- */

/* Ids of another vocabulary mean nothing to the model. */
static int check_vocab(const ModelSetup *m, const Examples *x, Err *e)
{
    if (!*x->vocab)
        return 0;
    Tokenizer *t = model_tokenizer(m->folder, e);
    if (!t)
        return err_at(e, "cannot tell whether %s has the vocabulary of the rows", m->name);
    bool same = strcmp(tokenizer_fingerprint(t), x->vocab) == 0;
    tokenizer_free(t);
    return same ? 0
                : err_set(e,
                          "%s: the ids were made with the vocabulary of %s, but %s has another: "
                          "use one model in the whole pipeline",
                          x->place, *x->model ? x->model : "another model", m->name);
}

/* Everything that the model is given has to fit it. */
static int check_rows(const Config *c, const Examples *x, Err *e)
{
    for (int64_t i = 0; i < x->rows; i++) {
        int64_t n = x->starts[i + 1] - x->starts[i];
        if (c->positions && n > c->positions)
            return err_set(e,
                           "%s: row %" PRId64 ": %" PRId64 " tokens, but the model has %" PRId64
                           " positions: tok -n %" PRId64,
                           x->place, i + 1, n, c->positions, c->positions);
        for (int64_t t = x->starts[i]; t < x->starts[i + 1]; t++)
            if (x->id[t] < 0 || x->id[t] >= c->vocab)
                return err_set(e,
                               "%s: row %" PRId64 ": token id %" PRId32
                               " is outside the model's vocabulary of %" PRId64,
                               x->place, i + 1, x->id[t], c->vocab);
            else if (x->kind && c->types && x->kind[t] >= c->types)
                return err_set(e, "%s: row %" PRId64 ": token type %d, but the model has %" PRId64,
                               x->place, i + 1, x->kind[t], c->types);
    }
    return 0;
}

static int open_model(ModelSetup *m, const TrainSpec *t, const TrainData *d, Config *c, Err *e)
{
    const char *given = t->model ? t->model : *d->train.model ? d->train.model : NULL;
    char *found = model_find(given, e);
    if (!found || !(m->folder = model_encoder_folder(found, e))) {
        free(found);
        return -1;
    }
    m->name = model_name(given, found);
    free(found);
    if (t->scratch ? config_load_file(t->scratch, c, e) < 0 : config_load(m->folder, c, e) < 0)
        return -1;
    if (c->pruned)
        return err_set(e,
                       "%s: pruned_heads is not supported for training: save the model with all "
                       "its heads",
                       m->folder);
    if (t->scratch && strcmp(c->family->type, "qwen2") == 0)
        return err_set(e,
                       "%s: a qwen2 model from nothing is not supported: its queries, keys and "
                       "values alone have biases",
                       t->scratch);
    if (c->family->encoder.query_norm)
        return err_set(e,
                       "%s: norms of queries and keys do not learn: a %s model cannot be trained "
                       "(a head on its vectors can: encode, pool, train)",
                       m->folder, c->family->type);
    if (c->family->positions == POSITIONS_RELATIVE)
        return err_set(e,
                       "%s: attention by contents and distances does not learn: a %s model cannot "
                       "be trained (a head on its vectors can: encode, pool, train)",
                       m->folder, c->family->type);
    if (!t->scratch && !(m->weights = weights_open(m->folder, c->family->prefix, e)))
        return -1;
    if (check_vocab(m, &d->train, e) < 0 || check_rows(c, &d->train, e) < 0)
        return -1;
    return d->valid.rows ? check_rows(c, &d->valid, e) : 0;
}

/* ---- labels ---- */

/* The rows' labels by tok's list, or those met, are the checkpoint's, in whatever order. */
static bool same_labels(const Config *c, const Examples *x)
{
    Classes own = {0};
    Err none = {0};
    int64_t known = 0;
    if (x->soft && !x->labels)
        return c->labels == x->numbers;
    if (examples_classes(x, &own, &none) < 0)
        return false;
    for (int64_t i = 0; i < c->labels; i++)
        known += classes_find(&own, str_of(c->label[i], strlen(c->label[i]))) >= 0;
    bool same = known == c->labels && own.n == c->labels;
    classes_clear(&own);
    return same;
}

static int take_labels(Classes *to, const Config *c, Err *e)
{
    json_t *names = json_array();
    for (int64_t i = 0; i < c->labels; i++)
        json_array_append_new(names, json_string(c->label[i]));
    char *text = json_dumps(names, 0);
    json_decref(names);
    int status = classes_parse(to, text, NULL, c->labels, e);
    free(text);
    return status;
}

/* Does the checkpoint's head go on, and then with which classes? */
static int choose_head(ModelSetup *m, const Config *c, TrainData *d, Err *e)
{
    const HeadKind *kind[HEAD_TASKS] = {0};
    Objective o = d->train.objective;
    m->task = tasks[o];
    if (m->weights)
        headkinds_find(c, m->weights, kind);
    m->goes_on = m->weights && kind[m->task] && !m->stack;
    if (m->goes_on && has_classes(o))
        m->goes_on = same_labels(c, &d->train);
    if (m->goes_on && o == LEARN_REGRESSION)
        m->goes_on = c->labels == d->train.numbers;
    return m->goes_on && has_classes(o) ? take_labels(&d->classes, c, e) : 0;
}

/* ---- the head ---- */

static PoolKind default_pool(const Config *c)
{
    Pooling p;
    return pooling_parse(c->family->pool, &p, NULL) == 0 ? p.kind : POOL_CLS;
}

static void set_dropout(Config *c, const TrainSpec *t)
{
    float x = (float)t->dropout;
    if (t->dropout >= 0)
        c->drop =
            (Dropouts){x, x, x, x, c->drop.inner > 0 ? x : 0, c->drop.last > 0 ? x : 0, x, x, x};
}

static bool some_drop(const Config *c)
{
    const Dropouts *d = &c->drop;
    return d->embed > 0 || d->attend > 0 || d->out > 0 || d->feed > 0 || d->inner > 0 ||
           d->last > 0 || d->head > 0 || d->token > 0 || d->span > 0;
}

static int make_head(ModelSetup *m, const TrainSpec *t, const TrainData *d, Err *e)
{
    Objective o = d->train.objective;
    ModelSpec *s = &m->spec;
    if (m->task == HEAD_MASK || m->task == HEAD_LM) {
        s->words = words_learn_new(s->t, m->weights, m->task, e);
        return s->words ? 0 : -1;
    }
    m->outputs = has_classes(o) ? d->classes.n : o == LEARN_SPAN ? 2 : d->train.numbers;
    HeadSpec h = {.task = m->task,
                  .make = m->stack ? HEAD_MAKE_STACK : HEAD_MAKE_FAMILY,
                  .hidden = t->layers - 1,
                  .pool = m->pool,
                  .outputs = m->outputs,
                  .drop = t->dropout > 0 ? (float)t->dropout : 0,
                  .fresh = !m->goes_on,
                  .w = m->weights};
    for (int i = 1; i < t->layers; i++)
        h.width[i - 1] = t->size[i];
    s->head = head_learn_new(s->t, &h, e);
    return s->head ? 0 : -1;
}

/* Which ids are never masked, and which go on with a word; or what stands under the masks that the
 * rows have. */
static int read_words(ModelSetup *m, const Config *c, TrainData *d, Err *e)
{
    if (!(m->tokenizer = model_tokenizer(m->folder, e)))
        return -1;
    if (d->valid.token_target && examples_words(&d->valid, m->tokenizer, c->vocab, e) < 0)
        return -1;
    if (d->train.token_target)
        return examples_words(&d->train, m->tokenizer, c->vocab, e);
    m->spec.mask = tokenizer_special(m->tokenizer, TOK_MASK);
    if (m->spec.mask < 0)
        return err_set(e, "the tokenizer of %s has no mask token", m->name);
    m->special = mem_zero((size_t)c->vocab, 1);
    m->inside = mem_zero((size_t)c->vocab, 1);
    bool marked = tokenizer_has_prefix(m->tokenizer);
    for (int32_t id = 0; id < tokenizer_size(m->tokenizer) && id < c->vocab; id++) {
        Str s = tokenizer_text(m->tokenizer, id);
        m->special[id] = tokenizer_is_special(m->tokenizer, id);
        m->inside[id] = marked && s.n > 2 && memcmp(s.p, "##", 2) == 0;
    }
    m->spec.special = m->special;
    m->spec.inside = m->inside;
    return 0;
}

/* ---- what stays ---- */

static bool is_frozen(const void *ctx, const Param *p)
{
    const TrainSpec *t = ctx;
    switch (t->freeze) {
    case FREEZE_NONE: return false;
    case FREEZE_ENCODER: return p->part != PART_HEADS;
    case FREEZE_EMBEDDINGS: return p->part == PART_EMBEDDINGS;
    case FREEZE_LAYERS:
        return p->part == PART_EMBEDDINGS ||
               (p->part == PART_LAYERS && p->layer >= 0 && p->layer < t->freeze_layers);
    }
    return false;
}

bool model_setup_adapts(const ModelSetup *m, const Param *p)
{
    return p->adapter || p->fresh || (p->part == PART_HEADS && !m->spec.words);
}

char *model_setup_name(const ModelSetup *m, const Param *p, bool stack)
{
    const Family *f = transformer_settings(m->spec.t)->family;
    bool inner = p->part != PART_HEADS && f->prefix && !stack;
    return mem_fmt("%s%s", inner ? f->prefix : "", p->name);
}

static bool adapts_not(const void *ctx, const Param *p)
{
    return !model_setup_adapts(ctx, p);
}

static void add_adapters(ModelSetup *m, const TrainSpec *t)
{
    ModelSpec *s = &m->spec;
    s->lora = lora_plan(s->t, t->lora, t->lora_alpha, t->lora_all);
    s->frozen = adapts_not;
    s->frozen_ctx = m;
}

int model_setup(ModelSetup *m, const TrainSpec *t, TrainData *d, Device *dev, Err *e)
{
    Config c = {0};
    *m = (ModelSetup){0};
    m->spec.mask = -1;
    if (open_model(m, t, d, &c, e) < 0)
        goto fail;
    bool rows = d->train.objective <= LEARN_REGRESSION;
    m->pool = t->pool >= 0 ? (PoolKind)t->pool : default_pool(&c);
    m->stack = t->head == HEAD_WISH_STACK && rows;
    if (t->head == HEAD_WISH_STACK && !rows) {
        err_usage(e, "--head linear and mlp are for rows; %s has its family's head",
                  objective_names[d->train.objective]);
        goto fail;
    }
    if (choose_head(m, &c, d, e) < 0 || train_data_number(d, t, e) < 0)
        goto fail;
    set_dropout(&c, t);
    c.causal = c.causal || d->train.objective == LEARN_CLM; /* or a word would see the next one */
    m->spec.drops = some_drop(&c) || (m->stack && t->dropout > 0);
    if (d->train.objective == LEARN_MLM && read_words(m, &c, d, e) < 0)
        goto fail;
    if (d->valid.texts.of && !(m->spec.tokenizer = m->tokenizer = model_tokenizer(m->folder, e)))
        goto fail;
    m->spec.t = transformer_planned(&c, m->weights, dev, t->type);
    if (t->again)
        transformer_make_again(m->spec.t);
    m->spec.classes = &d->classes;
    m->spec.class_weight = d->class_weight;
    m->spec.smooth = t->fit.smooth;
    m->spec.mask_ratio = t->mask_ratio;
    m->spec.whole_word = t->whole_word;
    m->spec.seed = t->fit.seed;
    m->spec.frozen = is_frozen;
    m->spec.frozen_ctx = t;
    if (t->lora)
        add_adapters(m, t);
    return make_head(m, t, d, e);
fail:
    config_clear(&c);
    return -1;
}

void model_setup_clear(ModelSetup *m)
{
    tokenizer_free(m->tokenizer);
    free(m->special);
    free(m->inside);
    free(m->folder);
    free(m->name);
}
