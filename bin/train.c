/* train - labelled vectors to the folder of a head. */
#include "base/msg.h"
#include "base/num.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "learn/balance.h"
#include "learn/fit.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct Train {
    FitSpec fit;
    const char *output, *valid, *log, *class_weight;
    int layers;
    int64_t size[HEAD_LAYERS + 1]; /* the ends are known once the rows are read */
    double dropout;
    bool force, init_only, skip;
} Train;

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

enum { MOST = 1 << 24 };
#define MOST_STEPS (INT64_C(1) << 50)

static const char *const optims[] = {"adamw", "adam", "sgd", NULL};
static const char *const schedules[] = {"linear", "constant", "cosine", "polynomial", NULL};
static const char *const bests[] = {"loss", "accuracy", "f1", NULL};

static const Opt options[] = {
    {'o', "output", "DIR", "the folder to make", OPT_TEXT(Train, output)},
    {'v', "valid", "FILE", "a stream to evaluate on", OPT_TEXT(Train, valid)},
    {'e', "epochs", "N", "times that each row is seen (3)", OPT_INT(Train, fit.epochs, 1, MOST)},
    {0, "max-steps", "N", "so many steps instead, however many epochs that takes",
     OPT_INT(Train, fit.max_steps, 1, MOST_STEPS)},
    {'b', "batch", "N", "rows that pass at a time (8)", OPT_INT(Train, fit.batch, 1, MOST)},
    {0, "accumulate", "N", "batches a step (1)", OPT_INT(Train, fit.accumulate, 1, MOST)},
    {KEY_HEAD, "head", "linear|mlp:N[,N...]", "one layer, or hidden layers of N and ReLU", OPT_KEY},
    {0, "optim", "adamw|adam|sgd", "the optimizer (adamw)",
     OPT_WORD(Train, fit.optim.kind, STEP_ADAMW, optims)},
    {0, "momentum", "X", "of sgd (0)", OPT_REAL(Train, fit.optim.momentum, 0, 1)},
    {0, "lr", "X", "learning rate (5e-5)", OPT_REAL(Train, fit.lr, 0, 1e6)},
    {0, "schedule", "linear|constant|cosine|polynomial", "how it falls (linear)",
     OPT_WORD(Train, fit.schedule, LR_LINEAR, schedules)},
    {KEY_WARMUP, "warmup", "N", "steps in which it rises, or a ratio (0)", OPT_KEY},
    {0, "weight-decay", "X", "weight decay, biases exempt (0)",
     OPT_REAL(Train, fit.optim.decay, 0, 1e6)},
    {0, "decay-all", NULL, "biases are not exempt", OPT_FLAG(Train, fit.optim.decay_all)},
    {0, "clip", "X", "largest norm of the gradient, 0 any (1)",
     OPT_REAL(Train, fit.optim.clip, 0, 1e9)},
    {0, "dropout", "X", "of what goes into each layer (0)", OPT_REAL(Train, dropout, 0, 0.99)},
    {0, "class-weight", "balanced|X,Y,...", "weight of each class in the loss",
     OPT_TEXT(Train, class_weight)},
    {0, "label-smoothing", "X", "share of the label spread over all classes (0)",
     OPT_REAL(Train, fit.smooth, 0, 1)},
    {0, "log", "FILE", "losses and metrics as TSV", OPT_TEXT(Train, log)},
    {0, "log-every", "N", "a line each N steps too", OPT_INT(Train, fit.log_every, 1, INT64_MAX)},
    {0, "best", "loss|accuracy|f1", "keep the best evaluation, not the last step",
     OPT_WORD(Train, fit.best, BEST_LOSS, bests)},
    {0, "patience", "N", "stop after N evaluations without a better one",
     OPT_INT(Train, fit.patience, 1, INT64_MAX)},
    {0, "eval-first", NULL, "evaluate before the first step", OPT_FLAG(Train, fit.eval_first)},
    {0, "eval-every", "N", "evaluate each N steps instead of each epoch",
     OPT_INT(Train, fit.eval_every, 1, INT64_MAX)},
    {0, "force", NULL, "replace the folder if it is there", OPT_FLAG(Train, force)},
    {0, "init-only", NULL, "write the untrained head", OPT_FLAG(Train, init_only)},
    {0, "skip-unlabelled", NULL, "leave rows without a label out", OPT_FLAG(Train, skip)},
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

static void read_head(Train *t, const char *text)
{
    Err e = {0};
    if (strcmp(text, "linear") == 0) {
        t->layers = 1;
        return;
    }
    if (strcmp(text, "family") == 0)
        later("--head family");
    if (strncmp(text, "mlp:", 4) != 0)
        die_usage("--head: '%s' is not linear or mlp:N[,N...]", text);
    char *copy = mem_str(text + 4), *rest = copy;
    t->layers = 1;
    for (char *word; (word = strsep(&rest, ",")); t->layers++) {
        if (t->layers == HEAD_LAYERS)
            die_usage("--head: more than %d hidden layers", HEAD_LAYERS - 1);
        if (num_int(word, 1, 1 << 16, &t->size[t->layers], &e) < 0)
            die_usage("--head: %s", e.text);
    }
    free(copy);
}

/* A whole number of steps, or a ratio of all steps. */
static double read_warmup(const Args *a)
{
    int64_t steps;
    if (num_int(a->value, 0, INT64_C(1) << 50, &steps, NULL) == 0)
        return (double)steps;
    return args_real(a, 0, 0.999999);
}

static void read_option(Train *t, int key, const Args *a)
{
    static const char *const objectives[] = {"class", "token", "mlm", "clm", NULL};
    switch (key) {
    case KEY_HEAD: read_head(t, a->value); break;
    case KEY_WARMUP: t->fit.warmup = read_warmup(a); break;
    case KEY_OBJECTIVE:
        if (args_word(a, objectives) != 0)
            later("--objective other than class");
        break;
    case KEY_POOL: later("--pool");
    case KEY_FREEZE: later("--freeze");
    case KEY_SCRATCH: later("--scratch");
    case KEY_CHECKPOINT: later("--checkpoint");
    case KEY_RESUME: later("--resume");
    }
}

static void read_options(Train *t, Args *a)
{
    FitSpec *f = &t->fit;
    for (int k; (k = args_next(a)) != -1;)
        read_option(t, k, a);
    if (!t->output)
        die_usage("into which folder? -o DIR");
    if (a->common.model)
        later("-m");
    if (a->common.bf16 || a->common.f16)
        die_usage("-t %s: heads on vectors are trained in f32", a->common.f16 ? "f16" : "bf16");
    if (!t->valid && (f->best || f->eval_first || f->eval_every))
        die_usage("%s needs something to evaluate on: -v FILE", f->best         ? "--best"
                                                                : f->eval_first ? "--eval-first"
                                                                                : "--eval-every");
    if (f->patience && !f->best)
        die_usage("--patience needs to know what is better: --best loss|accuracy|f1");
    if (f->optim.momentum != 0 && f->optim.kind != STEP_SGD)
        die_usage("--momentum is of --optim sgd");
    f->seed = a->common.seed;
    f->progress = a->common.progress;
}

typedef struct Data {
    Vectors train, valid;
    Classes classes;
    float *class_weight;
} Data;

static void read_rows(Vectors *v, char **files, int nfiles, bool skip)
{
    Err e = {0};
    if (vectors_read(v, files, nfiles, skip, &e) < 0) {
        if (v->tokens)
            die_usage("training of whole models comes with a later version; pool the hidden "
                      "states first: encode | pool");
        die(&e);
    }
    if (v->skipped)
        msg_note("%s: %" PRId64 " row%s without a label left out", v->place, v->skipped,
                 v->skipped == 1 ? "" : "s");
}

static Data read_data(const Train *t, const Args *a)
{
    Data d = {0};
    Err e = {0};
    read_rows(&d.train, a->files, a->nfiles, t->skip);
    if (vectors_classes(&d.train, &d.classes, &e) < 0 ||
        vectors_number(&d.train, &d.classes, &e) < 0)
        die(&e);
    if (t->valid) {
        read_rows(&d.valid, (char *[]){(char *)t->valid}, 1, t->skip);
        if (vectors_agree(&d.train, &d.valid, &e) < 0 ||
            vectors_number(&d.valid, &d.classes, &e) < 0)
            die(&e);
    }
    if (t->class_weight &&
        !(d.class_weight = class_weights(t->class_weight, &d.train, &d.classes, &e)))
        die_usage("--class-weight: %s", e.text);
    return d;
}

static void free_data(Data *d)
{
    vectors_free(&d->train);
    vectors_free(&d->valid);
    classes_clear(&d->classes);
    free(d->class_weight);
}

static void announce(const Data *d, const Net *n, Fit *f, bool init_only)
{
    int64_t *count = class_counts(&d->train, d->classes.n), top = 0;
    char *names = classes_list(&d->classes);
    for (int64_t c = 1; c < d->classes.n; c++)
        if (count[c] > count[top])
            top = c;
    msg_note("classes %s: %s", d->train.labels ? "in tok's order" : "by name", names);
    double seconds = init_only ? 0 : fit_seconds(f);
    msg_note("%" PRId64 " parameters of %" PRId64 " are trained, on %" PRId64 " rows in %" PRId64
             " steps; majority class %s %.1f %%; about %.*f s",
             n->params, n->params, d->train.rows, init_only ? 0 : fit_steps(f),
             d->classes.name[top], 100.0 * (double)count[top] / (double)d->train.rows,
             seconds < 9.95, seconds);
    free(count);
    free(names);
}

/* What config.json tells of the training; to be freed. */
static char *training_json(const Train *t, const Data *d, const Fit *f)
{
    const FitSpec *s = &t->fit;
    json_t *weights = d->class_weight ? json_array() : NULL;
    for (int64_t c = 0; weights && c < d->classes.n; c++)
        json_array_append_new(weights, json_real((double)d->class_weight[c]));
    json_t *o = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f, s:s, s:I, s:f, s:b, s:f, s:f, s:o*, "
        "s:s*}",
        "seed", (json_int_t)s->seed, "rows", (json_int_t)d->train.rows, "steps",
        (json_int_t)fit_steps(f), "kept_step", (json_int_t)fit_kept(f), "batch",
        (json_int_t)s->batch, "accumulate", (json_int_t)s->accumulate, "optim",
        optims[s->optim.kind], "momentum", s->optim.momentum, "lr", s->lr, "schedule",
        schedules[s->schedule], "warmup", (json_int_t)fit_warmup(f), "weight_decay", s->optim.decay,
        "decay_all", s->optim.decay_all, "clip", s->optim.clip, "label_smoothing", s->smooth,
        "class_weight", weights, "best", s->best ? bests[s->best - BEST_LOSS] : NULL);
    if (!s->max_steps)
        json_object_set_new(o, "epochs", json_integer((json_int_t)s->epochs));
    char *text = json_dumps(o, JSON_REAL_PRECISION(9));
    json_decref(o);
    return text;
}

