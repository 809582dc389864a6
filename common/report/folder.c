#include "report/folder.h"

#include "base/write.h"
#include "model/bag.h"
#include "model/families.h"
#include "model/find.h"
#include "model/head/headkinds.h"
#include "model/head/pooling.h"
#include "model/model_tokenizer.h"
#include "model/task_prefix.h"
#include "model/transformer/plan.h"
#include "model/weights.h"
#include "report/parameters.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

static void put_line(Buf *b, const char *key, const char *value)
{
    buf_fmt(b, "%-13s", key);
    put_tsv(b, str_of(value, strlen(value)));
    buf_str(b, "\n");
}

/* What config.json says, by the family's keys. */
static void put_sizes(Buf *b, const json_t *config, const Keys *k)
{
    const struct {
        const char *shown;
        Key key;
    } sizes[] = {{"layers", k->layers},      {"decoder", k->decoders}, {"hidden", k->hidden},
                 {"heads", k->heads},        {"inner", k->inner},      {"vocabulary", k->vocab},
                 {"positions", k->positions}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *name = sizes[i].key.name;
        const json_t *v = name ? json_object_get(config, name) : NULL;
        if (json_is_integer(v))
            buf_fmt(b, "%-13s%lld\n", sizes[i].shown, (long long)json_integer_value(v));
    }
}

/* id2label's keys are numbers as text; in their order. */
static void put_labels(Buf *b, const json_t *config)
{
    const json_t *names = json_object_get(config, "id2label");
    for (size_t i = 0; i < json_object_size(names); i++) {
        char *key = mem_fmt("%zu", i);
        const char *name = json_string_value(json_object_get(names, key));
        buf_fmt(b, "%-13s%zu ", i ? "" : "labels", i);
        put_tsv(b, str_of(name ? name : "?", name ? strlen(name) : 1));
        buf_str(b, "\n");
        free(key);
    }
}

/* A folder that `train` made from vectors says what made them. */
static void put_encoder(Buf *b, const json_t *config)
{
    static const char *const keys[] = {"model", "vocab", "fingerprint"};
    const json_t *encoder = json_object_get(config, "encoder");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *v = json_string_value(json_object_get(encoder, keys[i]));
        if (v && *v)
            put_line(b, i == 0 ? "encoder" : keys[i], v);
    }
    const char *pool = json_string_value(json_object_get(config, "pool"));
    if (encoder && pool && *pool)
        put_line(b, "pool", pool);
}

static void put_specials(Buf *b, const Tokenizer *t)
{
    bool first = true;
    for (Special s = 0; s < TOK_SPECIALS; s++) {
        int32_t id = tokenizer_special(t, s);
        if (id < 0)
            continue;
        buf_fmt(b, "%-13s%d ", first ? "special" : "", (int)id);
        put_tsv(b, tokenizer_text(t, id));
        buf_str(b, "\n");
        first = false;
    }
}

static void put_tokenizer(Buf *b, const char *folder)
{
    Err e = {0};
    Tokenizer *t = model_tokenizer(folder, &e);
    if (!t) {
        put_line(b, "tokenizer", e.text);
        return;
    }
    buf_fmt(b, "%-13s%s, %d entries", "tokenizer", tokenizer_kind(t), (int)tokenizer_size(t));
    if (tokenizer_max_length(t))
        buf_fmt(b, ", at most %lld tokens a row%s", (long long)tokenizer_max_length(t),
                tokenizer_cuts_left(t) ? ", cut at the left" : "");
    buf_str(b, "\n");
    put_specials(b, t);
    tokenizer_free(t);
}

static void put_config(Buf *b, const json_t *config, const char *folder)
{
    const json_t *names = json_object_get(config, "architectures");
    const char *name = json_string_value(json_array_get(names, 0));
    const char *type = config_type(config, folder);
    put_line(b, "architecture", name ? name : "unknown");
    put_line(b, "model type", type ? type : "unknown");
    const Family *family = type ? family_find(type) : NULL;
    if (!family) /* most others call their sizes as BERT does */
        family = family_find("bert");
    put_sizes(b, config, family->keys);
    put_encoder(b, config);
    put_labels(b, config);
}

