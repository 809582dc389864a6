#include "text/tokenizer_in.h"

#include <inttypes.h>
#include <stdlib.h>

/* Some configurations say "no limit" by a number like 1e30. */
enum { LENGTH_MAX = 1000000000, CHUNK = 1 << 16 };

void tokenizer_identify(Tokenizer *t, const char *rules, const void *more, size_t bytes)
{
    Hash *h = hash_new();
    Buf b = {0};
    for (int32_t id = 0; id < t->vocab.count; id++) {
        Str s = vocab_text(&t->vocab, id);
        buf_add(&b, &id, sizeof id);
        buf_add(&b, &s.n, sizeof s.n);
        buf_add(&b, s.p, s.n);
        if (b.n >= CHUNK) { /* large bites are much faster */
            hash_add(h, b.p, b.n);
            b.n = 0;
        }
    }
    hash_add(h, b.p, b.n);
    free(b.p);
    hash_add(h, rules, strlen(rules));
    if (bytes)
        hash_add(h, more, bytes);
    hash_end(h, t->fingerprint);
}

int tokenizer_set_decoder(Tokenizer *t, const char *json, Err *e)
{
    json_t *o = json_loads(json, JSON_DECODE_ANY, NULL);
    decoder_free(t->decoder);
    int bad = decoder_new(&t->decoder, o, e);
    json_decref(o);
    return bad;
}

/* What transformers' classes and models add to what the files say. */
typedef struct Family {
    const char *class, *type; /* tokenizer_class without "Tokenizer"; model_type */
    const char *const *names;
    bool lstrip, normalized; /* of the mask token */
    int64_t types;           /* token types that the model has unless it says how many */
    bool padded;             /* its positions begin behind the padding's id */
    bool endless;            /* it has no positions to run out of */
} Family;

static const Family families[] = {
    {.class = "Bert", .type = "bert", .names = names_bert, .types = 2},
    {.class = "DistilBert", .type = "distilbert", .names = names_bert},
    {.class = "Electra", .type = "electra", .names = names_bert, .types = 2},
    {.class = "MobileBert", .type = "mobilebert", .names = names_bert, .types = 2},
    {.class = "Roberta", .type = "roberta", .names = names_roberta, .lstrip = true, .padded = true},
    {.class = "Longformer",
     .type = "longformer",
     .names = names_roberta,
     .lstrip = true,
     .padded = true},
    {.class = "XLMRoberta",
     .type = "xlm-roberta",
     .names = names_roberta,
     .lstrip = true,
     .padded = true},
    {.class = "Camembert",
     .type = "camembert",
     .names = names_roberta,
     .lstrip = true,
     .padded = true},
    {.class = "MPNet", .type = "mpnet", .names = names_mpnet, .lstrip = true, .padded = true},
    {.class = "Bart", .type = "bart", .names = names_roberta, .lstrip = true, .normalized = true},
    {.class = "GPT2", .type = "gpt2", .names = names_gpt2},
    {.class = "T5", .type = "t5", .names = names_t5, .endless = true},
    {.class = "T5", .type = "mt5", .names = names_t5, .endless = true},
    {.class = "Albert", .type = "albert", .names = names_albert, .lstrip = true, .types = 2},
};
static const Family unknown_family;

static const Family *family_of_class(const char *class)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        size_t n = strlen(families[i].class);
        if (strncmp(class, families[i].class, n) == 0 &&
            (strcmp(class + n, "Tokenizer") == 0 || strcmp(class + n, "TokenizerFast") == 0))
            return families + i;
    }
    return &unknown_family;
}

static const Family *family_of_type(const char *type)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(families[i].type, type) == 0)
            return families + i;
    return &unknown_family;
}

static void shorten(int64_t *length, const json_t *o, const char *key, int64_t less)
{
    const json_t *v = json_object_get(o, key);
    int64_t n = json_is_integer(v) ? json_integer_value(v) - less : 0;
    if (n > 0 && n < LENGTH_MAX && (!*length || n < *length))
        *length = n;
}

/* The smallest of what the folder's files allow; whether the model has token types. */
static int read_limits(Tokenizer *t, const char *folder, const json_t *config, const json_t *model,
                       const Family *family, Err *e)
{
    json_t *sentence = jsonfile_load(folder, "sentence_bert_config.json", true, e);
    if (e->text[0])
        return -1;
    int64_t behind = family->padded ? json_get_int(model, "pad_token_id", 1, NULL) + 1 : 0;
    shorten(&t->max_length, sentence, "max_seq_length", 0);
    shorten(&t->max_length, config, "model_max_length", 0);
    if (!family->endless) {
        shorten(&t->max_length, model, "max_position_embeddings", behind);
        shorten(&t->max_length, model, "n_positions", 0);
        shorten(&t->max_length, model, "n_ctx", 0);
    }
    /* One type is none. */
    t->types = json_get_int(model, "type_vocab_size", family->types, NULL) > 1;
    json_decref(sentence);
    return 0;
}

