#include "learn/model_adapter.h"

#include "base/mem.h"
#include "base/outfile.h"
#include "store/safetensors.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- adapter_config.json ---- */

static void add_once(json_t *list, const char *name, size_t n)
{
    size_t i;
    json_t *there;
    json_array_foreach(list, i, there)
        if (strlen(json_string_value(there)) == n &&
            strncmp(json_string_value(there), name, n) == 0)
            return;
    json_array_append_new(list, json_stringn(name, n));
}

/* What a matrix is called in every layer: its name behind the layer's number. */
static json_t *targets(const ModelSetup *m)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    json_t *list = json_array();
    int n;
    const LoraPart *part = lora_parts(m->spec.lora, &n);
    for (int i = 0; i < n; i++) {
        const char *name = all->param[part[i].base].name, *from = name;
        while (*from && !isdigit((unsigned char)*from))
            from++;
        from += strspn(from, "0123456789");
        add_once(list, from + 1, strlen(from + 1) - strlen(".weight"));
    }
    return list;
}

/* The modules that learn as they are: the first word of their tensors' names. */
static json_t *whole_modules(const ModelSetup *m)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    json_t *list = json_array();
    for (int i = 0; i < all->count; i++) {
        const Param *a = &all->param[i];
        if (!a->adapter && model_setup_adapts(m, a))
            add_once(list, a->name, strcspn(a->name, "."));
    }
    if (json_array_size(list))
        return list;
    json_decref(list);
    return json_null();
}

static char *config_text(const ModelSetup *m, const TrainSpec *t, Objective o)
{
    static const char *const tasks[OBJECTIVES] = {
        [LEARN_CLASS] = "SEQ_CLS",   [LEARN_MULTI] = "SEQ_CLS",     [LEARN_REGRESSION] = "SEQ_CLS",
        [LEARN_TOKEN] = "TOKEN_CLS", [LEARN_SPAN] = "QUESTION_ANS", [LEARN_CLM] = "CAUSAL_LM"};
    bool whole = t->lora_alpha == floor(t->lora_alpha);
    json_t *config = json_pack(
        "{s:s, s:s?, s:s, s:I, s:o, s:o, s:o, s:f, s:b, s:s, s:b, s:b}", "peft_type", "LORA",
        "task_type", tasks[o], "base_model_name_or_path", m->name, "r", (json_int_t)t->lora,
        "lora_alpha", whole ? json_integer((json_int_t)t->lora_alpha) : json_real(t->lora_alpha),
        "target_modules", targets(m), "modules_to_save", whole_modules(m), "lora_dropout", 0.0,
        "fan_in_fan_out", transformer_settings(m->spec.t)->family->by_input, "bias", "none",
        "init_lora_weights", true, "inference_mode", true);
    char *text = config ? json_dumps(config, JSON_INDENT(2)) : NULL;
    json_decref(config);
    return text;
}

/* ---- adapter_model.safetensors ---- */

static bool has(const ModelSetup *m, const Param *a)
{
    return model_setup_adapts(m, a) && !(m->stack && a->part == PART_HEADS);
}

static char *name_of(const ModelSetup *m, const Param *a)
{
    char *inner = model_setup_name(m, a, false), *name = mem_fmt("base_model.model.%s", inner);
    free(inner);
    return name;
}

/* An adapter's B lies turned with us. */
static bool is_turned(const Param *a)
{
    size_t n = strlen(a->name), end = strlen("lora_B.weight");
    return a->adapter && n > end && strcmp(a->name + n - end, "lora_B.weight") == 0;
}

/* to [cols, rows] of from [rows, cols]. */
static void turn(float *to, const float *from, int64_t rows, int64_t cols)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < cols; k++)
            to[k * rows + i] = from[i * cols + k];
}

int model_adapter_tensors(const ModelSetup *m, const float *numbers, OutFolder *into, Err *e)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    StView *v = mem_zero((size_t)all->count, sizeof *v);
    int64_t(*shape)[2] = mem_zero((size_t)all->count, sizeof *shape);
    float **turned = mem_zero((size_t)all->count, sizeof *turned);
    char *key = "format", *value = "pt";
    int n = 0;
    for (int i = 0; i < all->count; i++) {
        const Param *a = &all->param[i];
        if (!has(m, a))
            continue;
        shape[n][0] = a->rows;
        shape[n][1] = a->cols;
        const float *data = numbers + a->at;
        if (is_turned(a)) {
            turned[n] = mem_array((size_t)param_numbers(a), sizeof **turned);
            turn(turned[n], data, a->rows, a->cols);
            data = turned[n];
            shape[n][0] = a->cols;
            shape[n][1] = a->rows;
        }
        v[n] = (StView){.name = name_of(m, a),
                        .type = DT_F32,
                        .rank = a->cols ? 2 : 1,
                        .shape = shape[n],
                        .data = data,
                        .bytes = (size_t)param_numbers(a) * sizeof(float)};
        n++;
    }
    int status = st_write(outfolder_file(into, ADAPTER_TENSORS), v, n, &key, &value, 1, e);
    for (int i = 0; i < n; i++) {
        free((char *)(uintptr_t)v[i].name);
        free(turned[i]);
    }
    free(turned);
    free(shape);
    free(v);
    return status;
}

int model_adapter_write(const ModelSetup *m, const TrainSpec *t, Objective o, const float *numbers,
                        OutFolder *into, Err *e)
{
    char *text = config_text(m, t, o);
    int status = text ? outfile_text(outfolder_file(into, ADAPTER_CONFIG), text, e)
                      : err_set(e, "the model's name is not UTF-8");
    free(text);
    return status == 0 ? model_adapter_tensors(m, numbers, into, e) : -1;
}

static int take(const StFile *file, const char *name, const Param *a, float *numbers, Err *e)
{
    StView v;
    size_t bytes = (size_t)param_numbers(a) * sizeof(float);
    if (st_find(file, name, &v) < 0 || v.type != DT_F32 || v.bytes != bytes)
        return err_set(e, "no %s of %lld numbers", name, (long long)param_numbers(a));
    if (is_turned(a))
        turn(numbers + a->at, v.data, a->cols, a->rows);
    else
        memcpy(numbers + a->at, v.data, bytes);
    return 0;
}

int model_adapter_read(const ModelSetup *m, const char *folder, float *numbers, Err *e)
{
    const Params *all = &transformer_plan(m->spec.t)->params;
    char *path = mem_fmt("%s/%s", folder, ADAPTER_TENSORS);
    StFile *file = st_open(path, e);
    int status = file ? 0 : -1;
    for (int i = 0; i < all->count && status == 0; i++) {
        const Param *a = &all->param[i];
        if (!has(m, a))
            continue;
        char *name = name_of(m, a);
        status = take(file, name, a, numbers, e);
        free(name);
    }
    if (file)
        st_close(file);
    if (status < 0)
        err_at(e, "%s", path);
    free(path);
    return status;
}