static void put_prompt(Buf *b, const char *home)
{
    Err e = {0};
    char *prompt = default_prefix(home, &e);
    if (prompt || e.text[0])
        put_line(b, "prompt", prompt ? prompt : e.text);
    free(prompt);
}

/* What pool does by itself where modules.json says so, and what tok puts before each text. */
static void put_pooling(Buf *b, const char *home, const Config *c, const Weights *w)
{
    Err e = {0};
    Pooling p;
    if (!file_exists(home, "modules.json"))
        return;
    put_line(b, "pools", pooling_default(home, c, w, &p, &e) < 0 ? e.text : pooling_name(&p));
    put_prompt(b, home);
}

/* The same of static embeddings. */
static void put_bag(Buf *b, const char *home, const BagFacts *facts)
{
    Err e = {0};
    Pooling p;
    bool bad = pooling_of_bag(home, facts->normalize, &p, &e) < 0;
    put_line(b, "architecture", facts->model2vec ? "StaticModel" : "StaticEmbedding");
    put_line(b, "model type", facts->model2vec ? "model2vec" : "static embeddings");
    put_line(b, "pools", bad ? e.text : pooling_name(&p));
    put_prompt(b, home);
}

/* What `head -T` can choose from, or why that is not to be told. */
static void put_heads(Buf *b, const char *home, const char *folder)
{
    Err e = {0};
    Config c;
    Weights *w = NULL;
    const HeadKind *kind[HEAD_TASKS];
    Buf names = {0};
    if (config_load(folder, &c, &e) < 0) {
        put_line(b, "heads", e.text);
        return;
    }
    if (!(w = weights_open(folder, c.family->prefix, &e))) {
        put_line(b, "heads", e.text);
    } else {
        headkinds_find(&c, w, kind);
        for (int t = 0; t < HEAD_TASKS; t++)
            if (kind[t])
                buf_fmt(&names, "%s%s", names.n ? ", " : "", head_task_names[t]);
        buf_add(&names, "", 1);
        put_line(b, "heads", *names.p ? names.p : "none");
        put_pooling(b, home, &c, w);
    }
    free(names.p);
    weights_close(w);
    config_clear(&c);
}

/* "encoder.layer.0.output.dense.weight" is "weight" of the module before the last dot. */
static size_t module_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

/* layer.2 before layer.10, and a module's own tensors side by side */
static int by_module(const void *a, const void *b)
{
    const StView *x = a, *y = b;
    char *of_x = mem_strn(x->name, module_length(x->name));
    char *of_y = mem_strn(y->name, module_length(y->name));
    int d = strverscmp(of_x, of_y);
    free(of_x);
    free(of_y);
    return d ? d : strcmp(x->name, y->name);
}

static void put_piece(Buf *b, const StView *v)
{
    const char *piece = v->name + module_length(v->name);
    buf_str(b, "  ");
    piece = *piece ? piece + 1 : v->name;
    put_tsv(b, str_of(piece, strlen(piece)));
    buf_fmt(b, " %s ", dtype_name(v->type));
    for (int i = 0; i < v->rank; i++)
        buf_fmt(b, "%s%lld", i ? "," : "[", (long long)v->shape[i]);
    buf_str(b, v->rank ? "]" : "[]");
}

/* Lines "MODULE PARAMETERS  weight F32 [384,384]  bias F32 [384]". What is no parameter, or
 * counted elsewhere, adds nothing. */
static void put_modules(Buf *b, const StView *view, int n, const int64_t *parameters)
{
    buf_fmt(b, "\n%-48s %12s  %s\n", "module", "parameters", "tensors");
    for (int i = 0, j; i < n; i = j) {
        size_t length = module_length(view[i].name);
        int64_t sum = 0;
        Buf pieces = {0};
        for (j = i; j < n && module_length(view[j].name) == length &&
                    strncmp(view[i].name, view[j].name, length) == 0;
             j++) {
            sum += parameters[j];
            put_piece(&pieces, &view[j]);
        }
        put_column(b, str_of(view[i].name, length), 48);
        buf_fmt(b, " %12lld", (long long)sum);
        buf_add(b, pieces.p, pieces.n);
        buf_str(b, "\n");
        free(pieces.p);
    }
}

