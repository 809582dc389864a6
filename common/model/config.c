#include "model/config.h"

#include "base/mem.h"
#include "base/num.h"
#include "model/bag.h"
#include "model/config_in.h"
#include "store/folderkeys.h"
#include "store/jsonfile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What config.json calls it, one name or several; NULL: it has none. */
static const char *act_names(Act act)
{
    switch (act) {
    case ACT_NONE: return NULL;
    case ACT_GELU: return "gelu";
    case ACT_GELU_TANH: return "gelu_new, gelu_pytorch_tanh";
    case ACT_RELU: return "relu";
    case ACT_TANH: return "tanh";
    case ACT_SILU: return "silu, swish";
    case ACT_COUNT: break;
    }
    return NULL;
}

static bool is_called(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (size_t len; names; names = names[len] ? names + len + 2 : NULL)
        if ((len = strcspn(names, ",")) == n && memcmp(names, name, n) == 0)
            return true;
    return false;
}

int config_act(const char *key, const char *name, Act *to, Err *e)
{
    Buf known = {0};
    for (Act act = 0; act < ACT_COUNT; act++) {
        const char *names = act_names(act);
        if (is_called(names, name)) {
            *to = act;
            free(known.p);
            return 0;
        }
        if (names)
            buf_fmt(&known, "%s%s", known.n ? ", " : "", names);
    }
    err_set(e, "%s '%s' is not one that weft knows (%s)", key, name, known.p);
    free(known.p);
    return -1;
}

/* A class's name, which may be a number. NULL: it is not there, or none of the two. */
static char *label_name(const json_t *map, const char *key, Err *e)
{
    const json_t *v = json_object_get(map, key);
    if (json_is_number(v))
        return json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    const char *name = json_get_str(map, key, NULL, e);
    return name ? mem_str(name) : NULL;
}

/* id2label {"0": "negative", ...} in order of the ids, which must be 0 .. n - 1. */
static int set_labels(Config *c, const json_t *j, Err *e)
{
    const json_t *map = json_object_get(j, "id2label");
    c->labels = json_get_int(j, "num_labels", c->family->keys->labels.other, e);
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
        if (!(c->label[i] = json_is_object(map) ? label_name(map, key, e) : mem_str(other)))
            return e->text[0] ? -1
                              : err_set(e, "id2label lacks \"%s\": its keys are to be 0 to %lld",
                                        key, (long long)c->labels - 1);
    }
    return 0;
}

/* What no model comes near. Products of a few of these fit into 63 bits, and going over all layers
 * takes no time. */
enum {
    MOST_LAYERS = 4096,
    MOST_WIDE = 1 << 20,
    MOST_INNER = 1 << 22,
    MOST_HEADS = 1 << 16,
    MOST_ENTRIES = 1 << 28 /* of a table */
};

/* A key's number, or what it is by itself. */
static int64_t key_int(const json_t *j, Key k, int64_t min, int64_t max, Err *e)
{
    int64_t n = k.name ? json_get_int(j, k.name, k.other, e) : k.other;
    if (!e->text[0] && k.name && n != k.other && (n < min || n > max))
        err_set(e, "%s %lld is out of range: %lld to %lld", k.name, (long long)n, (long long)min,
                (long long)max);
    return n;
}

