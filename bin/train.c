/* train - a labelled stream to a model folder: ids to a whole model, vectors to a head. */
#include "base/msg.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "filter/filter_device.h"
#include "learn/train_head.h"
#include "learn/train_model.h"
#include "learn/train_output.h"

enum { KEY_HEAD = OPT_LONG, KEY_WARMUP, KEY_POOL, KEY_FREEZE, KEY_LORA };

static const Opt options[] = {
    {'o', "output", "DIR", "the folder to make", OPT_TEXT(TrainSpec, output)},
    {'v', "valid", "FILE", "a stream to evaluate on", OPT_TEXT(TrainSpec, valid)},
    {0, "objective", "class|multi|regression|token|span|mlm|clm",
     "what is learnt (default: as the labels and the model tell)",
     OPT_WORD(TrainSpec, objective, LEARN_CLASS, objective_names)},
    {'e', "epochs", "N", "times that each row is seen (3; of heads on vectors 20)",
     OPT_INT(TrainSpec, fit.epochs, 1, COUNT_MOST)},
    {0, "max-steps", "N", "so many steps instead, however many epochs that takes",
     OPT_INT(TrainSpec, fit.max_steps, 1, STEPS_MOST)},
    {'b', "batch", "N", "rows that pass at a time (8; of heads on vectors 32)",
     OPT_INT(TrainSpec, fit.batch, 1, COUNT_MOST)},
    {0, "accumulate", "N", "batches a step (1)", OPT_INT(TrainSpec, fit.accumulate, 1, COUNT_MOST)},
    {KEY_HEAD, "head", "family|linear|mlp:N[,N...]",
     "the family's head, one layer, or hidden layers of N and ReLU", OPT_KEY},
    {KEY_POOL, "pool", "pooler|cls|mean", "what linear and mlp read (the family's)", OPT_KEY},
    {KEY_FREEZE, "freeze", "encoder|embeddings|N",
     "what stays: all but the head, or so many layers", OPT_KEY},
    {0, "scratch", "CONFIG", "a new model of this config.json, -m gives its tokenizer",
     OPT_TEXT(TrainSpec, scratch)},
    {0, "optim", "adamw|adam|sgd", "the optimizer (adamw)",
     OPT_WORD(TrainSpec, fit.optim.kind, STEP_ADAMW, optim_names)},
    {0, "momentum", "X", "of sgd (0)", OPT_REAL(TrainSpec, fit.optim.momentum, 0, 1)},
    {0, "lr", "X", "learning rate (5e-5; of heads on vectors 1e-3)",
     OPT_REAL(TrainSpec, fit.lr, 0, 1e6)},
    {0, "lr-decay", "X", "the rate of each layer by that of the one above (1)",
     OPT_REAL(TrainSpec, fit.optim.lr_decay, 0, 1)},
    {0, "schedule", "linear|constant|cosine|polynomial", "how it falls (linear)",
     OPT_WORD(TrainSpec, fit.schedule, LR_LINEAR, schedule_names)},
    {KEY_WARMUP, "warmup", "N", "steps in which it rises, or a ratio (0)", OPT_KEY},
    {0, "weight-decay", "X", "weight decay, biases and norms exempt (0)",
     OPT_REAL(TrainSpec, fit.optim.decay, 0, 1e6)},
    {0, "decay-all", NULL, "biases and norms are not exempt",
     OPT_FLAG(TrainSpec, fit.optim.decay_all)},
    {0, "clip", "X", "largest norm of the gradient, 0 any (1)",
     OPT_REAL(TrainSpec, fit.optim.clip, 0, 1e9)},
    {0, "dropout", "X", "every rate of it (the model's own; of heads on vectors 0)",
     OPT_REAL(TrainSpec, dropout, 0, 0.99)},
    {0, "class-weight", "balanced|X,Y,...", "weight of each class in the loss",
     OPT_TEXT(TrainSpec, class_weight)},
    {0, "label-smoothing", "X", "share of the label spread over all classes (0)",
     OPT_REAL(TrainSpec, fit.smooth, 0, 1)},
    {0, "mask-ratio", "X", "share of tokens that --objective mlm hides (0.15)",
     OPT_REAL(TrainSpec, mask_ratio, 0.000001, 1)},
    {0, "whole-word", NULL, "mlm hides whole words", OPT_FLAG(TrainSpec, whole_word)},
    {0, "log", "FILE", "losses and metrics as TSV", OPT_TEXT(TrainSpec, log)},
    {0, "log-every", "N", "a line each N steps too",
     OPT_INT(TrainSpec, fit.log_every, 1, INT64_MAX)},
    {0, "best", "loss|accuracy|f1", "keep the best evaluation, not the last step",
     OPT_WORD(TrainSpec, fit.best, BEST_LOSS, best_names)},
    {0, "patience", "N", "stop after N evaluations without a better one",
     OPT_INT(TrainSpec, fit.patience, 1, INT64_MAX)},
    {0, "eval-first", NULL, "evaluate before the first step", OPT_FLAG(TrainSpec, fit.eval_first)},
    {0, "eval-every", "N", "evaluate each N steps instead of each epoch",
     OPT_INT(TrainSpec, fit.eval_every, 1, INT64_MAX)},
    {0, "checkpoint", "N", "write DIR/checkpoint-STEP each N steps",
     OPT_INT(TrainSpec, fit.checkpoint, 1, INT64_MAX)},
    {0, "keep", "N", "the newest N of them stay (2)", OPT_INT(TrainSpec, keep, 1, INT64_MAX)},
    {0, "resume", NULL, "go on from the newest", OPT_FLAG(TrainSpec, resume)},
    {0, "force", NULL, "replace the folder if it is there", OPT_FLAG(TrainSpec, force)},
    {0, "init-only", NULL, "write what would be trained, untrained",
     OPT_FLAG(TrainSpec, init_only)},
    {0, "skip-unlabelled", NULL, "leave rows without a label out", OPT_FLAG(TrainSpec, skip)},
    {0, "checkpoint-activations", NULL, "less memory, more time: layers are made again",
     OPT_FLAG(TrainSpec, again)},
    {KEY_LORA, "lora", "R[:ALPHA]", "adapters of rank R learn, and the head (ALPHA 8)", OPT_KEY},
    {0, "lora-all", NULL, "of all matrices of the layers, not of queries and values alone",
     OPT_FLAG(TrainSpec, lora_all)},
    {0, "lora-only", NULL, "write these alone, as peft does", OPT_FLAG(TrainSpec, lora_only)},
    {0, "teacher", "FILE", "soft targets: score -k 0 --json of the same rows",
     OPT_TEXT(TrainSpec, teacher)},
    {0},
};