/* The sum of all, which is returned; and of parts, unless one holds everything, or they are not
 * known: prefix NULL. */
static int64_t put_parts(Buf *b, const StView *view, int n, const int64_t *parameters,
                         const Params *model, const char *prefix)
{
    int64_t part[PARTS] = {0}, all = 0;
    for (int i = 0; i < n; i++) {
        if (prefix)
            part[parameters_part(model, view[i].name, prefix)] += parameters[i];
        all += parameters[i];
    }
    buf_fmt(b, "\n%-13s%lld parameters\n", "total", (long long)all);
    for (int p = 0; p < PARTS; p++)
        if (part[p] && part[p] < all)
            buf_fmt(b, "  %-11s%lld\n", part_names[p], (long long)part[p]);
    return all;
}

/* The word before names of the encoder in a checkpoint with heads: the family's, or what
 * families that nothing here can run would have by custom. */
static char *prefix_of(const char *type)
{
    const Family *family = family_find(type);
    if (family)
        return mem_str(family->prefix ? family->prefix : "");
    return mem_fmt("%.*s.", (int)strcspn(type, "-_"), type);
}

/* What the model is made of; nothing of an architecture that weft does not know. */
static void read_plan(Plan *p, const char *folder, const Weights *w)
{
    Err e = {0};
    Config c;
    *p = (Plan){0};
    if (config_load(folder, &c, &e) < 0)
        return;
    plan_new(p, &c, w, c.layers);
    config_clear(&c);
}

static int put_weights(Buf *b, const char *folder, const json_t *config, bool bag, bool trained,
                       Err *e)
{
    const char *type = config_type(config, folder);
    char *prefix = bag ? NULL : prefix_of(type ? type : "");
    Weights *w = weights_open(folder, prefix ? prefix : "", e);
    Plan plan;
    if (!w) {
        free(prefix);
        return -1;
    }
    int n = weights_count(w);
    StView *view = mem_array((size_t)n, sizeof *view);
    int64_t *parameters = mem_array((size_t)n, sizeof *parameters);
    for (int i = 0; i < n; i++)
        view[i] = weights_at(w, i);
    qsort(view, (size_t)n, sizeof *view, by_module);
    parameters_count(view, n, !json_is_false(json_object_get(config, "tie_word_embeddings")),
                     parameters);
    put_modules(b, view, n, parameters);
    read_plan(&plan, folder, w);
    int64_t all = put_parts(b, view, n, parameters, &plan.params, prefix);
    plan_clear(&plan);
    if (trained)
        buf_fmt(b, "%-13s%lld parameters\n", "trainable", (long long)all);
    buf_fmt(b, "%-13s%llu bytes\n", "on disk", (unsigned long long)weights_bytes(w));
    free(prefix);
    free(parameters);
    free(view);
    weights_close(w);
    return 0;
}

static int put_folder(Buf *b, const char *home, const char *folder, Err *e)
{
    BagFacts facts;
    int bag = bag_is(folder, &facts, e);
    json_t *config = bag < 0 ? NULL : jsonfile_load(folder, "config.json", bag, e);
    if (e->text[0])
        return -1;
    const char *type = config_type(config, folder);
    bool trained = type && strcmp(type, "weft-head") == 0; /* a head on another folder's encoder */
    if (bag)
        put_bag(b, home, &facts);
    else
        put_config(b, config, folder);
    if (!trained) {
        if (!bag && type && family_find(type))
            put_heads(b, home, folder);
        put_tokenizer(b, folder);
    }
    int status = put_weights(b, folder, config, bag, trained, e);
    json_decref(config);
    return status;
}

/* The transformer of sentence-transformers may be in a folder of its own. */
int folder_put(Buf *b, const char *folder, Err *e)
{
    bool own = file_exists(folder, "config.json") || !file_exists(folder, "modules.json");
    char *from = own ? mem_str(folder) : model_encoder_folder(folder, e);
    int status = from ? put_folder(b, folder, from, e) : -1;
    free(from);
    return status;
}
