/* class_test.c - what is known of tokenizer classes and model types, against what transformers
 * knows of them (tests/golden/tok/classes.tsv): by config.json's model_type, and by the class that
 * tokenizer_config.json names. */
#include "tests/unit/check.h"

#include "model/model_tokenizer.h"
#include "text/tokenizer_in.h"

/* A vocabulary with all names that special tokens have. */
static const char tokenizer_json[] =
    "{\"added_tokens\": [], \"normalizer\": null, \"pre_tokenizer\": {\"type\": "
    "\"BertPreTokenizer\"}, "
    "\"model\": {\"type\": \"WordPiece\", \"unk_token\": \"[UNK]\", \"vocab\": {\"[UNK]\": 0, "
    "\"[CLS]\": 1, \"[SEP]\": 2, \"[PAD]\": 3, \"[MASK]\": 4, \"<s>\": 5, \"</s>\": 6, \"<pad>\": "
    "7, "
    "\"<mask>\": 8, \"<unk>\": 9, \"<|endoftext|>\": 10}}}";

/* A line of the golden file. */
typedef struct Row {
    char type[32], class[32], special[TOK_SPECIALS][32];
    int lstrip, normalized, types;
    long long length;
} Row;

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "we");
    CHECK(f && fputs(text, f) >= 0);
    if (f)
        fclose(f);
}

static void check_special(const Tokenizer *t, const Row *r)
{
    for (int s = 0; s < TOK_SPECIALS; s++) {
        int32_t id = tokenizer_special(t, s);
        Str text = id < 0 ? str_of("-", 1) : tokenizer_text(t, id);
        bool same = strlen(r->special[s]) == text.n && memcmp(text.p, r->special[s], text.n) == 0;
        if (!same)
            fprintf(stderr, "%s: special token %d is %.*s, not %s\n", r->type, s, (int)text.n,
                    text.p, r->special[s]);
        CHECK(same);
    }
}

static void check_mask(const Tokenizer *t, const Row *r)
{
    int32_t place =
        vocab_find(&t->given, str_of(r->special[TOK_MASK], strlen(r->special[TOK_MASK])));
    bool there = strcmp(r->special[TOK_MASK], "-") != 0;
    CHECK((place >= 0) == there);
    CHECK(!there || place < 0 || t->added[place].lstrip == r->lstrip);
    CHECK(!there || place < 0 || t->added[place].normalized == r->normalized);
}

/* The folder of a model of which these two files tell. */
static void check_folder(const Row *r, const char *config, const char *tokenizer_config)
{
    Err e = {0};
    write_file("config.json", config);
    write_file("tokenizer_config.json", tokenizer_config);
    Tokenizer *t = model_tokenizer(".", &e);
    CHECK(t != NULL);
    if (!t) {
        fprintf(stderr, "%s: %s\n", r->type, e.text);
        return;
    }
    CHECK_TEXT(t->class->name ? t->class->name : "no class", r->class);
    check_special(t, r);
    check_mask(t, r);
    if (tokenizer_max_length(t) != r->length || tokenizer_has_types(t) != r->types)
        fprintf(stderr, "%s: %s %s:\n", r->type, config, tokenizer_config);
    CHECK(tokenizer_max_length(t) == r->length);
    CHECK(tokenizer_has_types(t) == r->types);
    tokenizer_free(t);
}

static void check_row(const Row *r)
{
    static const char length[] = "\"max_position_embeddings\": 40, \"pad_token_id\": 1";
    char *by_type = mem_fmt("{\"model_type\": \"%s\", %s}", r->type, length);
    char *silent = mem_fmt("{%s}", length);
    char *class = mem_fmt("{\"tokenizer_class\": \"%s\"}", r->class);
    char *fast = mem_fmt("{\"tokenizer_class\": \"%sFast\"}", r->class);
    check_folder(r, by_type, "{}");
    check_folder(r, silent, class);
    check_folder(r, silent, fast);
    free(by_type);
    free(silent);
    free(class);
    free(fast);
}

int main(void)
{
    const char *top = getenv("TOP");
    char *path = mem_fmt("%s/tests/golden/tok/classes.tsv", top ? top : ".");
    FILE *f = fopen(path, "re");
    Row r;
    int rows = 0;
    own_folder();
    write_file("tokenizer.json", tokenizer_json);
    for (; f && fscanf(f, "%31s %31s %31s %31s %31s %31s %31s %d %d %d %lld", r.type, r.class,
                       r.special[0], r.special[1], r.special[2], r.special[3], r.special[4],
                       &r.lstrip, &r.normalized, &r.types, &r.length) == 11;
         rows++)
        check_row(&r);
    CHECK(rows > 0 && feof(f));
    if (f)
        fclose(f);
    free(path);
    return checked();
}
