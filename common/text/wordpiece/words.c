#include "text/wordpiece/words.h"

#include "text/cut/cut.h"
#include "text/normal/normal.h"
#include "text/wordpiece/bert.h"
#include "text/wordpiece/wordpiece.h"

#include <stdlib.h>

typedef struct Words {
    TokModel base;
    Normalizer *normal; /* one of the two normalises */
    TokModel *bert;
    Cuts *cuts;
    WordPiece pieces;
    bool whole; /* a word is an entry, or unknown */
} Words;

typedef struct WordsWork {
    const Words *of;
    NormalWork *normal;
    void *bert;
    Normal text;
    CutWork *cut;
    int32_t *id;
    int *end;
    uint64_t *hash;
} WordsWork;

static void *work_new(const TokModel *m)
{
    const Words *x = (const Words *)m;
    size_t bytes = x->whole ? 1 : (size_t)x->pieces.max_chars * 4 + 1;
    WordsWork *w = mem_zero(1, sizeof *w);
    w->of = x;
    w->normal = normalwork_new();
    w->cut = cutwork_new();
    w->bert = x->bert ? x->bert->work_new(x->bert) : NULL;
    w->id = mem_array(bytes, sizeof *w->id);
    w->end = mem_array(bytes, sizeof *w->end);
    w->hash = mem_array(bytes, sizeof *w->hash);
    return w;
}

static void work_free(void *work)
{
    WordsWork *w = work;
    normalwork_free(w->normal);
    free(w->text.p);
    free(w->text.span);
    cutwork_free(w->cut);
    free(w->id);
    free(w->end);
    free(w->hash);
    if (w->bert)
        w->of->bert->work_free(w->bert);
    free(w);
}

static void normalise(const TokModel *m, void *work, Str text, int32_t at, Normal *out)
{
    const Words *x = (const Words *)m;
    WordsWork *w = work;
    NormalPart part = {.text = text, .at = at, .first = true, .last = true};
    if (x->bert)
        x->bert->normalise(x->bert, w->bert, text, at, out);
    else
        normalizer_run(x->normal, w->normal, part, out);
}

static size_t count_chars(const char *p, size_t n)
{
    size_t chars = 0;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)p[i] & 0xc0) != 0x80;
    return chars;
}

/* A word's tokens. */
static void add_word(const Words *x, WordsWork *w, const Normal *t, Word word, Tokens *out)
{
    const char *p = t->p + word.begin;
    size_t n = word.end - word.begin, begin = word.begin;
    int count = 0;
    if (x->whole) {
        int32_t id = vocab_find(x->pieces.vocab, str_of(p, n));
        tokens_add(out, id >= 0 ? id : x->pieces.unknown, t->span[begin][0],
                   t->span[word.end - 1][1]);
        return;
    }
    if (count_chars(p, n) <= (size_t)x->pieces.max_chars)
        count = wordpiece_split(&x->pieces, p, (int)n, w->id, w->end, w->hash);
    if (!count)
        tokens_add(out, x->pieces.unknown, t->span[begin][0], t->span[word.end - 1][1]);
    for (int i = 0; i < count; i++) {
        size_t end = word.begin + (size_t)w->end[i];
        tokens_add(out, w->id[i], t->span[begin][0], t->span[end - 1][1]);
        begin = end;
    }
}

static void encode_normal(const TokModel *m, void *work, const Normal *t, size_t begin, size_t end,
                          size_t limit, Tokens *out)
{
    const Words *x = (const Words *)m;
    WordsWork *w = work;
    const WordList *words = cuts_run(x->cuts, w->cut, t->p, begin, end);
    out->failed = cutwork_failed(w->cut);
    if (normalwork_failed(w->normal))
        out->failed = normalwork_failed(w->normal);
    for (size_t i = 0; i < words->n && out->n <= limit; i++)
        add_word(x, w, t, words->word[i], out);
}

static void encode(const TokModel *m, void *work, Str text, int32_t at, size_t limit, Tokens *out)
{
    WordsWork *w = work;
    w->text.n = 0;
    normalise(m, work, text, at, &w->text);
    encode_normal(m, work, &w->text, 0, w->text.n, limit, out);
}

