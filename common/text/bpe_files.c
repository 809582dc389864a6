/* bpe_files.c - vocab.json and merges.txt with the files beside them: as transformers' tokenizers
 * of GPT-2, RoBERTa and BART read them. */
#include "text/bpe_model.h"
#include "text/tokenizer_in.h"

#include <limits.h>
#include <stdlib.h>

enum { FAMILY_GPT2, FAMILY_ROBERTA, FAMILY_NONE };

/* By tokenizer_class without "Fast", or by config.json's model_type. */
static const struct {
    const char *class, *type;
    int family;
} families[] = {
    {"GPT2Tokenizer", "gpt2", FAMILY_GPT2},
    {"RobertaTokenizer", "roberta", FAMILY_ROBERTA},
    {"BartTokenizer", "bart", FAMILY_ROBERTA},
    {"LongformerTokenizer", "longformer", FAMILY_ROBERTA},
    {"LEDTokenizer", "led", FAMILY_ROBERTA},
};

typedef struct Usual {
    Special special;
    const char *key, *text; /* in tokenizer_config.json; what it is where nothing is said */
} Usual;

static const Usual roberta[] = {
    {TOK_SPECIALS, "bos_token", "<s>"}, {TOK_SPECIALS, "eos_token", "</s>"},
    {TOK_UNK, "unk_token", "<unk>"},    {TOK_SEP, "sep_token", "</s>"},
    {TOK_PAD, "pad_token", "<pad>"},    {TOK_CLS, "cls_token", "<s>"},
    {TOK_MASK, "mask_token", "<mask>"},
};
static const Usual gpt2[] = {
    {TOK_SPECIALS, "bos_token", "<|endoftext|>"},
    {TOK_SPECIALS, "eos_token", "<|endoftext|>"},
    {TOK_UNK, "unk_token", "<|endoftext|>"},
};

static bool same_class(const char *given, const char *class)
{
    size_t n = strlen(class);
    return strncmp(given, class, n) == 0 &&
           (given[n] == '\0' || strcmp(given + n, "Fast") == 0);
}

static int find_family(const char *folder, const json_t *config, Err *e)
{
    const char *class = json_get_str(config, "tokenizer_class", NULL, e);
    json_t *model = e->text[0] ? NULL : jsonfile_load(folder, "config.json", true, e);
    const char *type = json_get_str(model, "model_type", "", NULL);
    int family = FAMILY_NONE;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (class ? same_class(class, families[i].class) : strcmp(type, families[i].type) == 0)
            family = families[i].family;
    if (family == FAMILY_NONE && !e->text[0])
        err_set(e,
                "vocab.json and merges.txt of '%s' are not supported: those of GPT2Tokenizer, "
                "RobertaTokenizer and BartTokenizer are",
                class ? class : type);
    json_decref(model);
    return e->text[0] ? -1 : family;
}

static int read_vocab(Tokenizer *t, const char *folder, Err *e)
{
    const char *text;
    json_t *root = jsonfile_load(folder, "vocab.json", false, e), *id;
    if (!root)
        return -1;
    json_object_foreach(root, text, id) {
        json_int_t n = json_is_integer(id) ? json_integer_value(id) : -1;
        if (n < 0 || n > INT_MAX)
            err_set(e, "'%s' has no proper id", text);
        else
            vocab_add(&t->vocab, (int32_t)n, str_of(text, strlen(text)), e);
        if (e->text[0])
            break;
    }
    json_decref(root);
    return e->text[0] ? err_at(e, "%s/vocab.json", folder) : 0;
}

static int read_model(Tokenizer *t, const char *folder, const BpeRules *rules, Err *e)
{
    MergeList merges = {0};
    char *path = mem_fmt("%s/merges.txt", folder);
    int bad = merges_read(&merges, &t->vocab, path, e);
    if (!bad && bpe_set(t, rules, &merges, e) < 0)
        bad = err_at(e, "%s", folder);
    free(path);
    merges_free(&merges);
    return bad;
}

static const char *content(const json_t *o)
{
    return json_is_string(o) ? json_string_value(o) : json_get_str(o, "content", NULL, NULL);
}

/* What the files call a special token, else its usual text. */
static int32_t special_id(const Tokenizer *t, const Usual *u, const json_t *config,
                          const json_t *map)
{
    const char *text = content(json_object_get(config, u->key));
    if (!text)
        text = content(json_object_get(map, u->key));
    if (!text)
        text = u->text;
    return tokenizer_find(t, str_of(text, strlen(text)));
}

/* The usual tokens where the files say nothing of them. RoBERTa's mask takes in the space
 * before it. */
static int add_usual(Tokenizer *t, const Usual *usual, size_t n, const json_t *config,
                     const json_t *map, Err *e)
{
    for (size_t i = 0; i < n; i++) {
        const Usual *u = usual + i;
        if (!content(json_object_get(config, u->key)) && !content(json_object_get(map, u->key))) {
            json_t *o = json_pack("{s:s, s:b}", "content", u->text, "lstrip",
                                  u->special == TOK_MASK);
            int bad = tokenizer_add(t, o, -1, true, e);
            json_decref(o);
            if (bad)
                return -1;
        }
        if (u->special != TOK_SPECIALS)
            t->special[u->special] = special_id(t, u, config, map);
    }
    return 0;
}

/* <s> A </s>, <s> A </s> </s> B </s> */
static void add_roberta_templates(Tokenizer *t)
{
    int32_t cls = t->special[TOK_CLS], sep = t->special[TOK_SEP];
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        template_add(to, ITEM_SPECIAL, cls, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        template_add(to, ITEM_SPECIAL, sep, 0);
        if (pair) {
            template_add(to, ITEM_SPECIAL, sep, 0);
            template_add(to, ITEM_SECOND, -1, 0);
            template_add(to, ITEM_SPECIAL, sep, 0);
        }
        to->specials = pair ? 4 : 2;
    }
}

/* Nothing around, or the token of the beginning before all of it. */
static void add_gpt2_templates(Tokenizer *t, int32_t bos)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        if (bos >= 0)
            template_add(to, ITEM_SPECIAL, bos, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        if (pair)
            template_add(to, ITEM_SECOND, -1, 1);
        to->specials = bos >= 0;
    }
}

int bpe_from_files(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                   Err *e)
{
    int family = find_family(folder, config, e);
    if (family < 0)
        return err_at(e, "%s", folder);
    bool is_gpt2 = family == FAMILY_GPT2;
    BpeRules rules = {.prefix = json_get_bool(config, "add_prefix_space", false, e),
                      .trim = !is_gpt2 && json_get_bool(config, "trim_offsets", true, e)};
    bool bos = is_gpt2 && json_get_bool(config, "add_bos_token", false, e);
    rules.trim_prefix = rules.prefix;
    if (e->text[0])
        return err_at(e, "%s/tokenizer_config.json", folder);
    if (read_vocab(t, folder, e) < 0 || read_model(t, folder, &rules, e) < 0)
        return -1;
    if (tokenizer_add_said(t, folder, config, map, e) < 0 ||
        add_usual(t, is_gpt2 ? gpt2 : roberta,
                  is_gpt2 ? sizeof gpt2 / sizeof *gpt2 : sizeof roberta / sizeof *roberta,
                  config, map, e) < 0)
        return err_at(e, "%s", folder);
    if (is_gpt2)
        add_gpt2_templates(t, bos ? special_id(t, gpt2, config, map) : -1);
    else
        add_roberta_templates(t);
    return tokenizer_set_decoder(t, "{\"type\": \"ByteLevel\"}", e);
}
