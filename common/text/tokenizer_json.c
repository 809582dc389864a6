/* tokenizer.json, as the library `tokenizers` writes it. */
#include "text/tokenizer_in.h"

#include "text/jsontables.h"

#include <stdlib.h>

const char *tokenizer_part(const json_t *o)
{
    return json_is_null(o) || !o ? "none" : json_get_str(o, "type", "without a type", NULL);
}

bool tokenizer_part_is(const json_t *o, const char *type)
{
    return strcmp(tokenizer_part(o), type) == 0;
}

const json_t *tokenizer_part_at(const json_t *o, const char *key, size_t i)
{
    if (tokenizer_part_is(o, "Sequence"))
        return json_array_get(json_object_get(o, key), i);
    return i == 0 && json_is_object(o) ? o : NULL;
}

int tokenizer_unsupported(const char *what, const json_t *o, const char *known, Err *e)
{
    return err_set(e, "%s '%s' is not supported: %s", what, tokenizer_part(o), known);
}

typedef struct Kind {
    const char *type;
    bool scored, merges; /* the vocabulary is a list with scores; there are merges */
    int (*make)(Tokenizer *t, const TokFile *f, Err *e);
} Kind;

/* Are the parts beside a BPE those that SentencePiece's has? Metaspace, or none that cuts words
 * where a normalizer puts marks; and bytes for what is unknown. */
static bool is_spiece(const TokFile *f)
{
    const json_t *p;
    if (json_get_bool(f->model, "byte_fallback", false, NULL) ||
        !tokenizer_part_at(f->words, "pretokenizers", 0))
        return true;
    for (size_t i = 0; (p = tokenizer_part_at(f->words, "pretokenizers", i)); i++)
        if (tokenizer_part_is(p, "Metaspace"))
            return true;
    return false;
}

static int any_bpe_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    return (is_spiece(f) ? spbpe_from_json : bpe_from_json)(t, f, e);
}

/* BERT's own parts together, or others. */
static int any_wordpiece_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    bool own = !f->normalizer || json_is_null(f->normalizer) ||
               tokenizer_part_is(f->normalizer, "BertNormalizer");
    if (own && tokenizer_part_is(f->words, "BertPreTokenizer"))
        return bert_from_json(t, f, e);
    return words_from_json(t, f, e);
}

