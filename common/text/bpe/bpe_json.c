/* bpe_json.c - tokenizer.json's parts where its model is a BPE of bytes. */
#include "text/bpe/bpe_model.h"
#include "text/tokenizer_in.h"

#include <stdlib.h>

static int read_model(const json_t *model, BpeRules *rules, Err *e)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++) {
        const char *s = json_get_str(model, affixes[i], "", e);
        if (!e->text[0] && *s)
            return err_set(e, "model BPE: %s '%s' is not supported", affixes[i], s);
    }
    double dropout = json_get_real(model, "dropout", 0, e);
    rules->words_first = json_get_bool(model, "ignore_merges", false, e);
    if (e->text[0])
        return err_at(e, "model");
    if (dropout != 0)
        return err_set(e, "model BPE: dropout is not supported: it makes ids random");
    return 0;
}

static int read_words(const json_t *words, BpeRules *rules, Err *e)
{
    const json_t *o = tokenizer_part_at(words, "pretokenizers", 0);
    if (!tokenizer_part_is(o, "ByteLevel"))
        return err_set(e, "pre_tokenizer '%s' is not supported: ByteLevel alone is",
                       tokenizer_part(o));
    if (tokenizer_part_at(words, "pretokenizers", 1))
        return err_set(e, "pre_tokenizer '%s' behind ByteLevel is not supported",
                       tokenizer_part(tokenizer_part_at(words, "pretokenizers", 1)));
    rules->prefix = json_get_bool(o, "add_prefix_space", true, e);
    bool pattern = json_get_bool(o, "use_regex", true, e);
    if (e->text[0])
        return err_at(e, "pre_tokenizer ByteLevel");
    if (!pattern)
        return err_set(e, "pre_tokenizer ByteLevel: use_regex false is not supported");
    return 0;
}

/* Who trims spans; what else the processor does is not our affair. */
static int read_trimming(const json_t *processor, BpeRules *rules, Err *e)
{
    const json_t *o;
    for (size_t i = 0; (o = tokenizer_part_at(processor, "processors", i)); i++) {
        if (!tokenizer_part_is(o, "ByteLevel") && !tokenizer_part_is(o, "RobertaProcessing"))
            continue;
        if (!json_get_bool(o, "trim_offsets", true, e))
            continue;
        if (rules->trim)
            return err_set(e, "post_processor: two that trim offsets are not supported");
        rules->trim = true;
        rules->trim_prefix = json_get_bool(o, "add_prefix_space", true, e);
    }
    return e->text[0] ? err_at(e, "post_processor") : 0;
}

int bpe_set(Tokenizer *t, const BpeRules *rules, const MergeList *merges, Err *e)
{
    Bpe *b = bpe_new(&t->vocab, merges, e);
    if (!b)
        return -1;
    t->model = bpe_model_new(b, &t->vocab, rules);
    t->trim = rules->trim;
    t->trim_prefix = rules->trim_prefix;
    char *words = mem_fmt("bytelevel bpe prefix=%d words=%d", rules->prefix, rules->words_first);
    tokenizer_identify(t, words, merges->merge, merges->n * sizeof *merges->merge);
    free(words);
    return 0;
}

int bpe_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    BpeRules rules = {0};
    if (json_is_object(f->normalizer))
        return err_set(e, "normalizer '%s' before byte-level BPE is not supported",
                       tokenizer_part(f->normalizer));
    if (read_model(f->model, &rules, e) < 0 || read_words(f->words, &rules, e) < 0 ||
        read_trimming(f->processor, &rules, e) < 0)
        return -1;
    const char *unknown = json_get_str(f->model, "unk_token", "", NULL);
    t->special[TOK_UNK] = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    return bpe_set(t, &rules, &f->merges, e);
}
