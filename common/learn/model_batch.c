#include "learn/model_learner_in.h"

#include "base/mem.h"
#include "base/rand.h"

#include <stdlib.h>
#include <string.h>

void model_batch_free(ModelBatch *b)
{
    free(b->id);
    free(b->kind);
    free(b->starts);
    free(b->numbers);
    free(b->token);
    free(b->item_numbers);
    free(b->target);
    free(b->weight);
    free(b->number);
}

static void grow(ModelBatch *b, int64_t rows, int64_t tokens, int64_t numbers)
{
    if (tokens > b->token_room) {
        size_t n = (size_t)(b->token_room = tokens + tokens / 4);
        b->id = mem_resize(b->id, n, sizeof *b->id);
        b->kind = mem_resize(b->kind, n, sizeof *b->kind);
        b->numbers = mem_resize(b->numbers, n, sizeof *b->numbers);
        b->token = mem_resize(b->token, n, sizeof *b->token);
        b->item_numbers = mem_resize(b->item_numbers, n, sizeof *b->item_numbers);
        b->target = mem_resize(b->target, n, sizeof *b->target);
        b->weight = mem_resize(b->weight, n, sizeof *b->weight);
    }
    if (rows > b->row_room) {
        b->row_room = rows;
        b->starts = mem_resize(b->starts, (size_t)rows + 1, sizeof *b->starts);
    }
    if (rows * numbers >= b->number_room) {
        b->number_room = rows * numbers + 1;
        b->number = mem_resize(b->number, (size_t)b->number_room, sizeof *b->number);
    }
}

/* ---- masks ---- */

/* 15 % of what is no special token is chosen; of those 80 % become the mask, 10 % any id, 10 % stay
 * (Devlin et al. 2019, transformers' DataCollatorForLanguageModeling). With whole_word what goes on
 * with a chosen word is chosen with it. */
int64_t model_mask(const ModelLearner *m, const Examples *x, int64_t row, int64_t epoch,
                   int32_t *id, int32_t *target)
{
    const ModelSpec *s = &m->spec;
    int64_t n = x->starts[row + 1] - x->starts[row], chosen = 0;
    int64_t vocab = transformer_settings(s->t)->vocab;
    Rand r = rand_new(s->seed ^ ((uint64_t)(epoch + 1) << 40) ^ (uint64_t)row);
    bool with = false;
    memcpy(id, x->id + x->starts[row], (size_t)n * sizeof *id);
    for (int64_t i = 0; i < n; i++) {
        int32_t was = id[i];
        double pick = rand_unit(&r), how = rand_unit(&r), word = rand_unit(&r);
        bool special = s->special && s->special[was];
        bool goes_on = s->whole_word && !special && s->inside && s->inside[was];
        with = special ? false : goes_on ? with : pick < s->mask_ratio;
        target[i] = with ? was : -1;
        chosen += with;
        if (with && how < 0.8)
            id[i] = s->mask;
        else if (with && how < 0.9)
            id[i] = (int32_t)(word * (double)vocab);
    }
    return chosen;
}

/* ---- weights ---- */

static double row_weight(const Examples *x, int64_t row)
{
    return x->weight ? (double)x->weight[row] : 1;
}

/* How many of a row's tokens are learnt from, each by its class. */
static double token_weight(const ModelLearner *m, const Examples *x, int64_t row)
{
    double sum = 0;
    for (int64_t t = x->starts[row]; t < x->starts[row + 1]; t++)
        if (x->token_target[t] >= 0)
            sum += m->spec.class_weight ? (double)m->spec.class_weight[x->token_target[t]] : 1;
    return sum;
}

static double mask_weight(const ModelLearner *m, const Examples *x, int64_t row, int64_t epoch)
{
    int64_t n = x->starts[row + 1] - x->starts[row], chosen = 0;
    if (x->token_target) {
        for (int64_t t = x->starts[row]; t < x->starts[row + 1]; t++)
            chosen += x->token_target[t] >= 0;
        return (double)chosen;
    }
    int32_t *id = mem_array((size_t)n, sizeof *id), *target = mem_array((size_t)n, sizeof *target);
    chosen = model_mask(m, x, row, epoch, id, target);
    free(id);
    free(target);
    return (double)chosen;
}

double model_weight(const ModelLearner *m, const Examples *x, int64_t row, int64_t epoch)
{
    double w = row_weight(x, row);
    switch (x->objective) {
    case LEARN_CLASS:
        return m->spec.class_weight ? w * (double)m->spec.class_weight[x->target[row]] : w;
    case LEARN_TOKEN: return w * token_weight(m, x, row);
    case LEARN_MLM: return w * mask_weight(m, x, row, epoch);
    case LEARN_CLM: return w * (double)(x->starts[row + 1] - x->starts[row] - 1);
    case LEARN_MULTI:
    case LEARN_REGRESSION:
    case LEARN_SPAN:
    case OBJECTIVES: break;
    }
    return w;
}

/* ---- items ---- */