static int read_sizes(Config *c, const json_t *j, Err *e)
{
    const Keys *k = c->family->keys;
    c->vocab = key_int(j, k->vocab, 1, MOST_ENTRIES, e);
    c->hidden = key_int(j, k->hidden, 1, MOST_WIDE, e);
    c->layers = key_int(j, k->layers, 0, MOST_LAYERS, e);
    c->heads = key_int(j, k->heads, 1, MOST_HEADS, e);
    c->inner = key_int(j, k->inner, 1, MOST_INNER, e);
    c->positions = key_int(j, k->positions, 1, MOST_ENTRIES, e);
    c->types = key_int(j, k->types, 0, MOST_ENTRIES, e);
    c->embedding = key_int(j, k->embedding, 1, MOST_WIDE, e);
    c->size = key_int(j, k->size, 1, MOST_WIDE, e);
    c->pad = key_int(j, k->pad, -1, MOST_ENTRIES, e);
    if (e->text[0])
        return -1;
    if (!c->size && c->hidden % c->heads)
        return err_set(e, "%s %lld is no multiple of %s %lld", k->hidden.name, (long long)c->hidden,
                       k->heads.name, (long long)c->heads);
    if (!c->size)
        c->size = c->hidden / c->heads;
    if (c->heads * c->size > MOST_INNER)
        return err_set(e, "%s %lld of %s %lld are too large", k->heads.name, (long long)c->heads,
                       k->size.name ? k->size.name : "size", (long long)c->size);
    int64_t kv = key_int(j, k->kv, 1, MOST_HEADS, e);
    c->kv_heads = kv ? kv : c->heads;
    if (!e->text[0] && c->heads % c->kv_heads)
        return err_set(e, "%s %lld is no multiple of %s %lld", k->heads.name, (long long)c->heads,
                       k->kv.name, (long long)c->kv_heads);
    if (!c->inner)
        c->inner = 4 * c->hidden;
    if (!c->embedding)
        c->embedding = c->hidden;
    c->first = c->family->first;
    if (c->family->positions == POSITIONS_BEHIND_PAD) {
        c->first = c->pad + 1;
        c->positions -= c->first;
        if (c->pad < 0 || c->positions < 1)
            return err_set(e, "%s leaves no position behind pad_token_id %lld", k->positions.name,
                           (long long)c->pad);
    }
    return 0;
}

/* Both halves are of one shape in every model there is, but for how many layers they have. */
static int read_decoder(Config *c, const json_t *j, Err *e)
{
    const Keys *k = c->family->keys;
    if (k->speakers.name) {
        c->speakers = key_int(j, k->speakers, 0, MOST_LAYERS, e);
        c->speakers = c->speakers ? c->speakers : c->layers;
    }
    if (!k->decoders.name)
        return e->text[0] ? -1 : 0;
    c->decoders = key_int(j, k->decoders, 0, MOST_LAYERS, e);
    c->layers += c->decoders;
    c->start = key_int(j, k->start, 0, MOST_ENTRIES, e);
    int64_t heads = json_get_int(j, "decoder_attention_heads", c->heads, e);
    int64_t inner = json_get_int(j, "decoder_ffn_dim", c->inner, e);
    if (!e->text[0] && (heads != c->heads || inner != c->inner))
        return err_set(e, "a decoder with other sizes (decoder_attention_heads, decoder_ffn_dim) "
                          "than the encoder's is not supported");
    if (!e->text[0] && c->start >= c->vocab)
        return err_set(e, "decoder_start_token_id %lld is outside the vocabulary",
                       (long long)c->start);
    if (json_get_bool(j, "scale_embedding", false, e))
        c->embed_scale = sqrtf((float)c->hidden);
    return e->text[0] ? -1 : 0;
}

