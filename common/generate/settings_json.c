/* settings_json.c - what a model folder says of how to generate. */
#include "generate/settings.h"

#include "base/mem.h"
#include "store/folderkeys.h"
#include "store/jsonfile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a class says where config.json is silent ---- */

static const struct {
    const char *type;
    int32_t bos, pad, start, eos, forced_eos;
} classes[] = {
    {"gpt2", 50256, UNSET, UNSET, 50256, UNSET},
    {"llama", 1, UNSET, UNSET, 2, UNSET},
    {"mistral", 1, UNSET, UNSET, 2, UNSET},
    {"opt", 2, 1, UNSET, 2, UNSET},
    {"t5", UNSET, 0, UNSET, 1, UNSET},
    {"mt5", UNSET, 0, 0, 1, UNSET},
    {"bart", 0, 1, 2, 2, 2},
    {"mbart", 0, 1, UNSET, 2, 2},
    {"marian", UNSET, 58100, 58100, 0, 0},
};

static Ids one(int32_t id)
{
    Ids l = {mem_alloc(sizeof id), 1};
    l.id[0] = id;
    return l;
}

static void set_class(Settings *s, const char *type)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].type, type) == 0) {
            s->bos = classes[i].bos;
            s->pad = classes[i].pad;
            s->start = classes[i].start;
            s->eos = one(classes[i].eos);
            if (classes[i].forced_eos != UNSET)
                s->forced_eos = one(classes[i].forced_eos);
        }
}

enum { USUAL_LENGTH = 20 };

static const Settings defaults = {
    .beams = 1,
    .returns = 1,
    .max_length = UNSET,
    .max_new = UNSET,
    .min_length = 0,
    .min_new = UNSET,
    .top_k = 50,
    .early = EARLY_NO,
    .temperature = 1,
    .top_p = 1,
    .min_p = NAN,
    .typical = 1,
    .repetition = 1,
    .encoder_repetition = 1,
    .length_penalty = 1,
    .bos = UNSET,
    .pad = UNSET,
    .start = UNSET,
    .forced_bos = UNSET,
    .decay_start = UNSET,
};

/* ---- values ---- */

static bool is_int(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= INT32_MAX;
}

static int bad_value(const char *key, const char *want, Err *e)
{
    return err_set(e, "%s is not %s", key, want);
}

static int get_ids(const json_t *v, const char *key, Ids *to, Err *e)
{
    free(to->id);
    *to = (Ids){0};
    if (json_is_null(v))
        return 0;
    if (is_int(v)) {
        *to = one((int32_t)json_integer_value(v));
        return 0;
    }
    if (!json_is_array(v))
        return bad_value(key, "a token or a list of tokens", e);
    to->id = mem_array(json_array_size(v) + 1, sizeof *to->id);
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *x = json_array_get(v, i);
        if (!is_int(x))
            return bad_value(key, "a list of tokens", e);
        to->id[to->n++] = (int32_t)json_integer_value(x);
    }
    return 0;
}

static int get_bad(const json_t *v, Settings *s, Err *e)
{
    for (size_t i = 0; i < json_array_size(v); i++) {
        Ids words = {0};
        if (!json_is_array(json_array_get(v, i)) ||
            get_ids(json_array_get(v, i), "bad_words_ids", &words, e) < 0 || !words.n) {
            free(words.id);
            return bad_value("bad_words_ids", "a list of lists of tokens", e);
        }
        settings_bad(s, words);
    }
    return 0;
}

/* The last of equal sequences counts, as in a dict. */
static void add_bias(Settings *s, Ids ids, float bias)
{
    for (int i = 0; i < s->biases; i++)
        if (s->bias[i].ids.n == ids.n &&
            memcmp(s->bias[i].ids.id, ids.id, (size_t)ids.n * sizeof *ids.id) == 0) {
            s->bias[i].bias = bias;
            free(ids.id);
            return;
        }
    s->bias = mem_resize(s->bias, (size_t)s->biases + 1, sizeof *s->bias);
    s->bias[s->biases++] = (SequenceBias){ids, bias};
}

static int get_bias(const json_t *v, Settings *s, Err *e)
{
    for (size_t i = 0; i < json_array_size(v); i++) {
        const json_t *pair = json_array_get(v, i), *bias = json_array_get(pair, 1);
        Ids ids = {0};
        if (!json_is_array(json_array_get(pair, 0)) || !json_is_number(bias) ||
            get_ids(json_array_get(pair, 0), "sequence_bias", &ids, e) < 0 || !ids.n) {
            free(ids.id);
            return bad_value("sequence_bias", "a list of [[token, ...], number]", e);
        }
        add_bias(s, ids, (float)json_number_value(bias));
    }
    return json_is_array(v) || json_is_null(v) ? 0 : bad_value("sequence_bias", "a list", e);
}

