/* vocab.txt with the files beside it: as transformers' BertTokenizer reads them. */
#include "text/tokenizer_in.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { VOCAB_BYTES = 1 << 28 };

static int read_all(const char *path, Buf *b, Err *e)
{
    FILE *f = fopen(path, "re");
    size_t n;
    if (!f)
        return err_sys(e, "cannot open");
    while ((n = fread(buf_room(b, 1 << 18), 1, 1 << 18, f)) > 0 && b->n < VOCAB_BYTES)
        b->n += n;
    int bad = ferror(f);
    fclose(f);
    if (bad)
        return err_sys(e, "cannot read");
    return b->n < VOCAB_BYTES ? 0 : err_set(e, "too large for a vocabulary");
}

/* An entry a line, the line's number from 0 is its id. */
static int read_lines(Tokenizer *t, const Buf *b, Err *e)
{
    int32_t id = 0;
    for (size_t at = 0; at < b->n; id++) {
        const char *p = b->p + at, *stop = memchr(p, '\n', b->n - at);
        size_t n = stop ? (size_t)(stop - p) : b->n - at;
        at += n + 1;
        if (n && p[n - 1] == '\r')
            n--;
        if (vocab_add(&t->vocab, id, str_of(p, n), e) < 0)
            return err_at(e, "line %d", id + 1);
    }
    return id ? 0 : err_set(e, "empty");
}

static int add_specials(Tokenizer *t, const json_t *config, const json_t *map, Err *e)
{
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const json_t *o = special_said(config, map, i);
        const char *text = special_text(config, map, i);
        json_t *usual = json_string(text);
        /* BERT's usual ones need not be there; those that are said are added. */
        bool wanted = o || vocab_find(&t->vocab, str_of(text, strlen(text))) >= 0;
        int bad = wanted && tokenizer_add(t, o ? o : usual, -1, true, e) < 0;
        json_decref(usual);
        if (bad)
            return -1;
    }
    const json_t *more = json_object_get(config, "additional_special_tokens");
    if (!more)
        more = json_object_get(map, "additional_special_tokens");
    for (size_t i = 0; i < json_array_size(more); i++)
        if (tokenizer_add(t, json_array_get(more, i), -1, true, e) < 0)
            return -1;
    return 0;
}

/* {"100": {"content": "[UNK]", ...}, ...} */
static int add_decoder(Tokenizer *t, const json_t *config, Err *e)
{
    const char *key;
    json_t *o;
    json_object_foreach(json_object_get(config, "added_tokens_decoder"), key, o) {
        char *end;
        errno = 0;
        long long id = strtoll(key, &end, 10);
        if (errno || *end || end == key || id < 0 || id > INT32_MAX)
            return err_set(e, "tokenizer_config.json: '%s' is no id", key);
        if (tokenizer_add(t, o, id, json_get_bool(o, "special", false, NULL), e) < 0)
            return -1;
    }
    return 0;
}

static bool is_special(const json_t *config, const json_t *map, const char *text)
{
    for (int i = 0; i < TOK_SPECIALS; i++)
        if (strcmp(special_text(config, map, i), text) == 0)
            return true;
    return false;
}

/* added_tokens.json: {"text": id} */
static int add_listed(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                      Err *e)
{
    const char *text;
    json_t *id;
    json_t *o = jsonfile_load(folder, "added_tokens.json", true, e);
    if (!o)
        return e->text[0] ? -1 : 0;
    int bad = 0;
    json_object_foreach(o, text, id) {
        json_t *s = json_string(text);
        bad = bad || !json_is_integer(id) ||
              tokenizer_add(t, s, json_integer_value(id), is_special(config, map, text), e) < 0;
        json_decref(s);
    }
    json_decref(o);
    if (bad && !e->text[0])
        err_set(e, "an id is no whole number");
    return bad ? err_at(e, "added_tokens.json") : 0;
}

static int set_up(Tokenizer *t, const char *folder, const json_t *config, const json_t *map,
                  Err *e)
{
    BertRules rules = {.clean = true, .max_chars = 100, .prefix = "##"};
    rules.lower = json_get_bool(config, "do_lower_case", true, e);
    rules.strip = json_get_bool(config, "strip_accents", rules.lower, e);
    rules.cjk = json_get_bool(config, "tokenize_chinese_chars", true, e);
    if (e->text[0])
        return err_at(e, "tokenizer_config.json");
    if (tokenizer_set_bert(t, rules, special_text(config, map, TOK_UNK), e) < 0)
        return err_at(e, "vocab.txt");
    if (add_decoder(t, config, e) < 0 || add_listed(t, folder, config, map, e) < 0)
        return -1;
    return add_specials(t, config, map, e);
}

int tokenizer_from_vocab(Tokenizer *t, const char *folder, const json_t *config,
                         const json_t *map, Err *e)
{
    Buf b = {0};
    char *path = mem_fmt("%s/vocab.txt", folder);
    int bad = read_all(path, &b, e) < 0 || read_lines(t, &b, e) < 0;
    free(path);
    free(b.p);
    if (bad)
        return err_at(e, "vocab.txt");
    if (set_up(t, folder, config, map, e) < 0)
        return -1;
    int32_t id[2];
    for (int i = 0; i < 2; i++) {
        const char *text = special_text(config, map, i ? TOK_SEP : TOK_CLS);
        id[i] = tokenizer_find(t, str_of(text, strlen(text)));
        if (id[i] < 0)
            return err_set(e, "vocab.txt: no '%s' in it", text);
    }
    tokenizer_bert_templates(t, id[0], id[1]);
    return 0;
}
