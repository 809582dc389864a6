/* rows - texts become rows: windows, pairs, candidates, words with tags, ids as numbers. A record a
 * line, text, second text and label between tabs. Every frame is one that a reader takes. */
#include "rows/rows.h"
#include "model/model_tokenizer.h"
#include "tests/fuzz/fuzz.h"

typedef struct Way {
    RowSpec spec;
    bool words;
    RecWord word[64];
} Way;

static const Tokenizer *tokenizer(unsigned which)
{
    static const char *const model[] = {"models/bert-class", "models/bpe-roberta",
                                        "models/unigram-xlmr", "models/spbpe-llama"};
    static Tokenizer *loaded[4];
    return fuzz_tokenizer(model[which], &loaded[which]);
}

static Way choose(const uint8_t **p, size_t *n)
{
    static const char *keep[] = {"text"};
    static const Str candidate[] = {{"sport", 5}, {"a law, and order", 16}};
    unsigned how = fuzz_byte(p, n), most = fuzz_byte(p, n), stride = fuzz_byte(p, n);
    Way w = {.spec = {.tokenizer = how & 128 ? NULL : tokenizer(how & 3),
                      .label = how & 4,
                      .max = most % 48,
                      .trunc = (Trunc)(stride % 3),
                      .stride = stride % 16 - 1,
                      .keep = keep,
                      .keeps = how >> 3 & 1}};
    if (!w.spec.tokenizer)
        return w;
    if ((how >> 4 & 3) == 1)
        w.spec.pair = true;
    else if ((how >> 4 & 3) == 2)
        w.spec.candidate = candidate, w.spec.candidates = 2;
    else if ((how >> 4 & 3) == 3)
        w.words = true, w.spec.label = false; /* their tags are the labels */
    if (how & 64 && !w.words)
        w.spec.prefix = "pre\xc3\xa9: ";
    return w;
}

/* The line up to a tab. */
static Str field(Str *line)
{
    const char *tab = line->n ? memchr(line->p, '\t', line->n) : NULL;
    Str f = str_of(line->p, tab ? (size_t)(tab - line->p) : line->n);
    *line = str_of(line->p + f.n + (tab != NULL), line->n - f.n - (tab != NULL));
    return f;
}

/* The text's words by spaces, each tagged by bytes of the second text. */
static void cut_words(Way *w, RowIn *in)
{
    in->word = w->word;
    in->tags = in->pair;
    for (size_t i = 0; i < in->text.n && in->words < 64;) {
        size_t end = i;
        while (end < in->text.n && in->text.p[end] != ' ')
            end++;
        int32_t tag = (int32_t)(in->tags.n ? in->words % in->tags.n : 0);
        if (end > i)
            w->word[in->words++] =
                (RecWord){{(int32_t)i, (int32_t)end}, {tag, (int32_t)in->tags.n}};
        i = end + 1;
    }
}

static void take(Rows *r)
{
    Err e = {0};
    int64_t rows = rows_waiting(r);
    Frame *f = rows_take(r);
    MUST(frame_check(f, &e) == 0 && f->rows == rows && rows_waiting(r) == 0);
    frame_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Way w = choose(&p, &n);
    Str text = fuzz_text(p, n), rest = text;
    Rows *r = rows_new(&w.spec);
    for (int64_t i = 0; rest.n; i++) {
        const char *end = memchr(rest.p, '\n', rest.n);
        Str line = str_of(rest.p, end ? (size_t)(end - rest.p) : rest.n), keep = line;
        rest = str_of(rest.p + line.n + (end != NULL), rest.n - line.n - (end != NULL));
        RowIn in = {.text = field(&line), .weight = 1, .keep = &keep, .source = i};
        in.pair = field(&line);
        in.label = line;
        if (w.words)
            cut_words(&w, &in);
        Err e = {0};
        MUST((rows_add(r, &in, &e) == 0) == !e.text[0]);
        if (rows_full(r))
            take(r);
    }
    take(r);
    rows_free(r);
    free((char *)text.p);
    return 0;
}
