/* unigram_test.c - what SentencePiece's kind of tokenizer is made of, and damaged files. */
#include "tests/unit/check.h"

#include "text/normal/charsmap.h"
#include "text/normal/normal_in.h"
#include "text/sentencepiece/piecetrie.h"
#include "text/sentencepiece/spiece.h"
#include "text/sentencepiece/unigram.h"

static Str text(const char *s)
{
    return str_of(s, strlen(s));
}

/* ---- damaged files ---- */

static void write_file(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(p, 1, n, f) == n);
    if (f)
        fclose(f);
}

/* Reads it, and what depends on it; any error is fine, a crash is not. */
static int try_spiece(const char *path, const char *p, size_t n)
{
    Err e = {0};
    Spiece s;
    write_file(path, p, n);
    if (spiece_read(&s, path, &e) < 0) {
        CHECK(e.text[0]);
        return -1;
    }
    Normalizer *norm = normalizer_new();
    if (s.charsmap.n && normalizer_charsmap(norm, s.charsmap, &e) == 0) {
        NormalWork *w = normalwork_new();
        Normal out = {0};
        normalizer_run(norm, w, (NormalPart){text("ﬁ\u0301 a\u0300 Ａ™\x01z"), 0, true, true},
                       &out);
        CHECK(utf8_check(out.p, out.n) == out.n);
        free(out.p);
        free(out.span);
        normalwork_free(w);
    }
    normalizer_free(norm);
    spiece_free(&s);
    return 0;
}

static Buf read_golden(const char *name)
{
    const char *top = getenv("TOP");
    char *path = mem_fmt("%s/tests/golden/models/%s", top ? top : ".", name);
    Buf b = {0};
    FILE *f = fopen(path, "re");
    CHECK(f != NULL);
    b.n = f ? fread(buf_room(&b, 1 << 20), 1, 1 << 20, f) : 0;
    CHECK(b.n > 0);
    if (f)
        fclose(f);
    free(path);
    return b;
}

static void check_damage(void)
{
    Buf b = read_golden("unigram-xlmr/sentencepiece.bpe.model");
    char path[] = "spiece.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    CHECK(try_spiece(path, b.p, b.n) == 0);
    int refused = 0;
    for (size_t n = 0; n < b.n; n += n < 600 ? 1 : 61)
        refused += try_spiece(path, b.p, n) < 0;
    CHECK(refused > 500); /* a prefix that ends between two fields is whole */
    uint64_t seed = 1;
    for (int i = 0; i < 400; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        size_t at = (seed >> 20) % b.n;
        char old = b.p[at];
        b.p[at] = (char)(seed >> 56);
        try_spiece(path, b.p, b.n);
        b.p[at] = old;
    }
    unlink(path);
    free(b.p);
}

static void check_charsmap(void)
{
    Charsmap m = {0};
    Err e = {0};
    Str to;
    CHECK(charsmap_read64(&m, text("AAAA"), &e) < 0);
    CHECK_TEXT(e.text, "too short");
    CHECK(charsmap_read64(&m, text("////////////"), &e) < 0);
    CHECK_TEXT(e.text, "a trie of");
    CHECK(charsmap_read64(&m, text("A*=="), &e) < 0);
    CHECK_TEXT(e.text, "no base64");
    /* One unit that leads out of the trie. */
    CHECK(charsmap_read(&m, str_of("\4\0\0\0\0\xff\xff\x7fx\0", 10), &e) == 0);
    CHECK(!charsmap_find(&m, text("a"), &to));
    charsmap_free(&m);
    CHECK(charsmap_read(&m, str_of("\4\0\0\0\0\0\0\0\xff\0", 10), &e) < 0);
    CHECK_TEXT(e.text, "no UTF-8");
}

/* ---- parts ---- */

