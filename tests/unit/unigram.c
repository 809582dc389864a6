/* unigram FOLDER NAME - a tokenizer of SentencePiece's kind against what the reference said:
 * tests/golden/tok/NAME.jsonl (ids, spans, words; twice, the second time with a warm cache,
 * then with an added token sought in normalised text, which takes the other way) and the lines
 * of sp-points.tsv (every code point alone and as aXb). */
#include "tests/unit/check.h"

#include "base/utf8.h"
#include "model/model_tokenizer.h"
#include "text/tokenizer_in.h"

#include <inttypes.h>

static char *golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/tok/%s", top ? top : ".", name);
}

static int64_t at(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static bool is_span(const json_t *want, const int32_t span[2])
{
    return at(want, 0) == span[0] && at(want, 1) == span[1];
}

static bool same(const json_t *o, const Tokens *got)
{
    const json_t *ids = json_object_get(o, "ids"), *spans = json_object_get(o, "spans");
    bool is = json_array_size(ids) == got->n;
    for (size_t i = 0; is && i < got->n; i++)
        is = at(ids, i) == got->id[i] && is_span(json_array_get(spans, i), got->span[i]);
    return is;
}

static void check_words(const Tokenizer *t, TokWork *w, Str text, const json_t *o,
                        const Tokens *got)
{
    const json_t *words = json_object_get(o, "words");
    for (size_t i = 0; i < got->n; i++) {
        int32_t span[2];
        if (json_is_null(json_array_get(words, i)))
            continue; /* a character has become several words */
        tokenizer_word(t, w, text, got->span[i][0], got->span[i][1], span);
        if (!is_span(json_array_get(words, i), span))
            fprintf(stderr, "%.*s: word of token %zu [%d, %d): [%d, %d)\n", (int)text.n, text.p, i,
                    (int)got->span[i][0], (int)got->span[i][1], (int)span[0], (int)span[1]);
        CHECK(is_span(json_array_get(words, i), span));
    }
}

static void check_texts(const Tokenizer *t, TokWork *w, const char *name, bool with_words)
{
    char *file = mem_fmt("%s.jsonl", name), *path = golden(file), *line = NULL;
    size_t cap = 0;
    int lines = 0;
    Tokens got = {0};
    FILE *f = fopen(path, "re");
    for (; f && getline(&line, &cap, f) > 0; lines++) {
        json_t *o = json_loads(line, JSON_ALLOW_NUL, NULL), *s = json_object_get(o, "text");
        Str text = str_of(json_string_value(s), json_string_length(s));
        got.n = 0;
        tokenizer_encode(t, w, text, 0, &got);
        if (!same(o, &got))
            fprintf(stderr, "differs: %s", line);
        CHECK(same(o, &got));
        if (with_words && same(o, &got))
            check_words(t, w, text, o, &got);
        json_decref(o);
    }
    CHECK(lines > 0);
    tokens_free(&got);
    free(line);
    free(path);
    free(file);
    if (f)
        fclose(f);
}

static uint64_t fnv(uint64_t h, int64_t n)
{
    return (h ^ (uint64_t)n) * 0x100000001b3u;
}

static uint64_t plane_hash(const Tokenizer *t, TokWork *w, uint32_t plane)
{
    uint64_t h = 0xcbf29ce484222325u;
    Tokens got = {0};
    for (uint32_t cp = plane << 16; cp < (plane + 1) << 16; cp++)
        for (int between = 0; between < 2 && cp && (cp < 0xd800 || cp > 0xdfff); between++) {
            char text[6] = "a";
            int n = between + utf8_put(cp, text + between);
            if (between)
                text[n++] = 'b';
            got.n = 0;
            tokenizer_encode(t, w, str_of(text, (size_t)n), 0, &got);
            for (size_t i = 0; i < got.n; i++)
                h = fnv(h, got.id[i]);
            for (size_t i = 0; i < got.n; i++)
                h = fnv(fnv(h, got.span[i][0]), got.span[i][1]);
        }
    tokens_free(&got);
    return h;
}

static void check_points(const Tokenizer *t, TokWork *w, const char *name)
{
    char *path = golden("sp-points.tsv"), model[64];
    uint32_t plane;
    uint64_t hash;
    int planes = 0;
    FILE *f = fopen(path, "re");
    while (f && fscanf(f, "%63s %" SCNu32 " %" SCNx64, model, &plane, &hash) == 3) {
        if (strcmp(model, name) != 0)
            continue;
        uint64_t got = plane_hash(t, w, plane);
        if (got != hash)
            fprintf(stderr, "plane %u differs\n", (unsigned)plane);
        CHECK(got == hash);
        planes++;
    }
    CHECK(planes > 0);
    free(path);
    if (f)
        fclose(f);
}

/* The same texts by way of normalise() and encode_normal(), which an added token that no text
 * has calls for. */
static void check_normal(const char *folder, const char *name)
{
    Err e = {0};
    Tokenizer *t = model_tokenizer(folder, &e);
    Added a = {.text = mem_str("\x7f~~~\x7f"), .n = 5, .id = 0, .normalized = true};
    if (t->normalised.count) {
        free(a.text);
    } else {
        added_add(&t->normalised, a);
        added_ready(&t->normalised);
        TokWork *w = tokwork_new(t);
        check_texts(t, w, name, false);
        tokwork_free(w);
    }
    tokenizer_free(t);
}

int main(int argc, char **argv)
{
    Err e = {0};
    if (argc != 3)
        return 2;
    Tokenizer *t = model_tokenizer(argv[1], &e);
    if (!t) {
        fprintf(stderr, "%s\n", e.text);
        return 1;
    }
    TokWork *w = tokwork_new(t);
    check_texts(t, w, argv[2], true);
    check_texts(t, w, argv[2], false);
    check_points(t, w, argv[2]);
    tokwork_free(w);
    tokenizer_free(t);
    check_normal(argv[1], argv[2]);
    return checked();
}
