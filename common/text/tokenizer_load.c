#include "text/tokenizer_in.h"

#include <inttypes.h>
#include <stdlib.h>

/* Some configurations say "no limit" by a number like 1e30. */
enum { LENGTH_MAX = 1000000000 };

void template_add(Template *t, int kind, int32_t id, int type)
{
    t->item = mem_resize(t->item, (size_t)t->count + 1, sizeof *t->item);
    t->item[t->count++] = (TemplateItem){kind, id, (uint8_t)type};
}

void tokenizer_bert_templates(Tokenizer *t, int32_t cls, int32_t sep)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        template_add(to, ITEM_SPECIAL, cls, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        template_add(to, ITEM_SPECIAL, sep, 0);
        if (pair) {
            template_add(to, ITEM_SECOND, -1, 1);
            template_add(to, ITEM_SPECIAL, sep, 1);
        }
        to->specials = 2 + pair;
    }
}

void tokenizer_identify(Tokenizer *t, const char *rules, const void *more, size_t bytes)
{
    Hash *h = hash_new();
    for (int32_t id = 0; id < t->vocab.count; id++) {
        Str s = vocab_text(&t->vocab, id);
        hash_add(h, &id, sizeof id);
        hash_add(h, &s.n, sizeof s.n);
        hash_add(h, s.p, s.n);
    }
    hash_add(h, rules, strlen(rules));
    if (bytes)
        hash_add(h, more, bytes);
    hash_end(h, t->fingerprint);
}

int tokenizer_set_bert(Tokenizer *t, BertRules rules, const char *unknown, Err *e)
{
    rules.unknown = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    if (rules.unknown < 0)
        return err_set(e, "no '%s' in the vocabulary, which stands for unknown words", unknown);
    t->special[TOK_UNK] = rules.unknown;
    t->prefix = rules.prefix[0] != '\0';
    t->model = bert_new(&t->vocab, &rules);
    char *flags = mem_fmt("wordpiece %s clean=%d cjk=%d strip=%d lower=%d chars=%d",
                          rules.prefix, rules.clean, rules.cjk, rules.strip, rules.lower,
                          rules.max_chars);
    tokenizer_identify(t, flags, NULL, 0);
    free(flags);
    return 0;
}

/* The text as the model would see it: what a normalised added token is sought by. */
static char *normalised_text(const Tokenizer *t, const char *text, size_t *n)
{
    Normal normal = {0};
    void *work = t->model->work_new(t->model);
    t->model->normalise(t->model, work, str_of(text, strlen(text)), 0, &normal);
    t->model->work_free(work);
    char *out = mem_strn(normal.p ? normal.p : "", normal.n);
    *n = normal.n;
    free(normal.p);
    free(normal.span);
    return out;
}

static bool is_added(const AddedSet *s, int32_t id)
{
    for (int i = 0; i < s->count; i++)
        if (s->token[i].id == id)
            return true;
    return false;
}

int tokenizer_add(Tokenizer *t, const json_t *token, int64_t id, bool special, Err *e)
{
    const json_t *o = json_is_object(token) ? token : NULL;
    const char *text = o ? json_get_str(o, "content", "", NULL) : json_string_value(token);
    if (!text || !*text)
        return 0;
    Str s = str_of(text, strlen(text));
    int32_t known = tokenizer_find(t, s);
    if (known >= 0 && id >= 0 && known != id)
        return err_set(e, "'%s' has id %" PRId64 " here and %" PRId32 " in the vocabulary",
                       text, id, known);
    if (id > INT32_MAX)
        return err_set(e, "id %" PRId64 " of '%s' is out of reason", id, text);
    if (known < 0) {
        known = id >= 0 ? (int32_t)id : tokenizer_size(t);
        if (vocab_add(&t->extra, known, s, e) < 0)
            return -1;
    }
    if (is_added(&t->plain, known) || is_added(&t->normalised, known))
        return 0;
    Added a = {.id = known,
               .special = special,
               .single_word = json_get_bool(o, "single_word", false, NULL),
               .lstrip = json_get_bool(o, "lstrip", false, NULL),
               .rstrip = json_get_bool(o, "rstrip", false, NULL),
               .normalized = json_get_bool(o, "normalized", !special, NULL)};
    if (a.normalized) {
        a.text = normalised_text(t, text, &a.n);
    } else {
        a.text = mem_str(text);
        a.n = s.n;
    }
    if (!a.n) {
        free(a.text); /* nothing of it is left to be found */
        return 0;
    }
    added_add(a.normalized ? &t->normalised : &t->plain, a);
    return 0;
}

