/* bpe_test.c - byte-level BPE against what the reference said (tests/golden/tok/bpe*), and the
 * parts it is made of.
 *
 *     bpe_test                 the small models
 *     bpe_test MODEL FOLDER    what bpe-digests.tsv says of MODEL, which FOLDER holds
 */
#include "tests/unit/drawn.h"

#include "base/utf8.h"
#include "model/model_tokenizer.h"
#include "text/bpe/bpe.h"
#include "text/bpe/bytelevel.h"
#include "text/bytechars.h"
#include "text/tokenizer_in.h"

#include <inttypes.h>

static Tokenizer *load(const char *folder)
{
    Err e = {0};
    Tokenizer *t = model_tokenizer(folder, &e);
    if (!t) {
        fprintf(stderr, "%s\n", e.text);
        exit(1);
    }
    return t;
}

/* ---- digests ---- */

/* The blocks that bpe-digests.tsv has of a model. */
static void compare_digests(const char *model, const char *folder)
{
    char *path = golden("tok/bpe-digests.tsv"), name[32], set[16];
    Pool pool = pool_read();
    Tokenizer *t = load(folder);
    Digest d = {.t = t, .w = tokwork_new(t)};
    FILE *f = fopen(path, "re");
    uint32_t first;
    uint64_t want;
    int blocks = 0;
    while (f && fscanf(f, "%31s %15s %" SCNx32 " %" SCNx64, name, set, &first, &want) == 4) {
        if (strcmp(name, model) != 0)
            continue;
        d.hash = 0xcbf29ce484222325u;
        if (strcmp(set, "points") == 0)
            digest_points(&d, first);
        else
            digest_drawn(&d, &pool, first);
        if (d.hash != want)
            fprintf(stderr, "%s: %s from %" PRIx32 " differ\n", model, set, first);
        CHECK(d.hash == want);
        blocks++;
    }
    CHECK(blocks > 0);
    if (f)
        fclose(f);
    tokens_free(&d.tokens);
    tokwork_free(d.w);
    tokenizer_free(t);
    json_decref(pool.list);
    free(path);
}

/* ---- texts with all that is known of them ---- */

static int64_t number(const json_t *list, size_t i)
{
    return json_integer_value(json_array_get(list, i));
}

static bool same_span(const json_t *want, const int32_t span[2])
{
    return number(want, 0) == span[0] && number(want, 1) == span[1];
}

static void compare_text(const Tokenizer *t, TokWork *w, const json_t *o)
{
    const json_t *ids = json_object_get(o, "ids"), *s = json_object_get(o, "text");
    Str text = str_of(json_string_value(s), json_string_length(s));
    Tokens got = {0};
    tokenizer_encode(t, w, text, 0, &got);
    bool same = json_array_size(ids) == got.n;
    for (size_t i = 0; same && i < got.n; i++) {
        const json_t *word = json_array_get(json_object_get(o, "words"), i);
        int32_t span[2];
        same = number(ids, i) == got.id[i] &&
               same_span(json_array_get(json_object_get(o, "spans"), i), got.span[i]);
        if (!same || json_is_null(word))
            continue;
        tokenizer_word(t, w, text, got.span[i][0], got.span[i][1], span);
        if (!same_span(word, span))
            fprintf(stderr, "word of token %zu: %d to %d\n", i, span[0], span[1]);
        same = same_span(word, span);
    }
    if (!same)
        fprintf(stderr, "differs: '%.*s'\n", (int)text.n, text.p);
    CHECK(same);
    tokens_free(&got);
}

static void compare_texts(const char *model, const char *folder)
{
    char *name = mem_fmt("tok/%s.jsonl", model), *path = golden(name), *line = NULL;
    Tokenizer *t = load(folder);
    TokWork *w = tokwork_new(t);
    size_t cap = 0;
    int lines = 0;
    FILE *f = fopen(path, "re");
    for (; f && getline(&line, &cap, f) > 0; lines++) {
        json_t *o = json_loads(line, 0, NULL);
        compare_text(t, w, o);
        compare_text(t, w, o); /* now from the cache */
        json_decref(o);
    }
    CHECK(lines > 50);
    if (f)
        fclose(f);
    free(line);
    tokwork_free(w);
    tokenizer_free(t);
    free(path);
    free(name);
}

/* ---- the parts ---- */

static void alphabet(void)
{
    bool seen[256] = {false};
    for (uint32_t cp = 0; cp < 0x400; cp++) {
        int byte = char_byte(cp);
        CHECK(byte < 0 || (!seen[byte] && byte_char((uint8_t)byte) == cp));
        if (byte >= 0)
            seen[byte] = true;
    }
    for (int i = 0; i < 256; i++)
        CHECK(seen[i]);
}

