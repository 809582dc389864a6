/* decode_test.c - ids back to texts, and tokens to words, against what the reference said
 * (tests/oracle/decode.py). */
#include "tests/unit/check.h"

#include "model/model_tokenizer.h"
#include "text/tokenizer_in.h"

static char *golden(const char *name)
{
    const char *top = getenv("TOP");
    return mem_fmt("%s/tests/golden/%s", top ? top : ".", name);
}

/* The tokenizer of a row's model; rows of one model stand together. */
static Tokenizer *model_of(const json_t *row)
{
    static char *current;
    static Tokenizer *t;
    const char *name = row ? json_string_value(json_object_get(row, "model")) : NULL;
    Err e = {0};
    if (current && name && strcmp(current, name) == 0)
        return t;
    tokenizer_free(t);
    free(current);
    current = mem_str(name);
    t = NULL;
    if (name) {
        char *model = mem_fmt("models/%s", name), *folder = golden(model);
        t = model_tokenizer(folder, &e);
        if (!t)
            fprintf(stderr, "%s\n", e.text);
        free(model);
        free(folder);
    }
    return t;
}

static void each_line(const char *name, void (*fn)(const json_t *row))
{
    char *path = golden(name), *line = NULL;
    size_t cap = 0;
    FILE *f = fopen(path, "re");
    int lines = 0;
    for (; f && getline(&line, &cap, f) > 0; lines++) {
        json_t *row = json_loads(line, 0, NULL);
        CHECK(row != NULL);
        fn(row);
        json_decref(row);
    }
    CHECK(lines > 0);
    free(line);
    free(path);
    if (f)
        fclose(f);
    model_of(NULL);
}

static Str text_of(const json_t *o)
{
    return str_of(json_string_value(o), json_string_length(o));
}

static bool same(const char *what, const json_t *row, const Buf *got)
{
    Str want = text_of(json_object_get(row, "text"));
    if (got->n == want.n && (!want.n || memcmp(got->p, want.p, want.n) == 0))
        return true;
    char *said = json_dumps(row, 0);
    fprintf(stderr, "%s: got '%.*s' for %s\n", what, (int)got->n, got->p ? got->p : "", said);
    free(said);
    return false;
}

static void decode(const json_t *row)
{
    Tokenizer *t = model_of(row);
    const json_t *ids = json_object_get(row, "ids");
    size_t n = json_array_size(ids);
    int32_t *id = mem_array(n, sizeof *id);
    Buf out = {0};
    CHECK(t != NULL);
    if (t) {
        for (size_t i = 0; i < n; i++)
            id[i] = (int32_t)json_integer_value(json_array_get(ids, i));
        bool own = t->clean;
        t->clean = own || json_is_true(json_object_get(row, "clean"));
        buf_str(&out, " .");
        tokenizer_decode(t, id, n, json_is_true(json_object_get(row, "raw")), &out);
        t->clean = own;
        CHECK(memcmp(out.p, " .", 2) == 0); /* what stood there before is left alone */
        memmove(out.p, out.p + 2, out.n -= 2);
        CHECK(same("decode", row, &out));
    }
    free(out.p);
    free(id);
}

static void run_decoder(const json_t *row)
{
    const json_t *tokens = json_object_get(row, "tokens");
    size_t n = json_array_size(tokens);
    Str *token = mem_array(n, sizeof *token);
    Decoder *d = NULL;
    Buf out = {0};
    Err e = {0};
    for (size_t i = 0; i < n; i++)
        token[i] = text_of(json_array_get(tokens, i));
    CHECK(decoder_new(&d, json_object_get(row, "decoder"), &e) == 0);
    decoder_run(d, token, n, &out);
    CHECK(same("decoder", row, &out));
    decoder_free(d);
    free(token);
    free(out.p);
}

static void words(const json_t *row)
{
    Tokenizer *t = model_of(row);
    const json_t *list = json_object_get(row, "words");
    Str text = text_of(json_object_get(row, "text"));
    CHECK(t != NULL);
    TokWork *w = t ? tokwork_new(t) : NULL;
    for (size_t i = 0; w && i < json_array_size(list); i++) {
        int32_t want[4], got[2];
        for (size_t k = 0; k < 4; k++)
            want[k] = (int32_t)json_integer_value(json_array_get(json_array_get(list, i), k));
        tokenizer_word(t, w, text, want[0], want[1], got);
        bool equal = got[0] == want[2] && got[1] == want[3];
        if (!equal)
            fprintf(stderr, "%s: '%.*s': word of [%d, %d) should be [%d, %d): [%d, %d)\n",
                    json_string_value(json_object_get(row, "model")), (int)text.n, text.p, want[0],
                    want[1], want[2], want[3], got[0], got[1]);
        CHECK(equal);
    }
    tokwork_free(w);
}

static void refused(const char *json, const char *want)
{
    json_t *o = json_loads(json, 0, NULL);
    Decoder *d = NULL;
    Err e = {0};
    CHECK(decoder_new(&d, o, &e) < 0);
    CHECK_TEXT(e.text, want);
    decoder_free(d);
    json_decref(o);
}

int main(void)
{
    each_line("tok/decode.jsonl", decode);
    each_line("tok/decoders.jsonl", run_decoder);
    each_line("tok/words.jsonl", words);
    refused("{\"type\": \"CTC\"}", "decoder 'CTC' is not supported");
    refused("{}", "decoder 'without a type' is not supported");
    refused("{\"type\": \"Replace\", \"pattern\": {\"Regex\": \"(a+\"}, \"content\": \"\"}",
            "decoder Replace: the regular expression '(a+': a group without its end");
    refused("{\"type\": \"BPEDecoder\", \"suffix\": \"\"}", "decoder BPEDecoder: suffix");
    refused("{\"type\": \"Strip\", \"content\": \"ab\"}", "content is not one character");
    return checked();
}
