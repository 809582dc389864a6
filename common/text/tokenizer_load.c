#include "text/tokenizer_in.h"

#include <inttypes.h>
#include <stdio.h>
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

static void shorten(int64_t *length, int64_t n)
{
    if (n > 0 && n < LENGTH_MAX && (!*length || n < *length))
        *length = n;
}

/* The smallest of what the model and the folder's files allow; sentence-transformers' own goes
 * before the tokenizer's. */
static void read_length(Tokenizer *t, const TokFolder *from)
{
    const char *key = json_object_get(from->config, "model_max_length") ? "model_max_length"
                                                                        : "max_len"; /* of old */
    int64_t n = json_get_int(from->sentence, "max_seq_length", 0, NULL);
    shorten(&t->max_length, n > 0 ? n : json_get_int(from->config, key, 0, NULL));
    shorten(&t->max_length, from->facts->max_length);
}

/* sentence-transformers' configuration of its Transformer, by its names of all times. */
static json_t *load_sentence(const char *folder, Err *e)
{
    static const char *const kinds[] = {"bert",   "roberta",     "distilbert", "camembert",
                                        "albert", "xlm-roberta", "xlnet"};
    json_t *j = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !j && !e->text[0]; i++) {
        char *name = mem_fmt("sentence_%s_config.json", kinds[i]);
        j = jsonfile_load(folder, name, true, e);
        free(name);
    }
    return j;
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

/* Only its own class reads these, and no tokenizer.json beside them. */
static bool is_marian(const Tokenizer *t, const TokFolder *from)
{
    return t->class->name && strcmp(t->class->name, "MarianTokenizer") == 0 &&
           file_exists(from->path, "source.spm");
}

/* What stands in a tokenizer.json's place, in the order in which it is looked for. */
static int read_parts(Tokenizer *t, const TokFolder *from, Err *e)
{
    int bad;
    const char *spiece = find_spiece(from->path);
    if (is_marian(t, from)) {
        t->kind = "SentencePiece";
        bad = marian_from_files(t, from, e);
    } else if (file_exists(from->path, "vocab.txt")) {
        t->kind = "WordPiece";
        bad = rules_check_vocab(from, e) < 0 ? -1 : bert_from_files(t, from, e);
    } else if (file_exists(from->path, "vocab.json") && file_exists(from->path, "merges.txt")) {
        t->kind = "BPE";
        bad = bpe_from_files(t, from, e);
    } else if (spiece) {
        t->kind = "SentencePiece"; /* Unigram or BPE */
        return spiece_from_file(t, from, spiece, e) < 0 ? err_at(e, "%s/%s", from->path, spiece)
                                                        : 0;
    } else {
        bad = err_set(e, "no tokenizer.json, vocab.txt, vocab.json with merges.txt, "
                         "spiece.model, or source.spm of marian: is it a model's folder?");
    }
    return bad ? err_at(e, "%s", from->path) : 0;
}

/* Llama's class, once it is told whether a space goes first, makes its tokenizer of tokenizer.model
 * anew, whatever tokenizer.json has. */
static int read_llama(Tokenizer *t, const TokFolder *from, Err *e)
{
    static const char name[] = "tokenizer.model";
    if (!file_exists(from->path, name))
        return err_set(e,
                       "%s/tokenizer_config.json: add_prefix_space is not supported without %s: "
                       "LlamaTokenizer then reads that, and not tokenizer.json",
                       from->path, name);
    t->kind = "SentencePiece";
    return spiece_from_file(t, from, name, e) < 0 ? err_at(e, "%s/%s", from->path, name) : 0;
}

static int read_files(Tokenizer *t, const TokFolder *from, Err *e)
{
    if (rules_remake_llama(from))
        return read_llama(t, from, e);
    if (!file_exists(from->path, "tokenizer.json") || is_marian(t, from))
        return read_parts(t, from, e);
    if (tokenizer_from_json(t, from, e) < 0)
        return err_at(e, "%s/tokenizer.json", from->path);
    if (tokenizer_add_said(t, from, e) < 0 || rules_template(t, from, e) < 0)
        return err_at(e, "%s", from->path);
    return 0;
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

/* The class that the files name, where it is known. */
static const TokClass *class_of(const TokFolder *from)
{
    const TokClass *named =
        tokclass_find(json_get_str(from->config, "tokenizer_class", NULL, NULL));
    return named->name ? named : tokclass_find(from->facts->class);
}

static void find_specials(Tokenizer *t, const TokFolder *from)
{
    if (!t->usual)
        t->usual = guess_names(t);
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const char *text = special_text(t, from, i);
        int32_t id = text ? tokenizer_find(t, str_of(text, strlen(text))) : -1;
        if (i != TOK_UNK || id >= 0)
            t->special[i] = id;
    }
}