static const struct {
    const char *key, *usual;
} specials[TOK_SPECIALS] = {
    [TOK_CLS] = {"cls_token", "[CLS]"}, [TOK_SEP] = {"sep_token", "[SEP]"},
    [TOK_PAD] = {"pad_token", "[PAD]"}, [TOK_MASK] = {"mask_token", "[MASK]"},
    [TOK_UNK] = {"unk_token", "[UNK]"},
};

static const char *content(const json_t *o)
{
    return json_is_string(o) ? json_string_value(o) : json_get_str(o, "content", NULL, NULL);
}

const json_t *special_said(const json_t *config, const json_t *map, Special s)
{
    const json_t *o = json_object_get(config, specials[s].key);
    if (content(o))
        return o;
    o = json_object_get(map, specials[s].key);
    return content(o) ? o : NULL;
}

const char *special_text(const json_t *config, const json_t *map, Special s)
{
    const json_t *o = special_said(config, map, s);
    return o ? content(o) : specials[s].usual;
}

static void shorten(int64_t *length, const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    int64_t n = json_is_integer(v) ? json_integer_value(v) : 0;
    if (n > 0 && n < LENGTH_MAX && (!*length || n < *length))
        *length = n;
}

/* The smallest of what the folder's files allow; whether the model has token types. */
static int read_limits(Tokenizer *t, const char *folder, const json_t *config, Err *e)
{
    json_t *sentence = jsonfile_load(folder, "sentence_bert_config.json", true, e);
    json_t *model = e->text[0] ? NULL : jsonfile_load(folder, "config.json", true, e);
    shorten(&t->max_length, sentence, "max_seq_length");
    shorten(&t->max_length, config, "model_max_length");
    shorten(&t->max_length, model, "max_position_embeddings");
    /* BERT's configuration need not say that it has two. */
    const char *family = json_get_str(model, "model_type", "bert", NULL);
    int64_t usual = strcmp(family, "bert") == 0 ? 2 : 0;
    t->types = json_get_int(model, "type_vocab_size", usual, NULL) > 0;
    json_decref(sentence);
    json_decref(model);
    return e->text[0] ? -1 : 0;
}

static int load_with(Tokenizer *t, const char *folder, const json_t *config,
                     const json_t *map, Err *e)
{
    json_t *root = jsonfile_load(folder, "tokenizer.json", true, e);
    int bad = 0;
    if (e->text[0])
        return -1;
    if (root) {
        bad = tokenizer_from_json(t, root, e);
        if (bad)
            err_at(e, "%s/tokenizer.json", folder);
    } else if (file_exists(folder, "vocab.txt")) {
        bad = tokenizer_from_vocab(t, folder, config, map, e);
        if (bad)
            err_at(e, "%s", folder);
    } else {
        bad = err_set(e, "%s: no tokenizer.json and no vocab.txt: is it a model's folder?",
                      folder);
    }
    json_decref(root);
    if (bad)
        return -1;
    added_ready(&t->plain);
    added_ready(&t->normalised);
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const char *text = special_text(config, map, i);
        int32_t id = tokenizer_find(t, str_of(text, strlen(text)));
        if (i != TOK_UNK || id >= 0)
            t->special[i] = id;
    }
    return read_limits(t, folder, config, e);
}

Tokenizer *tokenizer_load(const char *folder, Err *e)
{
    Tokenizer *t = mem_zero(1, sizeof *t);
    for (int i = 0; i < TOK_SPECIALS; i++)
        t->special[i] = -1;
    e->text[0] = '\0';
    json_t *config = jsonfile_load(folder, "tokenizer_config.json", true, e), *map = NULL;
    if (!e->text[0])
        map = jsonfile_load(folder, "special_tokens_map.json", true, e);
    int bad = e->text[0] ? -1 : load_with(t, folder, config, map, e);
    json_decref(config);
    json_decref(map);
    if (!bad)
        return t;
    tokenizer_free(t);
    return NULL;
}

void tokenizer_free(Tokenizer *t)
{
    if (!t)
        return;
    if (t->model)
        t->model->free(t->model);
    vocab_free(&t->vocab);
    vocab_free(&t->extra);
    added_free(&t->plain);
    added_free(&t->normalised);
    free(t->single.item);
    free(t->pair.item);
    free(t);
}
