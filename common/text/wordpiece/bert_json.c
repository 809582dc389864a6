/* bert_json.c - BERT's parts of a tokenizer.json. */
#include "text/wordpiece/bert.h"

#include <stdlib.h>

int bert_set(Tokenizer *t, BertRules rules, const char *unknown, Err *e)
{
    rules.unknown = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    if (rules.unknown < 0)
        return err_set(e, "no '%s' in the vocabulary, which stands for unknown words", unknown);
    t->special[TOK_UNK] = rules.unknown;
    t->prefix = *rules.prefix != '\0';
    t->model = bert_new(&t->vocab, &rules);
    char *flags = mem_fmt("wordpiece %s clean=%d cjk=%d strip=%d lower=%d chars=%d", rules.prefix,
                          rules.clean, rules.cjk, rules.strip, rules.lower, rules.max_chars);
    tokenizer_identify(t, flags, NULL, 0);
    free(flags);
    return 0;
}

static int read_model(const json_t *o, BertRules *rules, Err *e)
{
    int64_t chars = json_get_int(o, "max_input_chars_per_word", 100, e);
    rules->prefix = json_get_str(o, "continuing_subword_prefix", "##", e);
    if (e->text[0])
        return err_at(e, "model");
    if (chars < 0 || chars > 10000)
        return err_set(e, "max_input_chars_per_word: %lld is out of range: 0 to 10000",
                       (long long)chars);
    rules->max_chars = (int)chars;
    return 0;
}

int bert_read_normalizer(const json_t *o, BertRules *rules, Err *e)
{
    if (!o || json_is_null(o))
        return 0;
    rules->clean = json_get_bool(o, "clean_text", true, e);
    rules->cjk = json_get_bool(o, "handle_chinese_chars", true, e);
    rules->lower = json_get_bool(o, "lowercase", true, e);
    rules->strip = json_get_bool(o, "strip_accents", rules->lower, e);
    return e->text[0] ? err_at(e, "normalizer") : 0;
}

int bert_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    BertRules rules = {0};
    if (read_model(f->model, &rules, e) < 0 || bert_read_normalizer(f->normalizer, &rules, e) < 0)
        return -1;
    return bert_set(t, rules, json_get_str(f->model, "unk_token", "[UNK]", NULL), e);
}
