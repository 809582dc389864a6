/* text_test.c - the tokenizers against what the reference said (tests/golden/tok), and the
 * parts they are made of. */
#include "tests/unit/check.h"

#include "base/utf8.h"
#include "model/model_tokenizer.h"
#include "rows/labels.h"
#include "rows/rows.h"
#include "text/tokenizer_in.h"
#include "text/unicode.h"
#include "text/wordpiece/wordpiece.h"

#include <inttypes.h>

static char *golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/%s", top ? top : ".", name);
}

static Tokenizer *load(const char *model)
{
    Err e = {0};
    char *name = mem_fmt("models/%s", model), *folder = golden(name);
    Tokenizer *t = model_tokenizer(folder, &e);
    if (!t) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    free(name);
    free(folder);
    return t;
}

/* Each line of a golden file as an object. */
static void each_line(const char *name, void (*fn)(const json_t *, void *), void *ctx)
{
    char *path = golden(name), *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "re");
    int lines = 0;
    for (; f && getline(&line, &cap, f) > 0; lines++) {
        json_t *o = json_loads(line, 0, NULL);
        CHECK(o != NULL);
        fn(o, ctx);
        json_decref(o);
    }
    CHECK(lines > 0);
    free(line);
    free(path);
    if (f)
        fclose(f);
}

static Str text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : str_of("", 0);
}

