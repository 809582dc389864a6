/* tokenizer.json, as the library `tokenizers` writes it. */
#include "text/tokenizer_in.h"

#include <limits.h>

static const char *type_of(const json_t *o)
{
    return json_is_null(o) || !o ? "none" : json_get_str(o, "type", "without a type", NULL);
}

static int unsupported(const char *what, const json_t *o, const char *known, Err *e)
{
    return err_set(e, "%s '%s' is not supported: %s", what, type_of(o), known);
}

static int read_entries(Tokenizer *t, const json_t *vocab, Err *e)
{
    const char *text;
    json_t *id;
    if (!json_is_object(vocab))
        return err_set(e, "model has no vocab");
    json_object_foreach((json_t *)vocab, text, id) {
        json_int_t n = json_is_integer(id) ? json_integer_value(id) : -1;
        if (n < 0 || n > INT_MAX)
            return err_set(e, "vocab: '%s' has no proper id", text);
        if (vocab_add(&t->vocab, (int32_t)n, str_of(text, strlen(text)), e) < 0)
            return err_at(e, "vocab");
    }
    return 0;
}

static int read_model(Tokenizer *t, const json_t *model, BertRules *rules, Err *e)
{
    /* Files of old versions do not say the type; only WordPiece has this member. */
    bool old = !json_object_get(model, "type") &&
               json_object_get(model, "max_input_chars_per_word");
    if (!old && strcmp(type_of(model), "WordPiece") != 0)
        return unsupported("model", model, "WordPiece is", e);
    int64_t chars = json_get_int(model, "max_input_chars_per_word", 100, e);
    rules->prefix = json_get_str(model, "continuing_subword_prefix", "##", e);
    if (e->text[0])
        return err_at(e, "model");
    if (chars < 0 || chars > 10000)
        return err_set(e, "max_input_chars_per_word: %lld is out of range: 0 to 10000",
                       (long long)chars);
    rules->max_chars = (int)chars;
    return read_entries(t, json_object_get(model, "vocab"), e);
}

static int read_normalizer(const json_t *o, BertRules *rules, Err *e)
{
    if (!o || json_is_null(o))
        return 0;
    if (strcmp(type_of(o), "BertNormalizer") != 0)
        return unsupported("normalizer", o, "BertNormalizer is", e);
    rules->clean = json_get_bool(o, "clean_text", true, e);
    rules->cjk = json_get_bool(o, "handle_chinese_chars", true, e);
    rules->lower = json_get_bool(o, "lowercase", true, e);
    rules->strip = json_get_bool(o, "strip_accents", rules->lower, e);
    return e->text[0] ? err_at(e, "normalizer") : 0;
}

/* ["[SEP]", 102] */
static int bert_token(const json_t *o, const char *key, int32_t *id, Err *e)
{
    const json_t *n = json_array_get(json_object_get(o, key), 1);
    if (!json_is_integer(n) || json_integer_value(n) < 0 || json_integer_value(n) > INT_MAX)
        return err_set(e, "post_processor BertProcessing: '%s' has no proper id", key);
    *id = (int32_t)json_integer_value(n);
    return 0;
}

static int read_special(Template *t, const json_t *o, const json_t *specials, int type, Err *e)
{
    const char *name = json_get_str(o, "id", "", NULL);
    const json_t *ids = json_object_get(json_object_get(specials, name), "ids");
    if (!json_array_size(ids))
        return err_set(e, "post_processor: special token '%s' has no ids", name);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        if (!json_is_integer(id) || json_integer_value(id) < 0 ||
            json_integer_value(id) > INT_MAX)
            return err_set(e, "post_processor: special token '%s' has no proper id", name);
        template_add(t, ITEM_SPECIAL, (int32_t)json_integer_value(id), type);
        t->specials++;
    }
    return 0;
}

static int read_template(Template *t, const json_t *list, const json_t *specials, bool pair,
                         Err *e)
{
    int seen[2] = {0, 0};
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const json_t *text = json_object_get(o, "Sequence");
        const json_t *special = json_object_get(o, "SpecialToken");
        int64_t type = json_get_int(text ? text : special, "type_id", 0, NULL);
        if (type < 0 || type > UINT8_MAX)
            return err_set(e, "post_processor: type_id %lld is out of range: 0 to 255",
                           (long long)type);
        if (text) {
            int kind = strcmp(json_get_str(text, "id", "A", NULL), "A") != 0;
            seen[kind]++;
            template_add(t, kind ? ITEM_SECOND : ITEM_FIRST, -1, (int)type);
        } else if (read_special(t, special, specials, (int)type, e) < 0) {
            return -1;
        }
    }
    if (seen[0] != 1 || seen[1] != pair)
        return err_set(e, "post_processor: a template that has each text once is needed");
    return 0;
}

static int read_processor(Tokenizer *t, const json_t *o, Err *e)
{
    int32_t cls, sep;
    if (!o || json_is_null(o)) {
        template_add(&t->single, ITEM_FIRST, -1, 0);
        template_add(&t->pair, ITEM_FIRST, -1, 0);
        template_add(&t->pair, ITEM_SECOND, -1, 0);
        return 0;
    }
    if (strcmp(type_of(o), "BertProcessing") == 0) {
        if (bert_token(o, "cls", &cls, e) < 0 || bert_token(o, "sep", &sep, e) < 0)
            return -1;
        tokenizer_bert_templates(t, cls, sep);
        return 0;
    }
    if (strcmp(type_of(o), "TemplateProcessing") != 0)
        return unsupported("post_processor", o, "BertProcessing and TemplateProcessing are", e);
    const json_t *specials = json_object_get(o, "special_tokens");
    if (read_template(&t->single, json_object_get(o, "single"), specials, false, e) < 0)
        return -1;
    return read_template(&t->pair, json_object_get(o, "pair"), specials, true, e);
}

static int read_added(Tokenizer *t, const json_t *list, Err *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        int64_t id = json_get_int(o, "id", -1, e);
        bool special = json_get_bool(o, "special", false, e);
        if (e->text[0] || tokenizer_add(t, o, id, special, e) < 0)
            return err_at(e, "added_tokens");
    }
    return 0;
}

int tokenizer_from_json(Tokenizer *t, const json_t *root, Err *e)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *words = json_object_get(root, "pre_tokenizer");
    BertRules rules = {0};
    if (read_model(t, model, &rules, e) < 0 ||
        read_normalizer(json_object_get(root, "normalizer"), &rules, e) < 0)
        return -1;
    if (strcmp(type_of(words), "BertPreTokenizer") != 0)
        return unsupported("pre_tokenizer", words, "BertPreTokenizer is", e);
    if (tokenizer_set_bert(t, rules, json_get_str(model, "unk_token", "[UNK]", NULL), e) < 0 ||
        read_processor(t, json_object_get(root, "post_processor"), e) < 0)
        return -1;
    return read_added(t, json_object_get(root, "added_tokens"), e);
}