/* What Marian's checkpoints say of themselves, and transformers goes by without asking. */
static int check_marian(const Config *c, const json_t *j, Err *e)
{
    static const struct {
        const char *key;
        bool as;
    } said[] = {{"normalize_before", false},
                {"normalize_embedding", false},
                {"add_final_layer_norm", false},
                {"static_position_embeddings", true},
                {"share_encoder_decoder_embeddings", true}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (json_get_bool(j, said[i].key, said[i].as, e) != said[i].as && !e->text[0])
            return err_set(e, "%s %s is not supported for %s", said[i].key,
                           said[i].as ? "false" : "true", c->family->type);
    int64_t vocab = json_get_int(j, "decoder_vocab_size", c->vocab, e);
    if (!e->text[0] && vocab && vocab != c->vocab)
        return err_set(e, "a decoder with a vocabulary of its own (decoder_vocab_size) is not "
                          "supported");
    return e->text[0] ? -1 : 0;
}

/* OPT's in the form of the models of 350 million and of Galactica's, each of its own. */
static int check_opt(const Config *c, const json_t *j, Err *e)
{
    static const struct {
        const char *key;
        bool as;
    } said[] = {{"do_layer_norm_before", true},
                {"_remove_final_layer_norm", false},
                {"layer_norm_elementwise_affine", true}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (json_get_bool(j, said[i].key, said[i].as, e) != said[i].as && !e->text[0])
            return err_set(e, "%s %s is not supported for %s", said[i].key,
                           said[i].as ? "false" : "true", c->family->type);
    int64_t wide = json_get_int(j, "word_embed_proj_dim", c->hidden, e);
    if (!e->text[0] && wide != c->hidden)
        return err_set(e, "word_embed_proj_dim %lld is not supported for %s: only hidden_size",
                       (long long)wide, c->family->type);
    return e->text[0] ? -1 : 0;
}

static int read_attention(Config *c, const json_t *j, Err *e)
{
    const Family *f = c->family;
    c->causal = f->causal || (f->decides && json_get_bool(j, "is_decoder", false, e));
    bool told = strcmp(f->type, "gpt2") == 0; /* which alone reads these two */
    bool bare = told && !json_get_bool(j, "scale_attn_weights", true, e);
    c->scale = f->unscaled || bare ? 1.0f : 1.0f / sqrtf((float)c->size);
    c->scale_by_layer = told && json_get_bool(j, "scale_attn_by_inverse_layer_idx", false, e);
    if (f->encoder.distance) {
        c->buckets = json_get_int(j, "relative_attention_num_buckets", 32, e);
        c->distance = json_get_int(j, "relative_attention_max_distance", 128, e);
        if (!e->text[0] && (c->buckets < 4 || c->buckets % 2 || c->buckets > 1 << 16 ||
                            c->distance <= c->buckets / 4 || c->distance > 1 << 20))
            return err_set(e,
                           "relative_attention_num_buckets %lld and "
                           "relative_attention_max_distance %lld do not go together",
                           (long long)c->buckets, (long long)c->distance);
        if (!e->text[0] && f->positions != POSITIONS_DISTANCE &&
            (c->buckets != 32 || c->distance != 128)) /* MPNet's code asks for no others */
            return err_set(e, "%s's distances are told apart by 32 buckets up to 128", f->type);
    }
    const char *kind = json_get_str(j, "position_embedding_type", "absolute", e);
    if (strcmp(kind, "absolute") != 0)
        return err_set(e, "position_embedding_type '%s' is not supported (absolute is)", kind);
    if (json_get_bool(j, "add_cross_attention", false, e))
        return err_set(e, "add_cross_attention is not supported for %s", f->type);
    if (json_get_int(j, "num_hidden_groups", 1, e) != 1 ||
        json_get_int(j, "inner_group_num", 1, e) != 1)
        return err_set(e, "layers in several groups (num_hidden_groups, inner_group_num) are "
                          "not supported");
    return e->text[0] ? -1 : 0;
}

/* What T5's class makes of feed_forward_proj and writes beside it goes before it when it is read.
 */
static int check_gate(const Config *c, const json_t *j, Err *e)
{
    if (!c->family->encoder.gate || !c->family->encoder.up)
        return 0;
    bool gated = json_get_bool(j, "is_gated_act", c->gated, e);
    const char *act = json_get_str(j, "dense_act_fn", NULL, e);
    if (e->text[0])
        return -1;
    if (gated != c->gated)
        return err_set(e, "is_gated_act %s is not what feed_forward_proj says",
                       gated ? "true" : "false");
    if (act && !is_called(act_names(c->act), act))
        return err_set(e, "dense_act_fn '%s' is not what feed_forward_proj says", act);
    return 0;
}

static int read_act(Config *c, const json_t *j, Err *e)
{
    static const char gate[] = "gated-";
    const Keys *k = c->family->keys;
    const char *name = json_get_str(j, k->act, k->act_other, e);
    if (e->text[0])
        return -1;
    c->gated = c->family->encoder.gate && !c->family->encoder.up;
    if (c->family->encoder.gate && !c->gated && strncmp(name, gate, sizeof gate - 1) == 0) {
        c->gated = true;
        name += sizeof gate - 1;
        if (strcmp(name, "gelu") == 0)
            name = "gelu_new"; /* what T5 means by it */
    }
    if (config_act(k->act, name, &c->act, e) < 0)
        return -1;
    c->act_name = mem_str(name);
    return check_gate(c, j, e);
}

/* A rate of dropout, or what it is by itself. */
static float key_rate(const json_t *j, Rate k, Err *e)
{
    double x = k.name ? json_get_real(j, k.name, k.other, e) : k.other;
    if (!e->text[0] && !(x >= 0 && x < 1))
        err_set(e, "%s %g is no rate of dropout: 0 or more, and less than 1", k.name, x);
    return (float)x;
}

const char *config_type(const json_t *config, const char *folder)
{
    const char *type = json_get_str(config, "model_type", NULL, NULL);
    const json_t *first = json_array_get(json_object_get(config, "architectures"), 0);
    const Family *guess =
        family_guess(json_is_string(first) ? json_string_value(first) : "", folder);
    return type ? type : guess ? guess->type : NULL;
}

int64_t config_heads(const Config *c, int64_t layer)
{
    int64_t n = c->heads;
    for (int64_t i = 0; c->pruned && i < c->heads; i++)
        n -= c->pruned[layer * c->heads + i];
    return n;
}

/* {"0": [1], "5": [0, 3]}: heads by layer. */
static int read_pruned(Config *c, const json_t *j, Err *e)
{
    json_t *all = json_object_get(j, "pruned_heads"), *heads, *head;
    const char *key;
    size_t i;
    json_object_foreach(all, key, heads) {
        int64_t layer;
        if (num_int(key, 0, c->layers - 1, &layer, NULL) < 0 || !json_is_array(heads))
            return err_set(e, "pruned_heads: '%s' is no layer with a list of heads", key);
        json_array_foreach(heads, i, head) {
            int64_t h = json_is_integer(head) ? json_integer_value(head) : -1;
            if (h < 0 || h >= c->heads)
                return err_set(e, "pruned_heads: layer %lld has no such head: they are 0 to %lld",
                               (long long)layer, (long long)c->heads - 1);
            if (!c->pruned)
                c->pruned = mem_zero((size_t)(c->layers * c->heads), 1);
            c->pruned[layer * c->heads + h] = 1;
        }
    }
    const Names *n = &c->family->encoder;
    if (c->pruned && (c->decoders || c->speakers || n->distance || !strchr(n->attend_out, '%')))
        return err_set(e, "pruned_heads is not supported for %s", c->family->type);
    return 0;
}

static int read_config(Config *c, const json_t *j, const char *folder, Err *e)
{
    json_get_str(j, "model_type", NULL, e);
    if (e->text[0])
        return -1;
    const char *type = config_type(j, folder);
    if (!type)
        return err_set(e, "no model_type: which architecture is it? (weft knows %s)",
                       family_names());
    if (strcmp(type, "weft-head") == 0)
        return err_set(e, "a head that train made, not a model with an encoder");
    if (!(c->family = family_find(type)))
        return err_set(e, "architecture '%s' is not one that weft knows (%s)", type,
                       family_names());
    const Keys *k = c->family->keys;
    const json_t *first = json_array_get(json_object_get(j, "architectures"), 0);
    c->architecture = mem_str(json_is_string(first) ? json_string_value(first) : "");
    c->eps = (float)(k->eps ? json_get_real(j, k->eps, k->eps_other, e) : k->eps_other);
    c->drop = (Dropouts){key_rate(j, k->drop_embed, e),
                         key_rate(j, k->drop_attend, e),
                         key_rate(j, k->drop_out, e),
                         key_rate(j, k->drop_feed, e),
                         key_rate(j, k->drop_inner, e),
                         key_rate(j, k->drop_last, e),
                         0,
                         0,
                         0};
    bool own = json_is_number(json_object_get(j, k->drop_head.name));
    c->drop.head = own || k->drop_head.other >= 0 ? key_rate(j, k->drop_head, e) : c->drop.feed;
    c->drop.token = k->drop_token.name ? key_rate(j, k->drop_token, e) : c->drop.head;
    c->drop.span = key_rate(j, k->drop_span, e);
    c->init = json_get_real(j, k->init.name, k->init.other, e);
    const char *pooling = json_get_str(j, "classifier_pooling", "cls", e);
    c->class_mean = strcmp(pooling, "mean") == 0;
    if (!e->text[0] && !c->class_mean && strcmp(pooling, "cls") != 0)
        return err_set(e, "classifier_pooling '%.40s' is not one that weft knows (cls, mean)",
                       pooling);
    c->problem = mem_str(json_get_str(j, "problem_type", "", e));
    c->embed_scale = 1;
    const json_t *eos = json_object_get(j, "eos_token_id");
    c->eos = json_is_integer(eos) ? json_integer_value(eos) : k->eos;
    c->bos =
        k->bos.name ? key_int(j, k->bos, -1, INT32_MAX, e) : json_get_int(j, "bos_token_id", -1, e);
    c->tied = json_get_bool(j, "tie_word_embeddings", !c->family->untied, e);
    if (e->text[0] || read_act(c, j, e) < 0 || read_sizes(c, j, e) < 0 ||
        read_decoder(c, j, e) < 0 || read_attention(c, j, e) < 0 || config_rope(c, j, e) < 0 ||
        config_window(c, j, e) < 0 || config_far(c, j, e) < 0)
        return -1;
    if (c->family->positions == POSITIONS_WAVES && check_marian(c, j, e) < 0)
        return -1;
    if (strcmp(c->family->type, "opt") == 0 && check_opt(c, j, e) < 0)
        return -1;
    return read_pruned(c, j, e) < 0 ? -1 : set_labels(c, j, e);
}

void config_speaks(Config *c)
{
    c->layers += c->speakers;
    c->decoders += c->speakers;
    c->speakers = 0;
}

float config_attend_scale(const Config *c, int64_t layer)
{
    return c->scale / (float)(c->scale_by_layer ? layer + 1 : 1);
}

int64_t config_reads(const Config *c)
{
    return c->family->encodes ? c->layers - c->decoders : c->layers;
}

/* A model that brings its own code is not the one that its model_type says. */
static int check_code(const json_t *j, Err *e)
{
    const char *class;
    json_t *code;
    json_object_foreach(json_object_get((json_t *)j, "auto_map"), class, code) {
        if (strncmp(class, "AutoModel", 9) == 0)
            return err_set(e, "auto_map %s %.200s is not supported: the model brings its own code",
                           class, json_is_string(code) ? json_string_value(code) : "");
    }
    return 0;
}

static int load(const char *folder, const char *name, Config *c, Err *e)
{
    *c = (Config){0};
    json_t *j = jsonfile_load(folder, name, false, e);
    if (!j)
        return err_at(e, "no model there");
    Err why = {0};
    folderkeys_note(folder, "config.json", j);
    int r = folderkeys_check("config.json", j, &why) < 0 || check_code(j, &why) < 0
                ? -1
                : read_config(c, j, folder, &why);
    if (r < 0 || why.text[0]) {
        err_set(e, "%s/%s: %s", folder, name, why.text);
        config_clear(c);
        r = -1;
    }
    json_decref(j);
    return r;
}

int config_load(const char *folder, Config *c, Err *e)
{
    Err none = {0};
    if (load(folder, "config.json", c, e) == 0)
        return 0;
    if (bag_is(folder, NULL, &none) > 0)
        err_set(e,
                "%s: static embeddings, which have neither layers nor heads: `embed | pool` makes "
                "the rows' vectors, and `train --head linear` learns from these",
                folder);
    return -1;
}

int config_load_file(const char *path, Config *c, Err *e)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        !slash ? mem_str(".") : mem_strn(path, slash == path ? 1 : (size_t)(slash - path));
    int r = load(folder, slash ? slash + 1 : path, c, e);
    free(folder);
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
    free(c->pruned);
    *c = (Config){0};
}