static void add_item(ModelBatch *b, int64_t token, int64_t number, int32_t target, double weight)
{
    int64_t i = b->items.n++;
    b->token[i] = token;
    b->item_numbers[i] = number;
    b->target[i] = target;
    b->weight[i] = (float)weight;
}

/* An item a row: the token that its head reads, or the mean of all. */
static int add_row(ModelLearner *m, const Examples *x, int64_t i, int64_t row, double total, Err *e)
{
    ModelBatch *b = &m->batch;
    int64_t from = b->starts[i], n = b->starts[i + 1] - from, at = 0;
    HeadFrom reads = head_learn_from(m->spec.head);
    if (reads == FROM_LAST || reads == FROM_EOS)
        at = head_learn_token(m->spec.head, b->id + from, n);
    if (at < 0)
        return err_set(e, "a row has no token that ends a text, which the head reads: does it end "
                          "otherwise in this model?");
    double w = total > 0 ? row_weight(x, row) / total : 0;
    add_item(b, from + at, b->numbers[from], x->target[row], w);
    if (x->number)
        memcpy(b->number + i * x->numbers, x->number + row * x->numbers,
               (size_t)x->numbers * sizeof *b->number);
    return 0;
}

static void add_tokens(ModelLearner *m, const Examples *x, int64_t i, int64_t row, double total)
{
    ModelBatch *b = &m->batch;
    double w = total > 0 ? row_weight(x, row) / total : 0;
    for (int64_t t = b->starts[i]; t < b->starts[i + 1]; t++) {
        int64_t from = x->starts[row] + t - b->starts[i];
        int32_t target = x->token_target ? x->token_target[from] : -1;
        add_item(b, t, b->numbers[t], target, w);
    }
}

/* Of masked words their own tokens; the next word is read at the one before it. */
static void add_words(ModelLearner *m, const Examples *x, int64_t i, int64_t row, int64_t epoch,
                      double total)
{
    ModelBatch *b = &m->batch;
    int64_t from = b->starts[i], n = b->starts[i + 1] - from;
    double w = total > 0 ? row_weight(x, row) / total : 0;
    if (x->objective == LEARN_CLM) {
        for (int64_t t = 0; t + 1 < n; t++)
            add_item(b, from + t, 0, b->id[from + t + 1], w);
        return;
    }
    int32_t *target = mem_array((size_t)n, sizeof *target);
    if (x->token_target)
        memcpy(target, x->token_target + x->starts[row], (size_t)n * sizeof *target);
    else /* rows to measure by have masks that stay the same */
        model_mask(m, x, row, epoch, b->id + from, target);
    for (int64_t t = 0; t < n; t++)
        if (target[t] >= 0)
            add_item(b, from + t, 0, target[t], w);
    free(target);
}

/* ---- the batch ---- */

static void copy_row(ModelBatch *b, const Examples *x, int64_t i, int64_t row)
{
    int64_t from = x->starts[row], n = x->starts[row + 1] - from, at = b->starts[i];
    memcpy(b->id + at, x->id + from, (size_t)n * sizeof *b->id);
    if (x->kind)
        memcpy(b->kind + at, x->kind + from, (size_t)n);
    for (int64_t t = 0; t < n; t++)
        b->numbers[at + t] = row << NUMBER_SHIFT | t;
    b->starts[i + 1] = at + n;
}

/* Are most of the last states read by nobody? */
static bool reads_few(const ModelLearner *m, const ModelBatch *b, int64_t tokens)
{
    return b->items.token && b->items.n && b->items.n <= tokens / 2 && transformer_picks(m->spec.t);
}

int model_batch(ModelLearner *m, const Examples *x, const int64_t *row, int64_t n, int64_t epoch,
                double total, Err *e)
{
    ModelBatch *b = &m->batch;
    int64_t tokens = 0;
    int status = 0;
    for (int64_t i = 0; i < n; i++)
        tokens += x->starts[row[i] + 1] - x->starts[row[i]];
    grow(b, n, tokens, x->numbers);
    b->starts[0] = 0;
    b->items = (HeadItems){.tokens = tokens};
    for (int64_t i = 0; i < n; i++) {
        copy_row(b, x, i, row[i]);
        if (is_words(x->objective))
            add_words(m, x, i, row[i], epoch, total);
        else if (x->objective == LEARN_TOKEN || x->objective == LEARN_SPAN)
            add_tokens(m, x, i, row[i], total);
        else if (status == 0)
            status = add_row(m, x, i, row[i], total, e);
    }
    b->in = (TransformerIn){.id = b->id,
                            .kind = x->kind ? b->kind : NULL,
                            .starts = b->starts,
                            .rows = n,
                            .tokens = tokens};
    bool whole = x->objective == LEARN_TOKEN || x->objective == LEARN_SPAN;
    b->items.token = whole ? NULL : b->token;
    b->items.numbers = b->item_numbers;
    if (m->spec.head && head_learn_means(m->spec.head))
        b->items.starts = b->starts;
    else if (reads_few(m, b, tokens)) {
        b->in.read = b->items.token;
        b->in.reads = b->items.n;
        b->items.token = NULL;
    }
    if (tokens > m->most_tokens)
        m->most_tokens = tokens;
    return status;
}
