/* train - a labelled stream to a model folder: labelled vectors to that of a head. */
#include "base/msg.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "filter/filter_device.h"
#include "learn/train_head.h"

#include <string.h>

enum {
    KEY_HEAD = OPT_LONG,
    KEY_WARMUP,
    KEY_OBJECTIVE,
    KEY_POOL,
    KEY_FREEZE,
    KEY_SCRATCH,
    KEY_CHECKPOINT,
    KEY_RESUME
};

static const Opt options[] = {
    {'o', "output", "DIR", "the folder to make", OPT_TEXT(TrainSpec, output)},
    {'v', "valid", "FILE", "a stream to evaluate on", OPT_TEXT(TrainSpec, valid)},
    {'e', "epochs", "N", "times that each row is seen (3)",
     OPT_INT(TrainSpec, fit.epochs, 1, COUNT_MOST)},
    {0, "max-steps", "N", "so many steps instead, however many epochs that takes",
     OPT_INT(TrainSpec, fit.max_steps, 1, STEPS_MOST)},
    {'b', "batch", "N", "rows that pass at a time (8)",
     OPT_INT(TrainSpec, fit.batch, 1, COUNT_MOST)},
    {0, "accumulate", "N", "batches a step (1)", OPT_INT(TrainSpec, fit.accumulate, 1, COUNT_MOST)},
    {KEY_HEAD, "head", "linear|mlp:N[,N...]", "one layer, or hidden layers of N and ReLU", OPT_KEY},
    {0, "optim", "adamw|adam|sgd", "the optimizer (adamw)",
     OPT_WORD(TrainSpec, fit.optim.kind, STEP_ADAMW, optim_names)},
    {0, "momentum", "X", "of sgd (0)", OPT_REAL(TrainSpec, fit.optim.momentum, 0, 1)},
    {0, "lr", "X", "learning rate (5e-5)", OPT_REAL(TrainSpec, fit.lr, 0, 1e6)},
    {0, "schedule", "linear|constant|cosine|polynomial", "how it falls (linear)",
     OPT_WORD(TrainSpec, fit.schedule, LR_LINEAR, schedule_names)},
    {KEY_WARMUP, "warmup", "N", "steps in which it rises, or a ratio (0)", OPT_KEY},
    {0, "weight-decay", "X", "weight decay, biases exempt (0)",
     OPT_REAL(TrainSpec, fit.optim.decay, 0, 1e6)},
    {0, "decay-all", NULL, "biases are not exempt", OPT_FLAG(TrainSpec, fit.optim.decay_all)},
    {0, "clip", "X", "largest norm of the gradient, 0 any (1)",
     OPT_REAL(TrainSpec, fit.optim.clip, 0, 1e9)},
    {0, "dropout", "X", "of what goes into each layer (0)", OPT_REAL(TrainSpec, dropout, 0, 0.99)},
    {0, "class-weight", "balanced|X,Y,...", "weight of each class in the loss",
     OPT_TEXT(TrainSpec, class_weight)},
    {0, "label-smoothing", "X", "share of the label spread over all classes (0)",
     OPT_REAL(TrainSpec, fit.smooth, 0, 1)},
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
    {0, "force", NULL, "replace the folder if it is there", OPT_FLAG(TrainSpec, force)},
    {0, "init-only", NULL, "write the untrained head", OPT_FLAG(TrainSpec, init_only)},
    {0, "skip-unlabelled", NULL, "leave rows without a label out", OPT_FLAG(TrainSpec, skip)},
    {KEY_OBJECTIVE, "objective", "class", "what is learnt (others with a later version)", OPT_KEY},
    {KEY_POOL, "pool", "HOW", "whole models (with a later version)", OPT_KEY},
    {KEY_FREEZE, "freeze", "WHAT", "whole models (with a later version)", OPT_KEY},
    {KEY_SCRATCH, "scratch", "CONFIG", "whole models (with a later version)", OPT_KEY},
    {KEY_CHECKPOINT, "checkpoint", "N", "whole models (with a later version)", OPT_KEY},
    {KEY_RESUME, "resume", NULL, "whole models (with a later version)", OPT_KEY},
    {0},
};

static noreturn void later(const char *option)
{
    die_usage("%s is for whole models, which train learns in a later version; it trains heads "
              "on vectors now: encode | pool | train",
              option);
}

static int read_option(TrainSpec *t, int key, const Args *a, Err *e)
{
    static const char *const objectives[] = {"class", "token", "mlm", "clm", NULL};
    switch (key) {
    case KEY_HEAD:
        if (strcmp(a->value, "family") == 0)
            later("--head family");
        return train_spec_head(t, a->value, e);
    case KEY_WARMUP: return train_spec_warmup(t, a->value, e);
    case KEY_OBJECTIVE:
        if (args_word(a, objectives) != 0)
            later("--objective other than class");
        return 0;
    case KEY_POOL: later("--pool");
    case KEY_FREEZE: later("--freeze");
    case KEY_SCRATCH: later("--scratch");
    case KEY_CHECKPOINT: later("--checkpoint");
    default: later("--resume");
    }
}

static Args read_options(TrainSpec *t, int argc, char **argv)
{
    Err e = {0};
    Args a = args_begin(PROGRAM(train), options, t, argc, argv);
    for (int k; (k = args_next(&a)) != -1;)
        if (read_option(t, k, &a, &e) < 0)
            die(&e);
    if (a.common.model)
        later("-m");
    if (a.common.bf16 || a.common.f16)
        die_usage("-t %s: heads on vectors are trained in f32", a.common.f16 ? "f16" : "bf16");
    t->fit.seed = a.common.seed;
    t->fit.progress = a.common.progress;
    if (train_spec_check(t, &e) < 0)
        die(&e);
    return a;
}

int main(int argc, char **argv)
{
    Err e = {0};
    TrainSpec t = train_spec_default;
    TrainData d;
    Args a = read_options(&t, argc, argv);
    if (headfile_place(t.output, t.force, &e) < 0 ||
        train_data_read(&d, &t, a.files, a.nfiles, &e) < 0)
        die(&e);
    /* A head's thousand small steps take longer to send to a GPU than to do. */
    Device *dev = filter_device(&a.common, false, &e);
    if (!dev || train_head(&t, &d, dev, &e) < 0)
        die(&e);
    dev->close(dev);
    train_data_free(&d);
    return 0;
}