/* A SentencePiece model, by the names that T5 and ALBERT, XLM-R, Llama and others give it. */
static const char *find_spiece(const char *folder)
{
    static const char *const names[] = {"spiece.model", "sentencepiece.bpe.model",
                                        "tokenizer.model", "spm.model", "spiece.bpe.model"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (file_exists(folder, names[i]))
            return names[i];
    return NULL;
}

/* What stands in a tokenizer.json's place, in the order in which it is looked for. */
static int read_parts(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                      Err *e)
{
    int bad;
    const char *spiece = find_spiece(folder);
    if (file_exists(folder, "vocab.txt")) {
        t->kind = "WordPiece";
        bad = bert_from_files(t, folder, config, map, e);
    } else if (file_exists(folder, "vocab.json") && file_exists(folder, "merges.txt")) {
        t->kind = "BPE";
        bad = bpe_from_files(t, folder, config, map, e);
    } else if (spiece) {
        char *path = mem_fmt("%s/%s", folder, spiece);
        t->kind = "SentencePiece";                       /* Unigram or BPE */
        bad = spiece_from_file(t, path, config, map, e); /* its errors say the path */
        free(path);
        return bad;
    } else {
        bad = err_set(e, "no tokenizer.json, vocab.txt, vocab.json with merges.txt, or "
                         "spiece.model: is it a model's folder?");
    }
    return bad ? err_at(e, "%s", folder) : 0;
}

static int read_files(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                      Err *e)
{
    if (!file_exists(folder, "tokenizer.json"))
        return read_parts(t, folder, config, map, e);
    char *path = mem_fmt("%s/tokenizer.json", folder);
    int bad = tokenizer_from_json(t, path, config, e);
    free(path);
    if (bad)
        return err_at(e, "%s/tokenizer.json", folder);
    return tokenizer_add_said(t, folder, config, map, e) < 0 ? err_at(e, "%s", folder) : 0;
}

/* Whose names the vocabulary has, where nothing says what the model is. */
static const char *const *guess_names(const Tokenizer *t)
{
    static const struct {
        const char *has;
        const char *const *names;
    } guesses[] = {
        {"[UNK]", names_bert},   {"<mask>", names_roberta},     {"<s>", names_roberta},
        {"[CLS]", names_albert}, {"<|endoftext|>", names_gpt2}, {"</s>", names_t5},
    };
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (tokenizer_find(t, str_of(guesses[i].has, strlen(guesses[i].has))) >= 0)
            return guesses[i].names;
    return NULL;
}

/* The first id that nothing has; -1: each has something. */
static int32_t missing_id(const Tokenizer *t)
{
    if (t->vocab.entries == t->vocab.count && t->extra.count <= t->vocab.count)
        return -1;
    for (int32_t id = 0; id < tokenizer_size(t); id++)
        if (!tokenizer_text(t, id).p)
            return id;
    return -1;
}

static int load_with(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                     const json_t *model, Err *e)
{
    const char *class = json_get_str(config, "tokenizer_class", "", NULL);
    const char *type = json_get_str(model, "model_type", "", NULL);
    const Family *by_class = family_of_class(class), *by_type = family_of_type(type);
    const Family *family = by_class->names ? by_class : by_type;
    t->usual = family->names;
    t->mask.lstrip = family->lstrip;
    t->mask.normalized = family->normalized;
    t->clean = json_get_bool(config, "clean_up_tokenization_spaces", false, NULL);
    if (read_files(t, folder, config, map, e) < 0)
        return -1;
    tokenizer_added_ready(t);
    int32_t missing = missing_id(t);
    if (missing >= 0)
        return err_set(e, "%s: the vocabulary has nothing with id %" PRId32, folder, missing);
    if (!t->usual)
        t->usual = guess_names(t);
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const char *text = special_text(t, config, map, i);
        int32_t id = text ? tokenizer_find(t, str_of(text, strlen(text))) : -1;
        if (i != TOK_UNK || id >= 0)
            t->special[i] = id;
    }
    return read_limits(t, folder, config, model, *type ? by_type : family, e);
}

Tokenizer *tokenizer_load(const char *folder, Err *e)
{
    static const char *const names[] = {"tokenizer_config.json", "special_tokens_map.json",
                                        "config.json"};
    enum { CONFIG, MAP, MODEL, FILES };
    json_t *file[FILES] = {NULL};
    Tokenizer *t = mem_zero(1, sizeof *t);
    for (int i = 0; i < TOK_SPECIALS; i++)
        t->special[i] = -1;
    e->text[0] = '\0';
    for (int i = 0; i < FILES && !e->text[0]; i++)
        file[i] = jsonfile_load(folder, names[i], true, e);
    int bad = e->text[0] ? -1 : load_with(t, folder, file[CONFIG], file[MAP], file[MODEL], e);
    for (int i = 0; i < FILES; i++)
        json_decref(file[i]);
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
    decoder_free(t->decoder);
    vocab_free(&t->vocab);
    vocab_free(&t->extra);
    vocab_free(&t->given);
    added_free(&t->plain);
    added_free(&t->normalised);
    free(t->added);
    free(t->hidden);
    free(t->single.item);
    free(t->pair.item);
    free(t);
}
