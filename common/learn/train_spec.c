#include "learn/train_spec.h"

#include "base/mem.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH_MOST = 1 << 16, RANK_MOST = 1 << 12 };

const TrainSpec train_spec_default = {
    .layers = 1,
    .objective = -1,
    .pool = -1,
    .dropout = -1,
    .mask_ratio = 0.15,
    .keep = 2,
    .lora_alpha = 8,
    .fit = {.lr = -1, .accumulate = 1, .optim = {.clip = 1, .lr_decay = 1}},
};

/* Options that say how a whole model is trained. */
static int check_vectors(const TrainSpec *t, Err *e)
{
    const char *alien = t->model                      ? "-m"
                        : t->scratch                  ? "--scratch"
                        : t->freeze                   ? "--freeze"
                        : t->pool >= 0                ? "--pool"
                        : t->whole_word               ? "--whole-word"
                        : t->lora                     ? "--lora"
                        : t->again                    ? "--checkpoint-activations"
                        : t->fit.optim.lr_decay != 1  ? "--lr-decay"
                        : t->type != K_F32            ? "-t bf16"
                        : t->head == HEAD_WISH_FAMILY ? "--head family"
                                                      : NULL;
    return alien ? err_usage(e,
                             "%s is for whole models, but the stream has vectors: leave encode and "
                             "pool out, or the option",
                             alien)
                 : 0;
}

int train_spec_settle(TrainSpec *t, bool vectors, Err *e)
{
    FitSpec *f = &t->fit;
    if (vectors && check_vectors(t, e) < 0)
        return -1;
    if (!f->epochs)
        f->epochs = vectors ? 20 : 3;
    if (!f->batch)
        f->batch = vectors ? 32 : 8;
    if (f->lr < 0)
        f->lr = vectors ? 1e-3 : 5e-5;
    if (t->dropout < 0 && vectors)
        t->dropout = 0;
    if (t->head == HEAD_BY_LEARNER)
        t->head = vectors ? HEAD_WISH_STACK : HEAD_WISH_FAMILY;
    return 0;
}

/* "N[,N...]", changed on the way. */
static int read_widths(TrainSpec *t, char *text, Err *e)
{
    t->layers = 1;
    for (char *word; (word = strsep(&text, ",")); t->layers++) {
        Err why = {0};
        if (t->layers == HEAD_LAYERS)
            return err_usage(e, "--head: more than %d hidden layers", HEAD_LAYERS - 1);
        if (num_int(word, 1, WIDTH_MOST, &t->size[t->layers], &why) < 0)
            return err_usage(e, "--head: %s", why.text);
    }
    return 0;
}

int train_spec_head(TrainSpec *t, const char *text, Err *e)
{
    static const char mlp[] = "mlp:";
    t->layers = 1;
    t->head = strcmp(text, "family") == 0 ? HEAD_WISH_FAMILY : HEAD_WISH_STACK;
    if (t->head == HEAD_WISH_FAMILY || strcmp(text, "linear") == 0)
        return 0;
    if (strncmp(text, mlp, strlen(mlp)) != 0)
        return err_usage(e, "--head: '%s' is not family, linear or mlp:N[,N...]", text);
    char *copy = mem_str(text + strlen(mlp));
    int status = read_widths(t, copy, e);
    free(copy);
    return status;
}

int train_spec_warmup(TrainSpec *t, const char *text, Err *e)
{
    Err why = {0};
    int64_t steps;
    if (num_int(text, 0, STEPS_MOST, &steps, NULL) == 0)
        t->fit.warmup = (double)steps;
    else if (num_real(text, 0, 0.999999, &t->fit.warmup, &why) < 0)
        return err_usage(e, "--warmup: %s", why.text);
    return 0;
}

int train_spec_freeze(TrainSpec *t, const char *text, Err *e)
{
    Err why = {0};
    if (strcmp(text, "encoder") == 0 || strcmp(text, "embeddings") == 0) {
        t->freeze = *text == 'e' && text[1] == 'n' ? FREEZE_ENCODER : FREEZE_EMBEDDINGS;
        return 0;
    }
    t->freeze = FREEZE_LAYERS;
    if (num_int(text, 0, COUNT_MOST, &t->freeze_layers, &why) < 0)
        return err_usage(e, "--freeze: '%s' is not encoder, embeddings or a number of layers",
                         text);
    return 0;
}

int train_spec_lora(TrainSpec *t, const char *text, Err *e)
{
    Err why = {0};
    char *rank = mem_str(text), *alpha = strchr(rank, ':');
    if (alpha)
        *alpha++ = '\0';
    int bad = num_int(rank, 1, RANK_MOST, &t->lora, &why);
    if (!bad && alpha)
        bad = num_real(alpha, 0.000001, 1e6, &t->lora_alpha, &why);
    free(rank);
    return bad ? err_usage(e, "--lora: %s: it is RANK or RANK:ALPHA", why.text) : 0;
}

/* What has no meaning beside adapters, or without. */
static int check_lora(const TrainSpec *t, Err *e)
{
    if (!t->lora && (t->lora_all || t->lora_only))
        return err_usage(e, "%s is about adapters: --lora RANK",
                         t->lora_all ? "--lora-all" : "--lora-only");
    if (t->lora && t->scratch)
        return err_usage(e, "--lora adapts a model that has learnt, and --scratch begins one: one "
                            "of them");
    if (t->lora && t->freeze)
        return err_usage(e, "--lora leaves all but adapters and head as it is: leave --freeze out");
    if (t->lora_only && t->head == HEAD_WISH_STACK)
        return err_usage(e, "--lora-only: peft knows the heads of transformers alone, not --head "
                            "linear and mlp");
    return 0;
}

int train_spec_check(const TrainSpec *t, Err *e)
{
    const FitSpec *f = &t->fit;
    const char *evaluates = f->best         ? "--best"
                            : f->eval_first ? "--eval-first"
                            : f->eval_every ? "--eval-every"
                                            : NULL;
    if (!t->output)
        return err_usage(e, "into which folder? -o DIR");
    if (t->resume && t->force)
        return err_usage(e, "--resume goes on, --force begins anew: one of them");
    if (evaluates && !t->valid)
        return err_usage(e, "%s needs something to evaluate on: -v FILE", evaluates);
    if (f->patience && !f->best)
        return err_usage(e, "--patience needs to know what is better: --best loss|accuracy|f1");
    if (f->optim.momentum != 0 && f->optim.kind != STEP_SGD)
        return err_usage(e, "--momentum is of --optim sgd");
    if (t->teacher && t->objective > 0)
        return err_usage(e, "--teacher is about classes of rows: --objective class");
    if (t->teacher && t->skip)
        return err_usage(e, "--teacher gives every row its target: leave --skip-unlabelled out");
    return check_lora(t, e);
}
