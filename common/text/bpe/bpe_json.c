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

/* A pattern whose matches are the words, and which is told a block at a time; or NULL. */
static const BlPattern *known_split(const json_t *o)
{
    const json_t *pattern = json_object_get(o, "pattern");
    const char *how = json_get_str(o, "behavior", "", NULL);
    bool invert = json_get_bool(o, "invert", false, NULL);
    const char *regex = json_get_str(pattern, "Regex", NULL, NULL);
    if (!tokenizer_part_is(o, "Split") || !regex ||
        strcmp(how, invert ? "Removed" : "Isolated") != 0)
        return NULL;
    return bytelevel_pattern(regex);
}

/* What cuts words, then ByteLevel, which may cut them too. */
static int read_words(const json_t *words, BpeRules *rules, Cuts *cuts, Err *e)
{
    size_t i = 0;
    const json_t *o;
    for (; (o = tokenizer_part_at(words, "pretokenizers", i)) && !tokenizer_part_is(o, "ByteLevel");
         i++) {
        int bad = cuts_add(cuts, o, e);
        if (bad > 0)
            return tokenizer_unsupported("pre_tokenizer", o,
                                         "with byte-level BPE, ByteLevel is, and before it "
                                         "Split, Digits, Punctuation, Whitespace and their like",
                                         e);
        if (bad)
            return -1;
    }
    if (!o)
        return err_set(e, "pre_tokenizer '%s' is not supported without ByteLevel behind it",
                       tokenizer_part(tokenizer_part_at(words, "pretokenizers", 0)));
    if (tokenizer_part_at(words, "pretokenizers", i + 1))
        return err_set(e, "pre_tokenizer '%s' behind ByteLevel is not supported",
                       tokenizer_part(tokenizer_part_at(words, "pretokenizers", i + 1)));
    rules->prefix = json_get_bool(o, "add_prefix_space", true, e);
    bool pattern = json_get_bool(o, "use_regex", true, e);
    if (e->text[0])
        return err_at(e, "pre_tokenizer ByteLevel");
    rules->pattern = pattern ? &bytelevel_gpt2 : &bytelevel_whole;
    return 0;
}

/* The same where one pattern that is known cuts the words. */
static bool read_known(const json_t *words, BpeRules *rules)
{
    const json_t *level = tokenizer_part_at(words, "pretokenizers", 1);
    const BlPattern *known = known_split(tokenizer_part_at(words, "pretokenizers", 0));
    if (!known || tokenizer_part_at(words, "pretokenizers", 2) ||
        !tokenizer_part_is(level, "ByteLevel") || json_get_bool(level, "use_regex", true, NULL) ||
        json_get_bool(level, "add_prefix_space", true, NULL))
        return false;
    rules->pattern = known;
    return true;
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
            Cuts *cuts, const char *parts, Err *e)
{
    Bpe *b = bpe_new(&t->vocab, merges, e);
    if (!b) {
        normalizer_free(normal);
        cuts_free(cuts);
        return -1;
    }
    char *words = mem_fmt("bytelevel bpe prefix=%d words=%d%s%s", rules->prefix, rules->words_first,
                          parts ? " " : "", parts ? parts : "");
    t->model = normal || cuts ? bpe_parts_new(b, &t->vocab, rules, normal, cuts)
                              : bpe_model_new(b, &t->vocab, rules);
    t->trim = rules->trim;
    t->trim_prefix = rules->trim_prefix;
    tokenizer_identify(t, words, merges->merge, merges->n * sizeof *merges->merge);
    free(words);
    return 0;
}

/* The parts in words, for the fingerprint; NULL where they are GPT-2's. */
static char *describe(const TokFile *f, const BpeRules *rules, bool parts)
{
    char *normal, *words, *both;
    if (!parts && rules->pattern == &bytelevel_gpt2)
        return NULL;
    normal = json_dumps(f->normalizer, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    words = json_dumps(f->words, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    both = mem_fmt("%s %s", normal ? normal : "", words ? words : "");
    free(normal);
    free(words);
    return both;
}

static int make(Tokenizer *t, const TokFile *f, BpeRules *rules, Normalizer *normal, Cuts *cuts,
                Err *e)
{
    if (!read_known(f->words, rules) && read_words(f->words, rules, cuts, e) < 0)
        return -1;
    if (read_trimming(f->processor, rules, e) < 0 || normalizer_read(normal, f->normalizer, e) < 0)
        return -1;
    const char *unknown = json_get_str(f->model, "unk_token", "", NULL);
    t->special[TOK_UNK] = vocab_find(&t->vocab, str_of(unknown, strlen(unknown)));
    return 0;
}

int bpe_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    BpeRules rules = {0};
    Normalizer *normal = normalizer_new();
    Cuts *cuts = cuts_new();
    int bad = read_model(f->model, &rules, e) < 0 || make(t, f, &rules, normal, cuts, e) < 0;
    bool normalises = json_is_object(f->normalizer), cuts_words = cuts_count(cuts) > 0;
    if (bad || !normalises)
        normalizer_free(normal);
    if (bad || !cuts_words)
        cuts_free(cuts);
    if (bad)
        return -1;
    char *parts = describe(f, &rules, normalises || cuts_words);
    bad = bpe_set(t, &rules, &f->merges, normalises ? normal : NULL, cuts_words ? cuts : NULL,
                  parts, e);
    free(parts);
    return bad;
}