static int get_decay(const json_t *v, Settings *s, Err *e)
{
    const json_t *start = json_array_get(v, 0), *factor = json_array_get(v, 1);
    if (json_is_null(v))
        return 0;
    if (!is_int(start) || !json_is_number(factor))
        return bad_value("exponential_decay_length_penalty", "[start, factor]", e);
    s->decay_start = json_integer_value(start);
    s->decay = json_number_value(factor);
    return 0;
}

static int get_early(const json_t *v, Settings *s, Err *e)
{
    if (json_is_string(v) && strcmp(json_string_value(v), "never") == 0)
        s->early = EARLY_NEVER;
    else if (json_is_boolean(v) || json_is_null(v))
        s->early = json_is_true(v) ? EARLY_YES : EARLY_NO;
    else
        return bad_value("early_stopping", "true, false or \"never\"", e);
    return 0;
}

static int get_stops(const json_t *v, Settings *s, Err *e)
{
    if (json_is_string(v))
        settings_stop(s, json_string_value(v));
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (!json_is_string(json_array_get(v, i)))
            return bad_value("stop_strings", "a list of texts", e);
        settings_stop(s, json_string_value(json_array_get(v, i)));
    }
    return 0;
}

/* ---- keys ---- */

typedef enum Kind { WHOLE, REAL, TOKEN, FLAG, SWITCH, LIST } Kind;

/* null: what a null means, which turns a setting off. */
static const struct {
    const char *key;
    Kind kind;
    size_t at;
    double null;
} keys[] = {
#define AT(member) offsetof(Settings, member)
    {"num_beams", WHOLE, AT(beams), 1},
    {"num_return_sequences", WHOLE, AT(returns), 1},
    {"max_length", WHOLE, AT(max_length), UNSET},
    {"max_new_tokens", WHOLE, AT(max_new), UNSET},
    {"min_length", WHOLE, AT(min_length), 0},
    {"min_new_tokens", WHOLE, AT(min_new), UNSET},
    {"no_repeat_ngram_size", WHOLE, AT(no_repeat), 0},
    {"encoder_no_repeat_ngram_size", WHOLE, AT(encoder_no_repeat), 0},
    {"top_k", WHOLE, AT(top_k), 0},
    {"do_sample", SWITCH, AT(sample), 0},
    {"temperature", REAL, AT(temperature), 1},
    {"top_p", REAL, AT(top_p), 1},
    {"min_p", REAL, AT(min_p), NAN},
    {"typical_p", REAL, AT(typical), 1},
    {"epsilon_cutoff", REAL, AT(epsilon), 0},
    {"eta_cutoff", REAL, AT(eta), 0},
    {"repetition_penalty", REAL, AT(repetition), 1},
    {"encoder_repetition_penalty", REAL, AT(encoder_repetition), 1},
    {"length_penalty", REAL, AT(length_penalty), 1},
    {"bos_token_id", TOKEN, AT(bos), UNSET},
    {"pad_token_id", TOKEN, AT(pad), UNSET},
    {"decoder_start_token_id", TOKEN, AT(start), UNSET},
    {"forced_bos_token_id", TOKEN, AT(forced_bos), UNSET},
    {"remove_invalid_values", FLAG, AT(remove_invalid), 0},
    {"renormalize_logits", FLAG, AT(renormalize), 0},
    {"eos_token_id", LIST, AT(eos), 0},
    {"forced_eos_token_id", LIST, AT(forced_eos), 0},
    {"suppress_tokens", LIST, AT(suppress), 0},
    {"begin_suppress_tokens", LIST, AT(begin_suppress), 0},
#undef AT
};

static int get_whole(const json_t *v, const char *key, double null, int64_t *to, Err *e)
{
    if (!json_is_null(v) && !is_int(v))
        return bad_value(key, "a whole number", e);
    *to = json_is_null(v) ? (int64_t)null : json_integer_value(v);
    return 0;
}

static int get_key(const json_t *v, size_t i, Settings *s, Err *e)
{
    void *to = (char *)s + keys[i].at;
    const char *key = keys[i].key;
    bool null = json_is_null(v);
    int64_t n = 0;
    switch (keys[i].kind) {
    case WHOLE: return get_whole(v, key, keys[i].null, to, e);
    case TOKEN:
        if (get_whole(v, key, keys[i].null, &n, e) < 0)
            return -1;
        *(int32_t *)to = (int32_t)n;
        return 0;
    case REAL:
        if (!null && !json_is_number(v))
            return bad_value(key, "a number", e);
        *(double *)to = null ? keys[i].null : json_number_value(v);
        return 0;
    case FLAG:
    case SWITCH:
        if (!null && !json_is_boolean(v))
            return bad_value(key, "true or false", e);
        if (keys[i].kind == FLAG)
            *(bool *)to = json_is_true(v);
        else
            *(int *)to = json_is_true(v);
        return 0;
    case LIST: return get_ids(v, key, to, e);
    }
    return 0;
}