static int read_pool(TrainSpec *t, const char *text, Err *e)
{
    Pooling p = {.kind = POOL_NONE};
    if (pooling_parse(text, &p, NULL) < 0 || p.normalize || p.modules || p.joins ||
        (p.kind != POOL_POOLER && p.kind != POOL_CLS && p.kind != POOL_MEAN))
        return err_usage(e, "--pool: '%s' is not pooler, cls or mean", text);
    t->pool = (int)p.kind;
    return 0;
}

static int read_option(TrainSpec *t, int key, const Args *a, Err *e)
{
    switch (key) {
    case KEY_HEAD: return train_spec_head(t, a->value, e);
    case KEY_WARMUP: return train_spec_warmup(t, a->value, e);
    case KEY_POOL: return read_pool(t, a->value, e);
    case KEY_FREEZE: return train_spec_freeze(t, a->value, e);
    case KEY_LORA: return train_spec_lora(t, a->value, e);
    }
    return 0;
}

static Args read_options(TrainSpec *t, int argc, char **argv)
{
    Err e = {0};
    Args a = args_begin(PROGRAM(train), options, t, argc, argv);
    for (int k; (k = args_next(&a)) != -1;)
        if (read_option(t, k, &a, &e) < 0)
            die(&e);
    if (a.common.f16)
        die_usage("-t f16: gradients leave its range; -t bf16 is made for them");
    t->type = a.common.bf16 ? K_BF16 : K_F32;
    t->model = a.common.model;
    t->words = argv;
    t->fit.seed = a.common.seed;
    t->fit.progress = a.common.progress;
    if (train_spec_check(t, &e) < 0)
        die(&e);
    return a;
}

static int train(TrainSpec *t, TrainData *d, const Common *c, Err *e)
{
    bool vectors = d->train.width != 0;
    if (train_spec_settle(t, vectors, e) < 0)
        return -1;
    /* A head's thousand small steps take longer to send to a GPU than to do. */
    Device *dev = filter_device(c, !vectors, e);
    if (!dev)
        return -1;
    int status = vectors ? train_head(t, d, dev, e) : train_model(t, d, dev, e);
    dev->close(dev);
    return status;
}

int main(int argc, char **argv)
{
    Err e = {0};
    TrainSpec t = train_spec_default;
    TrainData d;
    Args a = read_options(&t, argc, argv);
    if (train_output_check(&t, &e) < 0 || train_data_read(&d, &t, a.files, a.nfiles, &e) < 0 ||
        train(&t, &d, &a.common, &e) < 0)
        die(&e);
    train_data_free(&d);
    return 0;
}
