#include "learn/model_save.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "learn/model_adapter.h"
#include "store/jsonfile.h"
#include "store/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- config.json ---- */

/* What transformers calls the class of a family for an objective. */
static char *architecture(const Config *c, const ModelSetup *m)
{
    static const char *const ends[HEAD_TASKS] = {
        [HEAD_CLASS] = "ForSequenceClassification", [HEAD_MASK] = "ForMaskedLM",
        [HEAD_NEXT] = "ForNextSentencePrediction",  [HEAD_TOKEN] = "ForTokenClassification",
        [HEAD_SPAN] = "ForQuestionAnswering",       [HEAD_LM] = "LMHeadModel"};
    const char *name = c->family->class, *end = m->stack ? "Model" : ends[m->task];
    if (m->task == HEAD_LM && strcmp(name, "GPT2") != 0 && strcmp(name, "Bert") != 0)
        end = "ForCausalLM";
    return mem_fmt("%s%s", name, end);
}

static void set_labels(json_t *config, const ModelSetup *m, const TrainData *d)
{
    json_t *names = json_object(), *ids = json_object();
    for (int64_t i = 0; i < m->outputs; i++) {
        char *key = mem_fmt("%lld", (long long)i), *other = mem_fmt("LABEL_%lld", (long long)i);
        const char *name = d->classes.n ? d->classes.name[i] : other;
        json_object_set_new(names, key, json_string(name));
        json_object_set_new(ids, name, json_integer(i));
        free(key);
        free(other);
    }
    json_object_set_new(config, "id2label", names);
    json_object_set_new(config, "label2id", ids);
    json_object_del(config, "num_labels");
}

/* Of a head of ours: what headfile.h reads. */
static json_t *stack_json(const ModelSetup *m, const TrainSpec *t)
{
    json_t *sizes = json_array();
    for (int i = 1; i < t->layers; i++)
        json_array_append_new(sizes, json_integer(t->size[i]));
    Pooling p = {.kind = m->pool};
    return json_pack("{s:s, s:o, s:s, s:f}", "pool", pooling_name(&p), "sizes", sizes, "activation",
                     "relu", "dropout", t->dropout > 0 ? t->dropout : 0.0);
}

static void set_objective(json_t *config, const ModelSetup *m, const TrainSpec *t,
                          const TrainData *d)
{
    static const char *const problems[OBJECTIVES] = {[LEARN_CLASS] = "single_label_classification",
                                                     [LEARN_MULTI] = "multi_label_classification",
                                                     [LEARN_REGRESSION] = "regression"};
    Objective o = d->train.objective;
    if (o <= LEARN_TOKEN)
        set_labels(config, m, d);
    /* The head for answers has as many outputs as there are labels: two where none are named. */
    static const char *const labels[] = {"id2label", "label2id", "num_labels"};
    for (int i = 0; o == LEARN_SPAN && i < 3; i++)
        json_object_del(config, labels[i]);
    if (problems[o])
        json_object_set_new(config, "problem_type", json_string(problems[o]));
    else
        json_object_del(config, "problem_type");
    /* What CrossEncoder did to the logits of the head that was there. */
    json_object_del(config, "sentence_transformers");
    json_object_del(config, "sbert_ce_default_activation_function");
    if (o == LEARN_CLM && !transformer_settings(m->spec.t)->family->causal)
        json_object_set_new(config, "is_decoder", json_true());
    if (m->stack)
        json_object_set_new(config, "weft_head", stack_json(m, t));
    else
        json_object_del(config, "weft_head");
}

