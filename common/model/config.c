#include "model/config.h"

#include "base/mem.h"
#include "io/jsonfile.h"

#include <stdlib.h>
#include <string.h>

#define BERT_LAYER "encoder.layer.%d."

static const Family families[] = {
    {
        .type = "bert",
        .prefix = "bert.",
        .word = "embeddings.word_embeddings",
        .position = "embeddings.position_embeddings",
        .kind = "embeddings.token_type_embeddings",
        .embed_norm = "embeddings.LayerNorm",
        .query = BERT_LAYER "attention.self.query",
        .key = BERT_LAYER "attention.self.key",
        .value = BERT_LAYER "attention.self.value",
        .attend_out = BERT_LAYER "attention.output.dense",
        .attend_norm = BERT_LAYER "attention.output.LayerNorm",
        .up = BERT_LAYER "intermediate.dense",
        .down = BERT_LAYER "output.dense",
        .out_norm = BERT_LAYER "output.LayerNorm",
        .pooler = "pooler.dense",
        .classifier = "classifier",
        .pool = "pooler",
    },
};

enum { FAMILIES = sizeof families / sizeof *families };

const Family *family_find(const char *type)
{
    for (int i = 0; i < FAMILIES; i++)
        if (strcmp(families[i].type, type) == 0)
            return &families[i];
    return NULL;
}

const char *family_names(void)
{
    static char all[256];
    size_t n = 0;
    for (int i = 0; i < FAMILIES && !all[n]; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", families[i].type);
    return all;
}

static int set_act(Config *c, const char *name, Err *e)
{
    static const struct {
        const char *name;
        Act act;
    } known[] = {{"gelu", ACT_GELU},           {"gelu_new", ACT_GELU_TANH},
                 {"gelu_pytorch_tanh", ACT_GELU_TANH}, {"relu", ACT_RELU},
                 {"tanh", ACT_TANH},           {"silu", ACT_SILU},
                 {"swish", ACT_SILU}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) {
            c->act = known[i].act;
            c->act_name = mem_str(name);
            return 0;
        }
    return err_set(e, "hidden_act '%s' is not one that weft knows (gelu, gelu_new, "
                      "gelu_pytorch_tanh, relu, tanh, silu)", name);
}

/* id2label {"0": "negative", ...} in order of the ids, which must be 0 .. n - 1. */
static int set_labels(Config *c, const json_t *j, Err *e)
{
    const json_t *map = json_object_get(j, "id2label");
    c->labels = json_get_int(j, "num_labels", 2, e);
    if (json_is_object(map))
        c->labels = (int64_t)json_object_size(map);
    if (e->text[0])
        return -1;
    if (c->labels < 1 || c->labels > 1 << 20)
        return err_set(e, "%lld labels", (long long)c->labels);
    c->label = mem_zero((size_t)c->labels, sizeof *c->label);
    for (int64_t i = 0; i < c->labels; i++) {
        char key[24], other[32];
        snprintf(key, sizeof key, "%lld", (long long)i);
        snprintf(other, sizeof other, "LABEL_%lld", (long long)i);
        const char *name = json_is_object(map) ? json_get_str(map, key, NULL, e) : other;
        if (!name)
            return err_set(e, "id2label lacks \"%s\": its keys are to be 0 to %lld", key,
                           (long long)c->labels - 1);
        c->label[i] = mem_str(name);
    }
    return 0;
}

static int read_sizes(Config *c, const json_t *j, Err *e)
{
    const struct {
        const char *key;
        int64_t *to, other, min;
    } sizes[] = {
        {"vocab_size", &c->vocab, 30522, 1},
        {"hidden_size", &c->hidden, 768, 1},
        {"num_hidden_layers", &c->layers, 12, 0},
        {"num_attention_heads", &c->heads, 12, 1},
        {"intermediate_size", &c->inner, 3072, 1},
        {"max_position_embeddings", &c->positions, 512, 1},
        {"type_vocab_size", &c->types, 2, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *sizes[i].to = json_get_int(j, sizes[i].key, sizes[i].other, e);
        if (e->text[0])
            return -1;
        if (*sizes[i].to < sizes[i].min || *sizes[i].to > 1 << 28)
            return err_set(e, "%s %lld is out of range", sizes[i].key, (long long)*sizes[i].to);
    }
    if (c->hidden % c->heads)
        return err_set(e, "hidden_size %lld is no multiple of num_attention_heads %lld",
                       (long long)c->hidden, (long long)c->heads);
    return 0;
}

static int read_config(Config *c, const json_t *j, Err *e)
{
    const char *type = json_get_str(j, "model_type", NULL, e);
    if (!type)
        return err_set(e, "no model_type: which architecture is it? (weft knows %s)",
                       family_names());
    if (strcmp(type, "weft-head") == 0)
        return err_set(e, "a head that train made, not a model with an encoder");
    if (!(c->family = family_find(type)))
        return err_set(e, "architecture '%s' is not one that weft knows (%s)", type,
                       family_names());
    const json_t *first = json_array_get(json_object_get(j, "architectures"), 0);
    c->architecture = mem_str(json_is_string(first) ? json_string_value(first) : "");
    const char *kind = json_get_str(j, "position_embedding_type", "absolute", e);
    if (strcmp(kind, "absolute") != 0)
        return err_set(e, "position_embedding_type '%s' is not supported (absolute is)", kind);
    c->eps = (float)json_get_real(j, "layer_norm_eps", 1e-12, e);
    c->dropout = json_get_real(j, "hidden_dropout_prob", 0.1, e);
    c->problem = mem_str(json_get_str(j, "problem_type", "", e));
    if (e->text[0] || set_act(c, json_get_str(j, "hidden_act", "gelu", e), e) < 0)
        return -1;
    return read_sizes(c, j, e) < 0 ? -1 : set_labels(c, j, e);
}

int config_load(const char *folder, Config *c, Err *e)
{
    *c = (Config){0};
    json_t *j = jsonfile_load(folder, "config.json", false, e);
    if (!j)
        return err_at(e, "no model there");
    Err why = {0};
    int r = read_config(c, j, &why);
    if (r < 0 || why.text[0]) {
        err_set(e, "%s/config.json: %s", folder, why.text);
        config_clear(c);
        r = -1;
    }
    json_decref(j);
    return r;
}

void config_clear(Config *c)
{
    for (int64_t i = 0; c->label && i < c->labels; i++)
        free(c->label[i]);
    free(c->label);
    free(c->architecture);
    free(c->act_name);
    free(c->problem);
    *c = (Config){0};
}