static int64_t at(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static bool same_spans(const json_t *want, const int32_t (*span)[2], size_t n)
{
    bool same = json_array_size(want) == n;
    for (size_t i = 0; same && i < n; i++) {
        const json_t *s = json_array_get(want, i);
        same = at(s, 0) == span[i][0] && at(s, 1) == span[i][1];
    }
    return same;
}

static bool same_ids(const json_t *want, const int32_t *id, size_t n)
{
    bool same = json_array_size(want) == n;
    for (size_t i = 0; same && i < n; i++)
        same = at(want, i) == id[i];
    return same;
}

static bool same_bytes(const json_t *want, const uint8_t *p, size_t n)
{
    bool same = json_array_size(want) == n;
    for (size_t i = 0; same && i < n; i++)
        same = at(want, i) == p[i];
    return same;
}

/* ---- texts ---- */

typedef struct Ready {
    const Tokenizer *t;
    TokWork *w;
    void *model; /* the same for the kind of tokenizer beneath */
} Ready;

static void text_line(const json_t *o, void *ctx)
{
    const Ready *p = ctx;
    Tokens got = {0};
    Str text = text_of(o, "text");
    tokenizer_encode(p->t, p->w, text, 0, &got);
    bool same = same_ids(json_object_get(o, "ids"), got.id, got.n) &&
                same_spans(json_object_get(o, "spans"), got.span, got.n);
    if (!same)
        fprintf(stderr, "differs: %.*s\n", (int)text.n, text.p);
    CHECK(same);
    tokens_free(&got);
}

static void texts(const char *model)
{
    Tokenizer *t = load(model);
    Ready p = {.t = t, .w = tokwork_new(t)};
    char *name = mem_fmt("tok/%s.jsonl", model);
    each_line(name, text_line, &p);
    each_line(name, text_line, &p); /* now with a warm cache */
    free(name);
    tokwork_free(p.w);
    tokenizer_free(t);
}

/* ---- rows ---- */

static void pair_line(const json_t *o, void *ctx)
{
    static const char *const truncs[] = {"longest", "first", "second"};
    const char *trunc = text_of(o, "trunc").p;
    RowSpec spec = {.tokenizer = ctx,
                    .pair = true,
                    .stride = -1,
                    .max = json_integer_value(json_object_get(o, "max"))};
    while (strcmp(truncs[spec.trunc], trunc) != 0)
        spec.trunc++;
    Rows *r = rows_new(&spec);
    RowIn in = {.text = text_of(o, "text"), .pair = text_of(o, "pair")};
    Err e = {0};
    CHECK(rows_add(r, &in, &e) == 0);
    Frame *f = rows_take(r);
    size_t n = (size_t)f->tokens;
    CHECK(same_ids(json_object_get(o, "ids"), frame_get(f, "token.id")->data, n));
    CHECK(same_spans(json_object_get(o, "spans"), frame_get(f, "token.span")->data, n));
    CHECK(same_bytes(json_object_get(o, "types"), frame_get(f, "token.type")->data, n));
    CHECK(same_bytes(json_object_get(o, "parts"), frame_get(f, "token.part")->data, n));
    CHECK(frame_check(f, &e) == 0);
    frame_free(f);
    rows_free(r);
}

static void window_line(const json_t *o, void *ctx)
{
    const json_t *rows = json_object_get(o, "rows");
    RowSpec spec = {.tokenizer = ctx,
                    .pair = json_is_string(json_object_get(o, "pair")),
                    .max = json_integer_value(json_object_get(o, "max")),
                    .stride = json_integer_value(json_object_get(o, "stride"))};
    Rows *r = rows_new(&spec);
    RowIn in = {.text = text_of(o, "text"), .pair = text_of(o, "pair"), .source = 7};
    Err e = {0};
    CHECK(rows_add(r, &in, &e) == 0);
    Frame *f = rows_take(r);
    CHECK(f->rows == (int64_t)json_array_size(rows));
    const int64_t *ends = frame_get(f, "row.tokens")->data;
    const int32_t *id = frame_get(f, "token.id")->data;
    for (int64_t i = 0; i < f->rows && i < (int64_t)json_array_size(rows); i++) {
        CHECK(same_ids(json_array_get(rows, (size_t)i), id + ends[i],
                       (size_t)(ends[i + 1] - ends[i])));
        CHECK(((int64_t *)frame_get(f, "row.source")->data)[i] == 7);
        CHECK(frame_text(f, "row.text", i).n == in.text.n);
    }
    /* The windows share their text. */
    CHECK((size_t)frame_get(f, "text.utf8")->shape[0] == in.text.n);
    frame_free(f);
    rows_free(r);
}

static void refused_rows(const Tokenizer *t)
{
    Err e = {0};
    RowIn in = {.text = str_of("one two three four five six seven", 33),
                .pair = str_of("a b c d e f g", 13)};
    RowSpec spec = {.tokenizer = t, .pair = true, .max = 8, .trunc = TRUNC_FIRST, .stride = -1};
    Rows *r = rows_new(&spec);
    CHECK(rows_add(r, &in, &e) < 0);
    CHECK_TEXT(e.text, "the second alone has 7");
    CHECK(rows_waiting(r) == 0);
    rows_free(r);
    spec = (RowSpec){.tokenizer = t, .max = 6, .stride = 4};
    r = rows_new(&spec);
    CHECK(rows_add(r, &in, &e) < 0);
    CHECK_TEXT(e.text, "lower -S");
    rows_free(r);
}

static void id_rows(void)
{
    RowSpec spec = {.stride = -1, .max = 3};
    Rows *r = rows_new(&spec);
    Err e = {0};
    CHECK(rows_add(r, &(RowIn){.text = str_of("101, 7\t102 9", 12)}, &e) == 0);
    CHECK(rows_add(r, &(RowIn){.text = str_of("", 0)}, &e) == 0);
    CHECK(rows_add(r, &(RowIn){.text = str_of("1 x", 3)}, &e) < 0);
    CHECK_TEXT(e.text, "id 2: 'x'");
    CHECK(rows_add(r, &(RowIn){.text = str_of("2147483648", 10)}, &e) < 0);
    CHECK(rows_add(r, &(RowIn){.text = str_of("123456789012345678901234567890", 30)}, &e) < 0);
    CHECK(rows_cut(r) == 1);
    Frame *f = rows_take(r);
    CHECK(f->rows == 2 && f->tokens == 3);
    CHECK(((int32_t *)frame_get(f, "token.id")->data)[2] == 102);
    frame_free(f);
    f = rows_take(r);
    CHECK(f->rows == 0 && f->count == 0);
    frame_free(f);
    rows_free(r);
}

/* ---- every code point ---- */

static uint64_t fnv(uint64_t h, uint32_t n)
{
    return (h ^ n) * 0x100000001b3u;
}

static void point(const Ready *p, Str text, uint64_t *normal, uint64_t *tokens)
{
    static Normal out;
    static Tokens got;
    int len;
    out.n = got.n = 0;
    p->t->model->normalise(p->t->model, p->model, text, 0, &out);
    for (size_t i = 0; i < out.n; i += (size_t)len)
        *normal = fnv(*normal, utf8_get(out.p + i, &len));
    tokenizer_encode(p->t, p->w, text, 0, &got);
    for (size_t i = 0; i < got.n; i++)
        *tokens = fnv(*tokens, (uint32_t)got.id[i]);
    for (size_t i = 0; i < got.n; i++)
        *tokens = fnv(fnv(*tokens, (uint32_t)got.span[i][0]), (uint32_t)got.span[i][1]);
}

/* A block of code points, each alone and between two letters. */
static void block(const Ready *p, uint32_t first, uint64_t *normal, uint64_t *tokens)
{
    *normal = *tokens = 0xcbf29ce484222325u;
    for (uint32_t cp = first ? first : 1; cp < first + 4096; cp++) {
        char text[6] = "a";
        if (cp >= 0xd800 && cp <= 0xdfff)
            continue;
        size_t n = (size_t)utf8_put(cp, text + 1);
        CHECK(utf8_check(text, n + 1) == n + 1);
        text[n + 1] = 'b';
        point(p, str_of(text + 1, n), normal, tokens);
        point(p, str_of(text, n + 2), normal, tokens);
    }
}

static void points(void)
{
    Tokenizer *t = load("wordpiece-uncased");
    Ready p = {t, tokwork_new(t), t->model->work_new(t->model)};
    char *path = golden("tok/points.tsv");
    FILE *f = fopen(path, "re");
    uint32_t first;
    uint64_t want_normal, want_tokens, normal, tokens;
    int blocks = 0;
    while (f &&
           fscanf(f, "%" SCNx32 "%" SCNx64 "%" SCNx64, &first, &want_normal, &want_tokens) == 3) {
        block(&p, first, &normal, &tokens);
        if (normal != want_normal || tokens != want_tokens)
            fprintf(stderr, "code points U+%04" PRIX32 " to U+%04" PRIX32 " differ\n", first,
                    first + 4095);
        CHECK(normal == want_normal);
        CHECK(tokens == want_tokens);
        blocks++;
    }
    CHECK(blocks == 272);
    if (f)
        fclose(f);
    free(path);
    t->model->work_free(p.model);
    tokwork_free(p.w);
    tokenizer_free(t);
}

/* ---- parts ---- */

static void utf8(void)
{
    static const char *const bad[] = {
        "\x80",
        "a\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xe2\x82",
        "\xc3",
        "\xff",
        "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(utf8_check(bad[i], strlen(bad[i])) == (bad[i][0] == 'a'));
    char text[200];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = '\xff';
        CHECK(utf8_check(text, sizeof text) == i);
        text[i] = 'x';
    }
    CHECK(utf8_check("", 0) == 0);
}

static void vocabularies(void)
{
    Vocab v = {0};
    Err e = {0};
    CHECK(vocab_find(&v, str_of("a", 1)) == -1);
    CHECK(vocab_add(&v, 5, str_of("five", 4), &e) == 0);
    CHECK(vocab_add(&v, 0, str_of("", 0), &e) == 0);
    CHECK(vocab_add(&v, 6, str_of("five", 4), &e) < 0);
    CHECK_TEXT(e.text, "'five' is there twice");
    CHECK(vocab_add(&v, 5, str_of("six", 3), &e) < 0);
    CHECK_TEXT(e.text, "id 5 is there twice");
    CHECK(vocab_add(&v, 2000000000, str_of("far", 3), &e) < 0);
    CHECK_TEXT(e.text, "out of reason");
    CHECK(vocab_find(&v, str_of("five", 4)) == 5);
    CHECK(vocab_find(&v, str_of("", 0)) == -1);
    CHECK(vocab_text(&v, 4).p == NULL && vocab_text(&v, 6).p == NULL);
    for (int i = 10; i < 5000; i++) {
        char word[16];
        int n = snprintf(word, sizeof word, "w%d", i);
        CHECK(vocab_add(&v, i, str_of(word, (size_t)n), &e) == 0);
    }
    CHECK(vocab_find(&v, str_of("w4999", 5)) == 4999);
    CHECK(vocab_find(&v, str_of("w5000", 5)) == -1);
    vocab_free(&v);
}

static void label_names(void)
{
    Labels l = {0};
    Err e = {0};
    Str name;
    CHECK(labels_parse(&l, "0=neg,2=pos,4=pos,x", &e) == 0);
    CHECK(labels_name(&l, str_of("4", 1), &name, &e) == 0);
    CHECK(name.n == 3 && memcmp(name.p, "pos", 3) == 0);
    CHECK(labels_name(&l, str_of("", 0), &name, &e) == 0 && name.n == 0);
    CHECK(labels_name(&l, str_of("pos", 3), &name, &e) < 0);
    CHECK_TEXT(e.text, "label 'pos' is not one of 0, 2, 4, x");
    char *json = labels_json(&l);
    CHECK(strcmp(json, "[\"neg\",\"pos\",\"x\"]") == 0);
    free(json);
    labels_free(&l);
    static const char *const bad[] = {"", "a,", ",a", "a,,b", "=x", "0=", "a,a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(labels_parse(&l, bad[i], &e) < 0);
        labels_free(&l);
    }
}

static void folders(void)
{
    Tokenizer *t = load("wordpiece-uncased");
    CHECK(tokenizer_max_length(t) == 48);
    CHECK(tokenizer_has_types(t));
    CHECK(tokenizer_special(t, TOK_MASK) == 4 && tokenizer_special(t, TOK_PAD) == 0);
    CHECK(tokenizer_find(t, str_of("[SEP]", 5)) == 3);
    CHECK(tokenizer_text(t, 2).n == 5);
    tokenizer_free(t);
    t = load("wordpiece-added");
    CHECK(tokenizer_max_length(t) == 0);
    CHECK(tokenizer_text(t, tokenizer_size(t) - 1).p != NULL);
    tokenizer_free(t);
}

int main(void)
{
    utf8();
    vocabularies();
    label_names();
    folders();
    texts("wordpiece-uncased");
    texts("wordpiece-cased");
    texts("wordpiece-added");
    Tokenizer *t = load("wordpiece-uncased");
    each_line("tok/pairs.jsonl", pair_line, t);
    each_line("tok/windows.jsonl", window_line, t);
    refused_rows(t);
    tokenizer_free(t);
    id_rows();
    points();
    return checked();
}