static void save(const Train *t, const Data *d, const Net *n, const char *training)
{
    const Vectors *v = &d->train;
    HeadFile h = {.model = v->model,
                  .encoder = v->encoder,
                  .vocab = v->vocab,
                  .pool = v->pool,
                  .layer = -1,
                  .layers = n->layers,
                  .dropout = t->dropout,
                  .label = d->classes.name},
             before = {0};
    Err e = {0};
    float *param = mem_array((size_t)n->params, sizeof *param);
    char why[512];
    n->dev->get(n->dev, param, n->param, (size_t)n->params * sizeof *param);
    if (n->dev->wait(n->dev, why, sizeof why) < 0)
        dief("%s", why);
    num_int(v->layer, 0, INT32_MAX, &h.layer, NULL);
    memcpy(h.size, n->size, sizeof h.size);
    for (int l = 0; l < n->layers; l++) {
        h.weight[l] = param + (n->weight[l] - n->param);
        h.bias[l] = param + (n->bias[l] - n->param);
    }
    /* A folder that train made stands for its encoder. */
    if (v->model[0] == '/' && headfile_is(v->model)) {
        if (headfile_load(v->model, &before, &e) < 0)
            die(&e);
        h.model = before.model;
    }
    if (headfile_save(t->output, &h, training, t->force, &e) < 0)
        die(&e);
    headfile_free(&before);
    free(param);
}

