/* bpe_json.c - tokenizer.json's parts where its model is a BPE of bytes. */
#include "text/bpe/bpe_parts.h"
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

/* Split, as Llama 3's and Qwen's are: its pattern's matches are the words. */
static int read_split(const json_t *o, BpeRules *rules, Err *e)
{
    const char *how = json_get_str(o, "behavior", "Isolated", e);
    const char *regex = json_get_str(json_object_get(o, "pattern"), "Regex", NULL, e);
    bool invert = json_get_bool(o, "invert", false, e);
    if (e->text[0])
        return err_at(e, "pre_tokenizer Split");
    if (!regex || !(rules->pattern = bytelevel_pattern(regex)))
        return err_set(e,
                       "pre_tokenizer Split: the pattern '%s' is not supported: GPT-2's, Llama "
                       "3's and Qwen 2's are",
                       regex ? regex : "");
    if (strcmp(how, "Isolated") != 0 && !(invert && strcmp(how, "Removed") == 0))
        return err_set(e, "pre_tokenizer Split: the behavior '%s' is not supported: Isolated is",
                       how);
    return 0;
}

static int read_words(const json_t *words, BpeRules *rules, Err *e)
{
    size_t i = 0;
    const json_t *o = tokenizer_part_at(words, "pretokenizers", i);
    if (tokenizer_part_is(o, "Split")) {
        if (read_split(o, rules, e) < 0)
            return -1;
        o = tokenizer_part_at(words, "pretokenizers", ++i);
    }
    if (!tokenizer_part_is(o, "ByteLevel"))
        return err_set(e, "pre_tokenizer '%s' is not supported: ByteLevel is, and Split before it",
                       tokenizer_part(o));
    if (tokenizer_part_at(words, "pretokenizers", i + 1))
        return err_set(e, "pre_tokenizer '%s' behind ByteLevel is not supported",
                       tokenizer_part(tokenizer_part_at(words, "pretokenizers", i + 1)));
    rules->prefix = json_get_bool(o, "add_prefix_space", true, e);
    bool pattern = json_get_bool(o, "use_regex", true, e);
    if (e->text[0])
        return err_at(e, "pre_tokenizer ByteLevel");
    if (rules->pattern && (pattern || rules->prefix))
        return err_set(e, "pre_tokenizer ByteLevel behind Split: %s true is not supported",
                       pattern ? "use_regex" : "add_prefix_space");
    if (!rules->pattern)
        rules->pattern = pattern ? &bytelevel_gpt2 : &bytelevel_whole;
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

int bpe_set(Tokenizer *t, const BpeRules *rules, const MergeList *merges, Normalizer *normal,
            Err *e)
{
    Bpe *b = bpe_new(&t->vocab, merges, e);
    if (!b) {
        normalizer_free(normal);
        return -1;
    }
    Buf words = {0};
    buf_fmt(&words, "bytelevel bpe prefix=%d words=%d", rules->prefix, rules->words_first);
    if (rules->pattern != &bytelevel_gpt2)
        buf_fmt(&words, " %s", rules->pattern->name);
    if (normal)
        normalizer_describe(normal, &words);
    t->model =
        normal ? bpe_parts_new(b, &t->vocab, rules, normal) : bpe_model_new(b, &t->vocab, rules);
    t->trim = rules->trim;
    t->trim_prefix = rules->trim_prefix;
    tokenizer_identify(t, words.p, merges->merge, merges->n * sizeof *merges->merge);
    free(words.p);
    return 0;
}

int bpe_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    BpeRules rules = {0};
    if (read_model(f->model, &rules, e) < 0 || read_words(f->words, &rules, e) < 0 ||
        read_trimming(f->processor, &rules, e) < 0)
        return -1;
    Normalizer *normal = json_is_object(f->normalizer) ? normalizer_new() : NULL;
    if (normal && normalizer_read(normal, f->normalizer, e) < 0) {
        normalizer_free(normal);
        return -1;
    }
    const char *unknown = json_get_str(f->model, "unk_token", "", NULL);
    t->special[TOK_UNK] = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    return bpe_set(t, &rules, &f->merges, normal, e);
}
