/* bert_files.c - vocab.txt with the files beside it: as transformers' BertTokenizer reads them. */
#include "text/wordpiece/bert.h"

#include "base/utf8.h"
#include "store/mapfile.h"

#include <stdlib.h>

enum { VOCAB_BYTES = 1 << 28 };

/* An entry a line, the line's number from 0 is its id. */
static int read_lines(Tokenizer *t, Str b, Err *e)
{
    int32_t id = 0;
    vocab_reserve(&t->vocab, b.n / 8, b.n);
    for (size_t at = 0; at < b.n; id++) {
        const char *p = b.p + at, *stop = memchr(p, '\n', b.n - at);
        size_t n = stop ? (size_t)(stop - p) : b.n - at;
        at += n + 1;
        if (utf8_check(p, n) < n)
            return err_set(e, "line %d: not UTF-8", id + 1);
        if (n && p[n - 1] == '\r')
            n--;
        if (vocab_add(&t->vocab, id, str_of(p, n), e) < 0)
            return err_at(e, "line %d", id + 1);
    }
    return 0;
}

static int set_up(Tokenizer *t, const TokFolder *from, Err *e)
{
    BertRules rules = {.clean = true, .max_chars = 100, .prefix = "##"};
    rules.lower = json_get_bool(from->config, "do_lower_case", true, e);
    rules.strip = json_get_bool(from->config, "strip_accents", rules.lower, e);
    rules.lower = rules.lower || t->lower;
    t->lower = false; /* once is enough */
    t->clean = json_get_bool(from->config, "clean_up_tokenization_spaces", true, e);
    rules.cjk = json_get_bool(from->config, "tokenize_chinese_chars", true, e);
    if (e->text[0])
        return err_at(e, "tokenizer_config.json");
    const char *unknown = special_text(t, from, TOK_UNK);
    if (bert_set(t, rules, unknown ? unknown : "[UNK]", e) < 0)
        return err_at(e, "vocab.txt");
    if (tokenizer_set_decoder(t, "{\"type\": \"WordPiece\"}", e) < 0)
        return -1;
    return tokenizer_add_said(t, from, e);
}

int bert_from_files(Tokenizer *t, const TokFolder *from, Err *e)
{
    Str b;
    char *path = mem_fmt("%s/vocab.txt", from->path);
    int bad = mapfile_open(path, VOCAB_BYTES, &b, e) < 0 || read_lines(t, b, e) < 0;
    mapfile_close(&b);
    free(path);
    if (bad)
        return err_at(e, "vocab.txt");
    if (!t->usual)
        t->usual = names_bert;
    if (set_up(t, from, e) < 0)
        return -1;
    int32_t id[2];
    for (int i = 0; i < 2; i++) {
        const char *text = special_text(t, from, i ? TOK_SEP : TOK_CLS);
        id[i] = text ? tokenizer_find(t, str_of(text, strlen(text))) : -1;
        if (id[i] < 0)
            return err_set(e, "vocab.txt: no '%s' in it", text ? text : i ? "[SEP]" : "[CLS]");
    }
    if (t->usual == names_mpnet)
        tokenizer_roberta_templates(t, id[0], id[1]);
    else
        tokenizer_bert_templates(t, id[0], id[1]);
    return 0;
}