/* The block's beginnings are those that the pattern gives word by word, wherever it ends. */
static void blocks_of(const BlPattern *pattern)
{
    static const char letters[] = "ab' \ns9.'tl e\xc3\xa9\t 've  SLL1\r\n2\n  ";
    uint64_t state = 7;
    for (int round = 0; round < 20000; round++) {
        char text[BL_BLOCK + 1];
        size_t n = 1 + below(&state, BL_BLOCK - 1);
        uint64_t range = 2 + below(&state, sizeof letters - 2);
        memset(text, ' ', sizeof text);
        for (size_t i = 0; i < n; i++) {
            char c = letters[below(&state, range)];
            text[i] = (unsigned char)c < 0x80 ? c : '-';
        }
        uint64_t starts = pattern->starts(text, n, 1), want = 0;
        for (const char *p = text; p < text + n; p = pattern->word(p, text + n))
            want |= UINT64_C(1) << (p - text);
        CHECK(starts == (want | UINT64_C(1) << n));
        /* With more behind it, none of those it gives may be wrong. */
        size_t part = 1 + below(&state, n);
        uint64_t some = pattern->starts(text, part, 0);
        CHECK((some & ~want) == 0 && (some & 1));
        /* Nor with what is not ASCII behind it. */
        char held = text[part];
        text[part] = (char)0xc3;
        some = pattern->starts(text, n, 1);
        text[part] = held;
        CHECK(part == n || ((some & ~want) == 0 && (some & 1)));
    }
}

static void blocks(void)
{
    static const char *const patterns[] = {
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
    };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        const BlPattern *pattern = bytelevel_pattern(patterns[i]);
        CHECK(pattern != NULL);
        if (pattern)
            blocks_of(pattern);
    }
}

static void split_all(const Bpe *b, const char *p, size_t n, int32_t *ids, size_t *count)
{
    BpeWork w = {0};
    size_t from = 0;
    bool more;
    *count = 0;
    do {
        more = bpe_split(b, &w, (BpeWord){p, n, false}, &from);
        memcpy(ids + *count, w.id, w.n * sizeof *ids);
        *count += w.n;
    } while (more);
    bpework_clear(&w);
}

/* The plain definition: again and again the lowest of all ranks. */
static size_t join_plainly(const Tokenizer *t, const MergeList *m, const char *p, size_t n,
                           int32_t *id)
{
    for (size_t i = 0; i < n; i++) {
        char text[4];
        int len = utf8_put(byte_char((uint8_t)p[i]), text);
        id[i] = tokenizer_find(t, str_of(text, (size_t)len));
    }
    for (size_t rank = 0; rank < m->n; rank++) {
        const Merge *merge = m->merge + rank;
        size_t to = 0;
        for (size_t i = 0; i < n; i++) {
            bool both = i + 1 < n && id[i] == merge->left && id[i + 1] == merge->right;
            id[to++] = both ? merge->whole : id[i];
            i += both;
        }
        n = to;
    }
    return n;
}

/* Words of one letter, of two by turns, and of many, as long as several windows. */
static void long_words(void)
{
    enum { LONG = 40000 };
    Err e = {0};
    MergeList merges = {0};
    char *folder = golden("models/bpe-gpt2-files");
    char *path = mem_fmt("%s/merges.txt", folder);
    Tokenizer *t = load(folder);
    CHECK(merges_read(&merges, &t->vocab, path, &e) == 0);
    Bpe *b = bpe_new(&t->vocab, &merges, &e);
    char *text = mem_alloc(LONG);
    int32_t *got = mem_array(LONG, sizeof *got), *want = mem_array(LONG, sizeof *want);
    uint64_t state = 3;
    for (uint64_t letters = 1; letters < 26; letters += 4) {
        for (size_t i = 0; i < LONG; i++)
            text[i] = (char)('a' + (letters == 1 ? 0 : below(&state, letters)));
        for (size_t n = LONG; n > 30; n = n * 2 / 3) {
            size_t count, wanted = join_plainly(t, &merges, text, n, want);
            split_all(b, text, n, got, &count);
            CHECK(count == wanted && memcmp(got, want, count * sizeof *got) == 0);
        }
    }
    free(text);
    free(got);
    free(want);
    bpe_free(b);
    merges_free(&merges);
    tokenizer_free(t);
    free(path);
    free(folder);
}

/* A text of many words is not read to its end where few tokens are wanted. */
static void limits(void)
{
    enum { LONG = 1 << 20 };
    char *folder = golden("models/bpe-gpt2"), *text = mem_alloc(LONG);
    Tokenizer *t = load(folder);
    TokWork *w = tokwork_new(t);
    Tokens got = {0};
    for (int words = 0; words < 2; words++) {
        memset(text, 'x', LONG);
        for (size_t i = 0; words && i < LONG; i += 5)
            text[i] = ' ';
        got.n = 0;
        tokenizer_encode(t, w, str_of(text, LONG), 16, &got);
        CHECK(got.n > 16 && got.n < 10000);
    }
    tokens_free(&got);
    tokwork_free(w);
    tokenizer_free(t);
    free(text);
    free(folder);
}

int main(int argc, char **argv)
{
    static const char *const models[] = {"bpe-gpt2", "bpe-roberta", "bpe-gpt2-files",
                                         "bpe-roberta-files"};
    if (argc == 3) {
        compare_digests(argv[1], argv[2]);
        return checked();
    }
    alphabet();
    blocks();
    long_words();
    limits();
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char *name = mem_fmt("models/%s", models[i]), *folder = golden(name);
        compare_texts(models[i], folder);
        compare_digests(models[i], folder);
        free(folder);
        free(name);
    }
    return checked();
}