/* Without token types in the list of what goes into the model, it gets none. */
static bool has_types(const TokFolder *from)
{
    const json_t *names = json_object_get(from->config, "model_input_names"), *name;
    size_t i;
    if (!json_is_array(names))
        return from->facts->types;
    json_array_foreach(names, i, name) {
        if (json_is_string(name) && strcmp(json_string_value(name), "token_type_ids") == 0)
            return from->facts->types;
    }
    return false;
}

/* tokenizer.json has said it, unless the configuration does. */
static int read_side(Tokenizer *t, const TokFolder *from, Err *e)
{
    const char *side = json_get_str(from->config, "truncation_side", NULL, e);
    if (side && strcmp(side, "left") != 0 && strcmp(side, "right") != 0)
        err_set(e, "truncation_side '%s' is neither left nor right", side);
    if (e->text[0])
        return err_at(e, "%s/tokenizer_config.json", from->path);
    if (side)
        t->left = *side == 'l';
    return 0;
}

static int by_length(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The median of the entries' lengths in characters, rounded down. */
static int64_t middling_length(const Tokenizer *t)
{
    int32_t n = tokenizer_size(t);
    int64_t *length = mem_zero((size_t)n + 2, sizeof *length), middle;
    for (int32_t id = 0; id < n; id++) {
        Str s = tokenizer_text(t, id);
        for (size_t i = 0; i < s.n; i++)
            length[id] += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    qsort(length, (size_t)n, sizeof *length, by_length);
    middle = n ? (length[n / 2] + length[(n - 1) / 2]) / 2 : 0;
    free(length);
    return middle;
}

/* Ids without special tokens are no others' rows, though the vocabulary may be the same. */
static void stand_alone(Tokenizer *t, const TokFacts *facts)
{
    char rules[64];
    int n = snprintf(rules, sizeof rules, "alone %d", facts->known ? (int)t->left_out : -1);
    Hash *h = hash_new();
    hash_add(h, t->fingerprint, strlen(t->fingerprint));
    hash_add(h, rules, (size_t)n);
    hash_end(h, t->fingerprint);
    free(t->single.item);
    free(t->pair.item);
    t->single = t->pair = (Template){0};
    tokenizer_bare_templates(t);
    if (facts->known)
        t->characters = middling_length(t);
}

static int load_from(Tokenizer *t, const TokFolder *from, Err *e)
{
    t->class = class_of(from);
    t->usual = t->class->special;
    t->types = has_types(from);
    t->lower = json_get_bool(from->sentence, "do_lower_case", false, NULL);
    if (rules_check(from, e) < 0)
        return err_at(e, "%s", from->path);
    t->clean = json_get_bool(from->config, "clean_up_tokenization_spaces", false, NULL);
    if (from->facts->alone && !file_exists(from->path, "tokenizer.json"))
        return err_set(e, "%s: no tokenizer.json, which static embeddings need", from->path);
    if (read_files(t, from, e) < 0)
        return -1;
    tokenizer_added_ready(t);
    int32_t missing = missing_id(t);
    if (missing >= 0)
        return err_set(e, "%s: the vocabulary has nothing with id %" PRId32, from->path, missing);
    find_specials(t, from);
    read_length(t, from);
    if (from->facts->alone)
        stand_alone(t, from->facts);
    return read_side(t, from, e);
}

Tokenizer *tokenizer_load(const char *folder, const TokFacts *facts, Err *e)
{
    e->text[0] = '\0';
    json_t *config = NULL, *map = NULL, *sentence = NULL;
    if (!facts->alone)
        config = jsonfile_load(folder, "tokenizer_config.json", true, e);
    if (!facts->alone && !e->text[0])
        map = jsonfile_load(folder, "special_tokens_map.json", true, e);
    if (!facts->alone && !e->text[0])
        sentence = load_sentence(folder, e);
    TokFolder from = {folder, config, map, sentence, facts};
    Tokenizer *t = mem_zero(1, sizeof *t);
    t->left_out = -1;
    for (int i = 0; i < TOK_SPECIALS; i++)
        t->special[i] = -1;
    int bad = e->text[0] ? -1 : load_from(t, &from, e);
    json_decref(config);
    json_decref(map);
    json_decref(sentence);
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