static char *config_text(const ModelSetup *m, const TrainSpec *t, const TrainData *d,
                         const char *training, Err *e)
{
    const Config *c = transformer_settings(m->spec.t);
    json_t *config = t->scratch ? jsonfile_read(t->scratch, e)
                                : jsonfile_load(m->folder, "config.json", false, e);
    if (!config)
        return NULL;
    char *name = architecture(c, m);
    json_object_set_new(config, "architectures", json_pack("[s]", name));
    json_object_set_new(config, "model_type", json_string(c->family->type));
    json_object_set_new(config, "dtype", json_string("float32"));
    json_object_del(config, "torch_dtype");
    set_objective(config, m, t, d);
    if (c->pad < 0 && c->family->keys->pad.name) /* or transformers refuses batches */
        json_object_set_new(config, "pad_token_id", json_integer(c->eos));
    if (training)
        json_object_set_new(config, "training", json_loads(training, 0, NULL));
    char *text = json_dumps(config, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(config);
    free(name);
    return text;
}

/* ---- files ---- */

/* A file of the model's that goes along as it is, where it is there. */
static int copy_file(const char *from, const char *name, OutFolder *into, Err *e)
{
    char *path = mem_fmt("%s/%s", from, name), buffer[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC), status = 0;
    ssize_t n = 0;
    OutFile *o = fd >= 0 ? outfile_open(outfolder_file(into, name), e) : NULL;
    if (!o)
        status = fd >= 0 ? -1 : errno == ENOENT ? 0 : err_sys(e, "%s", path);
    while (o && status == 0 &&
           ((n = read(fd, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR)))
        status = n > 0 ? outfile_write(o, buffer, (size_t)n, e) : 0;
    if (o && status == 0 && n < 0)
        status = err_sys(e, "%s", path);
    if (o && status == 0)
        status = outfile_commit(o, e);
    else
        outfile_abort(o);
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

static int copy_rest(const ModelSetup *m, OutFolder *into, Err *e)
{
    static const char *const names[] = {MODEL_FILES_COPIED};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (copy_file(m->folder, names[i], into, e) < 0)
            return -1;
    return 0;
}

/* ---- model.safetensors ---- */

static bool in_head_file(const Param *a, bool stack)
{
    return stack && a->part == PART_HEADS;
}

/* It is written among the adapters, if at all. */
static bool is_elsewhere(const Param *a, bool stack, bool head)
{
    return a->adapter || in_head_file(a, stack) != head;
}

static int write_tensors(const ModelSetup *m, const float *numbers, const char *path, bool head,
                         Err *e)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    StView *v = mem_zero((size_t)all->count, sizeof *v);
    char *key = "format", *value = "pt";
    int n = 0;
    for (int i = 0; i < all->count; i++) {
        const Param *a = &all->param[i];
        if (is_elsewhere(a, m->stack, head))
            continue;
        int64_t *shape = mem_array(2, sizeof *shape);
        shape[0] = a->rows;
        shape[1] = a->cols;
        v[n++] = (StView){.name = model_setup_name(m, a, m->stack),
                          .type = DT_F32,
                          .rank = a->cols ? 2 : 1,
                          .shape = shape,
                          .data = numbers + a->at,
                          .bytes = (size_t)param_numbers(a) * sizeof(float)};
    }
    int status = st_write(path, v, n, &key, &value, 1, e);
    for (int i = 0; i < n; i++) {
        free((char *)(uintptr_t)v[i].name);
        free((void *)(uintptr_t)v[i].shape);
    }
    free(v);
    return status;
}

static const char *const tensor_file[] = {"model.safetensors", "head.safetensors"};

int model_save_files(const ModelSetup *m, const TrainSpec *t, const TrainData *d,
                     const float *numbers, const char *training, OutFolder *into, Err *e)
{
    char *config = config_text(m, t, d, training, e);
    int status = config ? outfile_text(outfolder_file(into, "config.json"), config, e) : -1;
    free(config);
    if (status == 0)
        status = copy_rest(m, into, e);
    if (status == 0 && t->lora_only)
        return model_adapter_write(m, t, d->train.objective, numbers, into, e);
    for (int head = 0; head <= (m->stack ? 1 : 0) && status == 0; head++)
        status = write_tensors(m, numbers, outfolder_file(into, tensor_file[head]), head, e);
    return status;
}

/* ---- and back ---- */

static int take(const StFile *file, const char *name, const Param *a, float *numbers, Err *e)
{
    StView v;
    size_t bytes = (size_t)param_numbers(a) * sizeof(float);
    if (st_find(file, name, &v) < 0 || v.type != DT_F32 || v.bytes != bytes)
        return err_set(e, "no %s of %lld numbers", name, (long long)param_numbers(a));
    memcpy(numbers + a->at, v.data, bytes);
    return 0;
}

static int read_tensors(const ModelSetup *m, const char *path, bool head, float *numbers, Err *e)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    StFile *file = st_open(path, e);
    int status = file ? 0 : -1;
    for (int i = 0; i < all->count && status == 0; i++) {
        const Param *a = &all->param[i];
        if (is_elsewhere(a, m->stack, head))
            continue;
        char *name = model_setup_name(m, a, m->stack);
        status = take(file, name, a, numbers, e);
        free(name);
    }
    if (file)
        st_close(file);
    return status < 0 ? err_at(e, "%s", path) : 0;
}

int model_read_files(const ModelSetup *m, const char *folder, float *numbers, Err *e)
{
    int status = m->spec.lora ? model_adapter_read(m, folder, numbers, e) : 0;
    for (int head = m->spec.lora ? 1 : 0; head <= (m->stack ? 1 : 0) && status == 0; head++) {
        char *path = mem_fmt("%s/%s", folder, tensor_file[head]);
        status = read_tensors(m, path, head, numbers, e);
        free(path);
    }
    return status;
}