static const Kind kinds[] = {
    {"WordPiece", false, false, any_wordpiece_from_json},
    {"WordLevel", false, false, level_from_json},
    {"BPE", false, true, any_bpe_from_json},
    {"Unigram", true, false, unigram_from_json},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Files of old versions do not say the type; a member tells. */
static const char *model_type(const JsonCut *cut, const json_t *model)
{
    if (json_object_get(model, "type"))
        return tokenizer_part(model);
    if (json_object_get(model, "max_input_chars_per_word"))
        return "WordPiece";
    if (cut->table[CUT_MERGES].p)
        return "BPE";
    if (json_object_get(model, "unk_id"))
        return "Unigram";
    return tokenizer_part(model);
}

static const Kind *find_kind(const JsonCut *cut, const json_t *model, Err *e)
{
    const char *type = model_type(cut, model);
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds + i;
    if (!model)
        err_set(e, "no model in it");
    else
        err_set(e, "model '%s' is not supported: WordPiece, WordLevel, BPE and Unigram are", type);
    return NULL;
}

static int read_tables(Tokenizer *t, const JsonCut *cut, const Kind *kind, TokFile *f, Err *e)
{
    Str vocab = cut->table[CUT_VOCAB];
    if (vocab.p && (*vocab.p == '[') != kind->scored)
        return err_set(e, "vocab is not what model '%s' has", kind->type);
    if (jsontables_vocab(cut, &t->vocab, &f->score, e) < 0)
        return -1;
    return kind->merges ? jsontables_merges(cut, &t->vocab, &f->merges, e) : 0;
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

static void override(json_t *part, const char *key, const json_t *config, const char *said,
                     bool or_null)
{
    json_t *v = json_object_get(config, said);
    if (json_is_boolean(v) || (v && or_null && json_is_null(v)))
        json_object_set(part, key, v);
}

/* A flag that the class has by itself, where tokenizer_config.json does not say it; null there
 * leaves the file's own. */
static void replace(json_t *part, const char *key, const json_t *config, bool other)
{
    const json_t *v = json_object_get(config, key);
    if (!json_is_null(v) || !v)
        json_object_set_new(part, key, json_boolean(json_is_boolean(v) ? json_is_true(v) : other));
}

/* What tokenizer_config.json says goes before the file's own, as in transformers' classes. */
static void take_config(json_t *root, const TokFolder *from)
{
    const json_t *config = from->config;
    json_t *normalizer = json_object_get(root, "normalizer");
    json_t *words = json_object_get(root, "pre_tokenizer");
    json_t *processor = json_object_get(root, "post_processor");
    const char *class = json_get_str(config, "tokenizer_class", "", NULL);
    /* A tokenizer.json by itself is the library's, with no class about it. */
    if (tokenizer_part_is(words, "ByteLevel") && (config || from->facts->typed))
        replace(words, "add_prefix_space", config, false);
    if (rules_make_template(from)) {
        json_object_set_new(root, "post_processor", json_null());
        processor = NULL;
    }
    if (strncmp(class, "PreTrained", 10) == 0)
        return; /* the class without rules of its own */
    if (tokenizer_part_is(normalizer, "BertNormalizer")) {
        override(normalizer, "lowercase", config, "do_lower_case", false);
        override(normalizer, "strip_accents", config, "strip_accents", true);
        override(normalizer, "handle_chinese_chars", config, "tokenize_chinese_chars", false);
    }
    if (tokenizer_part_is(processor, "RobertaProcessing") && rules_are_roberta(from)) {
        replace(processor, "add_prefix_space", config, false);
        replace(processor, "trim_offsets", config, true);
    }
}

static int read_parts(Tokenizer *t, const JsonCut *cut, TokFile *f, Err *e)
{
    const Kind *kind = find_kind(cut, f->model, e);
    if (!kind || read_tables(t, cut, kind, f, e) < 0 || kind->make(t, f, e) < 0 ||
        decoder_new(&t->decoder, f->decoder, e) < 0 ||
        tokenizer_read_processor(t, f->processor, e) < 0)
        return -1;
    t->kind = kind->type;
    return read_added(t, json_object_get(cut->root, "added_tokens"), e);
}

/* As sentence-transformers does it: a Lowercase before all else, unless there is one. In BERT's own
 * normalizer it may as well be the last step. */
static void take_lower(Tokenizer *t, json_t *root)
{
    json_t *normalizer = json_object_get(root, "normalizer");
    const json_t *o;
    for (size_t i = 0; t->lower && (o = tokenizer_part_at(normalizer, "normalizers", i)); i++)
        if (tokenizer_part_is(o, "Lowercase"))
            t->lower = false;
    if (!t->lower || !tokenizer_part_is(normalizer, "BertNormalizer"))
        return;
    const json_t *strip = json_object_get(normalizer, "strip_accents");
    if (!json_is_boolean(strip)) /* it goes by the flag that changes here */
        json_object_set_new(normalizer, "strip_accents",
                            json_boolean(json_get_bool(normalizer, "lowercase", true, NULL)));
    json_object_set_new(normalizer, "lowercase", json_true());
    t->lower = false;
}

/* Where a row is cut, unless tokenizer_config.json says it; where the file stands alone, to how
 * many tokens. */
static int read_truncation(Tokenizer *t, const json_t *o, const TokFacts *facts, Err *e)
{
    if (facts->known)
        return 0;
    const char *side = json_get_str(o, "direction", "Right", e);
    t->max_length = facts->alone ? json_get_int(o, "max_length", 0, e) : 0;
    if (!e->text[0] && strcmp(side, "Left") != 0 && strcmp(side, "Right") != 0)
        err_set(e, "the direction '%s' is neither Left nor Right", side);
    t->left = *side == 'L';
    return e->text[0] ? err_at(e, "truncation") : 0;
}

static int read_file(Tokenizer *t, JsonCut *cut, const TokFolder *from, Err *e)
{
    take_config(cut->root, from);
    take_lower(t, cut->root);
    t->bare_words =
        rules_want_space(from) && !json_get_bool(from->config, "add_prefix_space", false, NULL);
    if (read_truncation(t, json_object_get(cut->root, "truncation"), from->facts, e) < 0)
        return -1;
    TokFile f = {.model = json_object_get(cut->root, "model"),
                 .normalizer = json_object_get(cut->root, "normalizer"),
                 .words = json_object_get(cut->root, "pre_tokenizer"),
                 .processor =
                     from->facts->alone ? NULL : json_object_get(cut->root, "post_processor"),
                 .decoder = json_object_get(cut->root, "decoder")};
    int bad = read_parts(t, cut, &f, e);
    if (from->facts->known)
        t->left_out = t->special[TOK_UNK];
    merges_free(&f.merges);
    free(f.score);
    return bad;
}

int tokenizer_from_json(Tokenizer *t, const TokFolder *from, Err *e)
{
    JsonCut cut;
    char *path = mem_fmt("%s/tokenizer.json", from->path);
    int bad = jsoncut_open(&cut, path, e);
    free(path);
    if (bad)
        return -1;
    bad = read_file(t, &cut, from, e);
    jsoncut_close(&cut);
    return bad;
}