static void learn(const Train *t, Fit *f)
{
    Err e = {0};
    Log *log = NULL;
    if (t->log && !(log = log_open(t->log, &e)))
        die(&e);
    if (fit_run(f, log, &e) < 0 || log_close(log, &e) < 0)
        die(&e);
}

int main(int argc, char **argv)
{
    Err e = {0};
    char why[512];
    Train t = {.layers = 1,
               .fit = {.epochs = 3, .batch = 8, .accumulate = 1, .lr = 5e-5, .optim.clip = 1}};
    Args a = args_begin(PROGRAM(train), options, &t, argc, argv);
    read_options(&t, &a);
    if (headfile_place(t.output, t.force, &e) < 0)
        die(&e);
    Data d = read_data(&t, &a);
    /* A head's thousand small steps take longer to send to a GPU than to do. */
    const char *device = a.common.device ? a.common.device : "cpu";
    Device *dev = device_open(device, a.common.threads, why, sizeof why);
    if (!dev)
        dief("%s", why);
    t.size[0] = d.train.width;
    t.size[t.layers] = d.classes.n;
    int64_t batch = t.fit.batch < d.train.rows ? t.fit.batch : d.train.rows;
    Net *net = net_new(dev, t.size, t.layers, batch, t.dropout, &e);
    if (!net)
        die(&e);
    net_init(net, t.fit.seed);
    Fit *fit = fit_new(net, &d.train, t.valid ? &d.valid : NULL, d.class_weight, &t.fit, &e);
    if (!fit)
        die(&e);
    announce(&d, net, fit, t.init_only);
    if (!t.init_only)
        learn(&t, fit);
    char *training = training_json(&t, &d, fit);
    save(&t, &d, net, training);
    free(training);
    fit_free(fit);
    net_free(net);
    dev->close(dev);
    free_data(&d);
    return 0;
}