/* Keys that stand for another way to generate, and the value with which they say nothing. */
static int refuse_others(const json_t *o, Err *e)
{
    static const struct {
        const char *key;
        double nothing;
    } other[] = {
        {"guidance_scale", 1}, {"num_beam_groups", 1},       {"diversity_penalty", 0},
        {"penalty_alpha", 0},  {"token_healing", 0},         {"max_time", NAN},
        {"constraints", NAN},  {"force_words_ids", NAN},     {"prompt_lookup_num_tokens", NAN},
        {"dola_layers", NAN},  {"watermarking_config", NAN}, {"low_memory", 0},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        const json_t *v = json_object_get(o, other[i].key);
        bool nothing = !v || json_is_null(v) || json_is_false(v) ||
                       (json_is_number(v) && json_number_value(v) == other[i].nothing);
        if (!nothing)
            return err_set(e, "%s asks for another way to generate, which gen does not have",
                           other[i].key);
    }
    return 0;
}

static int read_keys(const json_t *o, Settings *s, Err *e)
{
    const json_t *v;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if ((v = json_object_get(o, keys[i].key)) && get_key(v, i, s, e) < 0)
            return -1;
    if ((v = json_object_get(o, "early_stopping")) && get_early(v, s, e) < 0)
        return -1;
    if ((v = json_object_get(o, "bad_words_ids")) && get_bad(v, s, e) < 0)
        return -1;
    if ((v = json_object_get(o, "sequence_bias")) && get_bias(v, s, e) < 0)
        return -1;
    if ((v = json_object_get(o, "exponential_decay_length_penalty")) && get_decay(v, s, e) < 0)
        return -1;
    if ((v = json_object_get(o, "stop_strings")) && get_stops(v, s, e) < 0)
        return -1;
    return refuse_others(o, e);
}

/* ---- files ---- */

/* A copy without nulls, which say nothing in config.json but that a class's own tokens are not
 * there. */
static int read_config(json_t *config, const char *type, Settings *s, Err *e)
{
    const char *key;
    json_t *v;
    void *next;
    set_class(s, type);
    json_object_foreach_safe(config, next, key, v) if (json_is_null(v) && !strstr(key, "token_id"))
        json_object_del(config, key);
    if (read_keys(config, s, e) < 0)
        return -1;
    if (strcmp(type, "bart") == 0 && s->forced_bos == UNSET &&
        json_is_true(json_object_get(config, "force_bos_token_to_be_generated")))
        s->forced_bos = s->bos;
    return 0;
}

/* Has config.json a setting that is none of its class's own? */
static bool has_settings(const json_t *config)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strstr(keys[i].key, "token_id") && json_object_get(config, keys[i].key))
            return true;
    return json_object_get(config, "early_stopping") || json_object_get(config, "bad_words_ids") ||
           json_object_get(config, "sequence_bias");
}

static int read_task(const json_t *config, const char *task, Settings *s, Err *e)
{
    const json_t *params = json_object_get(json_object_get(config, "task_specific_params"), task);
    return params ? read_keys(params, s, e) : 0;
}

int settings_load(const char *folder, const char *type, const char *task, Settings *s, Err *e)
{
    Err why = {0};
    *s = defaults;
    json_t *config = jsonfile_load(folder, "config.json", false, e);
    json_t *own = config ? jsonfile_load(folder, "generation_config.json", true, &why) : NULL;
    int r = config && !why.text[0] ? 0 : -1;
    if (r < 0 && config)
        *e = why;
    bool made = own && json_is_true(json_object_get(own, "_from_model_config"));
    folderkeys_note(folder, "generation_config.json", own);
    const char *file =
        own && !(made && has_settings(config)) ? "generation_config.json" : "config.json";
    if (r == 0) {
        r = file[0] == 'g' ? read_keys(own, s, e) : read_config(config, type, s, e);
        if (r < 0)
            err_at(e, "%s/%s", folder, file);
    }
    if (r == 0 && task && (r = read_task(config, task, s, e)) < 0)
        err_at(e, "%s/config.json: task_specific_params: %s", folder, task);
    json_decref(own);
    json_decref(config);
    if (s->max_length == USUAL_LENGTH)
        s->max_length = UNSET; /* as there, a file that says the usual length says nothing */
    return r;
}