static void check_graphemes(void)
{
    static const struct {
        const char *s;
        size_t n;
    } is[] = {{"ab", 1},
              {"\r\nx", 2},
              {"e\u0301x", 3},
              {"\u0600ax", 3},
              {"a", 1},
              {"\U0001f469\u200d\U0001f680x", 11},
              {"\U0001f1eb\U0001f1f7\U0001f1eb", 8},
              {"\u1112\u1161\u11abx", 9},
              {"a\u0897", 4},
              {"\x01\u0301", 1}};
    for (size_t i = 0; i < sizeof is / sizeof *is; i++)
        CHECK(grapheme_size(is[i].s, strlen(is[i].s)) == is[i].n);
}

static void check_trie(void)
{
    static const char *const entries[] = {"a", "ab", "abcd", "b", "\u2581", "\u2581the"};
    Vocab v = {0};
    Err e = {0};
    PieceTrie t;
    for (int32_t i = 0; i < 6; i++)
        CHECK(vocab_add(&v, i, text(entries[i]), &e) == 0);
    piecetrie_build(&t, &v);
    const char *s = "abcde";
    uint32_t node = PIECETRIE_ROOT;
    const int32_t want[] = {0, 1, -1, 2};
    int32_t id;
    for (int i = 0; i < 4; i++)
        CHECK(piecetrie_step(&t, &node, (unsigned char)s[i], &id) && id == want[i]);
    CHECK(!piecetrie_step(&t, &node, 'e', &id));
    piecetrie_free(&t);
    vocab_free(&v);
}

/* Pieces of a long word come out the same though its beginning is delivered before its end is
 * seen; and what is unknown across such a place is one. */
static void check_long(void)
{
    static const char *const entries[] = {"<unk>", "a", "ab", "b", "aa"};
    static const double score[] = {0, -2, -1.5, -3, -2.5};
    Vocab v = {0};
    Err e = {0};
    enum { N = 30000 };
    char *word = mem_alloc(N);
    for (int32_t i = 0; i < 5; i++)
        CHECK(vocab_add(&v, i, text(entries[i]), &e) == 0);
    UnigramRules rules = {0};
    void *self = unigram_new(&v, score, &rules), *work = unigram_splitter.work_new(self);
    Subwords p = {0};
    for (size_t i = 0; i < N; i++)
        word[i] = "ab"[i & 1];
    unigram_splitter.split(self, work, word, N, SIZE_MAX, &p);
    CHECK(p.n == N / 2 && p.piece[N / 2 - 1].id == 2 && p.piece[N / 2 - 1].end == N);
    p.n = 0;
    memset(word, 'x', N);
    unigram_splitter.split(self, work, word, N, SIZE_MAX, &p);
    CHECK(p.n == 1 && p.piece[0].id == 0 && p.piece[0].begin == 0 && p.piece[0].end == N);
    p.n = 0;
    memset(word, 'a', N);
    unigram_splitter.split(self, work, word, N, 10, &p);
    CHECK(p.n > 10 && p.n <= N / 2);
    free(p.piece);
    unigram_splitter.work_free(work);
    unigram_splitter.free(self);
    vocab_free(&v);
    free(word);
}

static void check_words(void)
{
    static const struct {
        const char *json, *error;
    } bad[] = {
        {"{\"type\": \"Metaspace\", \"replacement\": \"ab\"}", "no single character"},
        {"{\"type\": \"Metaspace\", \"replacement\": \"_\", \"prepend_scheme\": \"odd\"}",
         "prepend_scheme 'odd' is not supported"},
        {"{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Metaspace\", "
         "\"replacement\": \"_\"}, {\"type\": \"WhitespaceSplit\"}]}",
         "pre_tokenizer 'WhitespaceSplit' is not supported here"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *o = json_loads(bad[i].json, 0, NULL);
        WordRules r = {0};
        Err e = {0};
        CHECK(words_read(&r, o, &e) < 0);
        CHECK_TEXT(e.text, bad[i].error);
        json_decref(o);
    }
}

int main(void)
{
    check_charsmap();
    check_graphemes();
    check_trie();
    check_long();
    check_words();
    check_damage();
    return checked();
}