static void word_at(const TokModel *m, void *work, Str text, int32_t at, int32_t span[2])
{
    WordsWork *w = work;
    w->text.n = 0;
    normalise(m, work, text, 0, &w->text);
    const WordList *words = cuts_run(((const Words *)m)->cuts, w->cut, w->text.p, 0, w->text.n);
    span[0] = at;
    span[1] = at + 1;
    for (size_t i = 0; i < words->n; i++) {
        int32_t first = w->text.span[words->word[i].begin][0];
        int32_t last = w->text.span[words->word[i].end - 1][1];
        if (first <= at && at < last) {
            span[0] = first;
            span[1] = last;
            return;
        }
    }
}

static void words_free(TokModel *m)
{
    Words *x = (Words *)m;
    normalizer_free(x->normal);
    if (x->bert)
        x->bert->free(x->bert);
    free(x->pieces.prefix);
    cuts_free(x->cuts);
    free(x);
}

/* ---- a file's parts ---- */

static int read_cuts(Words *x, const json_t *o, Err *e)
{
    const json_t *part;
    int bad = 0;
    for (size_t i = 0; (part = tokenizer_part_at(o, "pretokenizers", i)); i++)
        if ((bad = cuts_add(x->cuts, part, e)))
            break;
    if (bad > 0)
        return tokenizer_unsupported("pre_tokenizer", part,
                                     "with WordPiece and WordLevel, BertPreTokenizer, Whitespace, "
                                     "WhitespaceSplit, Punctuation, Digits, CharDelimiterSplit, "
                                     "Split, FixedLength, UnicodeScripts and Sequence are",
                                     e);
    return bad;
}

static int read_normalizer(Words *x, const Vocab *v, const json_t *o, Err *e)
{
    BertRules rules = {.max_chars = 0, .prefix = "", .unknown = x->pieces.unknown};
    if (!tokenizer_part_is(o, "BertNormalizer"))
        return normalizer_read(x->normal, o, e);
    if (bert_read_normalizer(o, &rules, e) < 0)
        return -1;
    x->bert = bert_new(v, &rules);
    return 0;
}

/* The rules in words, for the fingerprint. */
static void identify(Tokenizer *t, const Words *x, const TokFile *f)
{
    char *cuts = json_dumps(f->words, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *normal = json_dumps(f->normalizer, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    char *all = mem_fmt("words %s whole=%d chars=%d %s %s", x->pieces.prefix, x->whole,
                        x->pieces.max_chars, cuts ? cuts : "", normal ? normal : "");
    tokenizer_identify(t, all, NULL, 0);
    free(cuts);
    free(normal);
    free(all);
}

/* whole: WordLevel */
static int from_json(Tokenizer *t, const TokFile *f, bool whole, Err *e)
{
    Words *x = mem_zero(1, sizeof *x);
    const char *unknown = json_get_str(f->model, "unk_token", whole ? "<unk>" : "[UNK]", e);
    const char *prefix = json_get_str(f->model, "continuing_subword_prefix", "##", e);
    int64_t chars = json_get_int(f->model, "max_input_chars_per_word", 100, e);
    x->base = (TokModel){.work_new = work_new,
                         .work_free = work_free,
                         .encode = encode,
                         .normalise = normalise,
                         .encode_normal = encode_normal,
                         .word = word_at,
                         .free = words_free};
    x->whole = whole;
    x->normal = normalizer_new();
    x->cuts = cuts_new();
    t->model = &x->base; /* the tokenizer's to free, whatever comes */
    x->pieces = (WordPiece){.vocab = &t->vocab, .prefix = mem_str(whole ? "" : prefix)};
    if (!e->text[0] && (chars < 0 || chars > 10000))
        err_set(e, "max_input_chars_per_word: %lld is out of range: 0 to 10000", (long long)chars);
    if (e->text[0])
        return err_at(e, "model");
    x->pieces.max_chars = (int)chars;
    x->pieces.unknown = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    if (x->pieces.unknown < 0)
        return err_set(e, "no '%s' in the vocabulary, which stands for unknown words", unknown);
    if (read_normalizer(x, &t->vocab, f->normalizer, e) < 0 || read_cuts(x, f->words, e) < 0)
        return -1;
    t->special[TOK_UNK] = x->pieces.unknown;
    t->prefix = *x->pieces.prefix != '\0';
    identify(t, x, f);
    return 0;
}

int level_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    return from_json(t, f, true, e);
}

int words_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    return from_json(t, f, false, e);
}
