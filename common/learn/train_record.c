#include "learn/train_record.h"

#include "base/hash.h"
#include "base/opt.h"

#include <stdlib.h>
#include <string.h>

/* The command line as a shell would take it again. */
static char *command(char **words)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:,=+@%";
    Buf b = {0};
    buf_add(&b, "train", 5);
    for (char **w = words + 1; *w; w++) {
        bool bare = **w && (*w)[strspn(*w, plain)] == '\0';
        buf_add(&b, " '", bare ? 1 : 2);
        for (const char *c = *w; *c; c++)
            buf_add(&b, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
        if (!bare)
            buf_add(&b, "'", 1);
    }
    buf_add(&b, "", 1);
    return b.p;
}

static json_t *head_json(const TrainSpec *t)
{
    json_t *hidden = json_array();
    if (t->head == HEAD_WISH_FAMILY) {
        json_decref(hidden);
        return json_string("family");
    }
    for (int i = 1; i < t->layers; i++)
        json_array_append_new(hidden, json_integer(t->size[i]));
    return hidden;
}

static json_t *freeze_json(const TrainSpec *t)
{
    switch (t->freeze) {
    case FREEZE_NONE: return NULL;
    case FREEZE_ENCODER: return json_string("encoder");
    case FREEZE_EMBEDDINGS: return json_string("embeddings");
    case FREEZE_LAYERS: return json_integer(t->freeze_layers);
    }
    return NULL;
}

static void set(json_t *o, const char *key, json_t *value)
{
    if (value)
        json_object_set_new(o, key, value);
}

static void set_loop(json_t *o, const FitSpec *s)
{
    set(o, s->max_steps ? "max_steps" : "epochs",
        json_integer(s->max_steps ? s->max_steps : s->epochs));
    set(o, "batch", json_integer(s->batch));
    set(o, "accumulate", json_integer(s->accumulate));
    set(o, "optim", json_string(optim_names[s->optim.kind]));
    set(o, "momentum", json_real(s->optim.momentum));
    set(o, "lr", json_real(s->lr));
    set(o, "lr_decay", json_real(s->optim.lr_decay));
    set(o, "schedule", json_string(schedule_names[s->schedule]));
    set(o, "warmup", json_real(s->warmup));
    set(o, "weight_decay", json_real(s->optim.decay));
    set(o, "decay_all", json_boolean(s->optim.decay_all));
    set(o, "clip", json_real(s->optim.clip));
    set(o, "label_smoothing", json_real(s->smooth));
    set(o, "best", s->best ? json_string(best_names[s->best - BEST_LOSS]) : NULL);
    set(o, "patience", s->patience ? json_integer(s->patience) : NULL);
    set(o, "eval_every", s->eval_every ? json_integer(s->eval_every) : NULL);
    set(o, "eval_first", s->eval_first ? json_true() : NULL);
}

/* As a file would have it: numbers with as many digits. */
static json_t *round_trip(json_t *o)
{
    char *text = json_dumps(o, JSON_REAL_PRECISION(RECORD_DIGITS));
    json_t *again = text ? json_loads(text, 0, NULL) : NULL;
    free(text);
    json_decref(o);
    return again;
}

/* Of the parameters as they are. */
static int numbers_digest(const Learner *l, char text[HASH_TEXT], Err *e)
{
    float *numbers = learner_numbers(l, e);
    Hash *h = numbers ? hash_new() : NULL;
    if (!h)
        return -1;
    hash_add(h, numbers, (size_t)l->params->numbers * sizeof *numbers);
    hash_end(h, text);
    free(numbers);
    return 0;
}

json_t *train_record(const TrainSpec *t, const TrainData *d, const Learner *l, Err *e)
{
    char start[HASH_TEXT];
    if (numbers_digest(l, start, e) < 0)
        return NULL;
    char *line = command(t->words);
    json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:s, s:s}", "weft", opt_version(), "command", line,
                          "seed", (json_int_t)t->fit.seed, "rows", (json_int_t)d->train.rows,
                          "data", d->train.digest, "start", start);
    free(line);
    set(o, "valid", d->valid.rows ? json_string(d->valid.digest) : NULL);
    set(o, "objective", json_string(objective_names[d->train.objective]));
    set(o, "head", head_json(t));
    set(o, "pool", t->pool >= 0 ? json_integer(t->pool) : NULL);
    set(o, "teacher", t->teacher ? json_true() : NULL);
    set(o, "freeze", freeze_json(t));
    if (t->lora) {
        set(o, "lora", json_integer(t->lora));
        set(o, "lora_alpha", json_real(t->lora_alpha));
        set(o, "lora_all", json_boolean(t->lora_all));
        set(o, "lora_only", json_boolean(t->lora_only));
    }
    set(o, "type", json_string(t->type == K_BF16 ? "bf16" : "f32"));
    set(o, "device", json_string(l->dev->name));
    set(o, "dropout", t->dropout >= 0 ? json_real(t->dropout) : NULL);
    if (d->train.objective == LEARN_MLM) {
        set(o, "mask_ratio", json_real(t->mask_ratio));
        set(o, "whole_word", json_boolean(t->whole_word));
    }
    set_loop(o, &t->fit);
    if (d->class_weight) {
        json_t *weights = json_array();
        for (int64_t c = 0; c < d->classes.n; c++)
            json_array_append_new(weights, json_real((double)d->class_weight[c]));
        set(o, "class_weight", weights);
    }
    if (!(o = round_trip(o)))
        err_set(e, "a name in the command line is not UTF-8");
    return o;
}

/* What a key is called to people. */
static char *called(const char *key)
{
    static const char *const names[][2] = {{"data", "the rows"},
                                           {"valid", "the rows of --valid"},
                                           {"start", "the weights to begin with"},
                                           {"seed", "-s"},
                                           {"type", "-t"},
                                           {"device", "-D"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], key) == 0)
            return mem_str(names[i][1]);
    char *name = mem_fmt("--%s", key);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    return name;
}

static bool may_differ(const char *key)
{
    static const char *const keys[] = {"command", "weft", "rows", "steps", "kept_step"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* Keys of a whose value b does not have. */
static void compare(const json_t *a, const json_t *b, bool missing, Buf *names)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)a, key, value) {
        const json_t *other = json_object_get(b, key);
        if (may_differ(key) || (missing ? other != NULL : json_equal(value, other)))
            continue;
        char *name = called(key);
        buf_add(names, names->n ? ", " : "", names->n ? 2 : 0);
        buf_add(names, name, strlen(name));
        free(name);
    }
}

int train_record_agrees(const json_t *was, const json_t *is, Err *e)
{
    Buf names = {0};
    compare(was, is, false, &names);
    compare(is, was, true, &names);
    if (!names.n)
        return 0;
    int status =
        err_set(e, "it was made with other %.*s: --force begins anew", (int)names.n, names.p);
    free(names.p);
    return status;
}
