/* bpe_files.c - vocab.json and merges.txt with the files beside them: as transformers'
 * tokenizers of GPT-2, RoBERTa and BART read them. */
#include "text/bpe/bpe_model.h"
#include "text/tokenizer_in.h"

#include "text/jsontables.h"

#include <stdlib.h>

static int read_model(Tokenizer *t, const TokFolder *from, const BpeRules *rules, Err *e)
{
    MergeList merges = {0};
    char *vocab_path = mem_fmt("%s/vocab.json", from->path);
    char *merges_path = mem_fmt("%s/merges.txt", from->path);
    int bad = jsontables_file(vocab_path, &t->vocab, e);
    if (bad)
        err_at(e, "vocab.json");
    else if ((bad = merges_read(&merges, &t->vocab, merges_path, e)))
        err_at(e, "merges.txt");
    else
        bad = bpe_set(t, rules, &merges, NULL, NULL, NULL, e);
    free(vocab_path);
    free(merges_path);
    merges_free(&merges);
    return bad;
}

/* Nothing around, or the token of the beginning before all of it. */
static void add_gpt2_templates(Tokenizer *t, int32_t bos)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        if (bos >= 0)
            template_add(to, ITEM_SPECIAL, bos, 0);
        template_add(to, ITEM_FIRST, -1, 0);
        if (pair)
            template_add(to, ITEM_SECOND, -1, 1);
    }
}

static int add_templates(Tokenizer *t, const TokFolder *from, bool bos, Err *e)
{
    static const Special wanted[] = {TOK_CLS, TOK_SEP};
    int32_t id[2];
    if (t->usual == names_gpt2) {
        const char *text = json_get_str(from->config, "bos_token", "<|endoftext|>", NULL);
        int32_t first = bos ? tokenizer_find(t, str_of(text, strlen(text))) : -1;
        if (bos && first < 0)
            return err_set(e, "vocab.json: no '%s' in it", text);
        add_gpt2_templates(t, first);
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        const char *text = special_text(t, from, wanted[i]);
        id[i] = text ? tokenizer_find(t, str_of(text, strlen(text))) : -1;
        if (id[i] < 0)
            return err_set(e, "vocab.json: no '%s' in it", text ? text : i ? "sep" : "cls");
    }
    tokenizer_roberta_templates(t, id[0], id[1]);
    return 0;
}

int bpe_from_files(Tokenizer *t, const TokFolder *from, Err *e)
{
    if (t->usual != names_gpt2 && t->usual != names_roberta)
        return err_set(e, "vocab.json with merges.txt is supported for GPT-2, RoBERTa and BART, "
                          "and neither tokenizer_config.json nor config.json says that it is "
                          "one of these");
    bool is_roberta = t->usual == names_roberta;
    BpeRules rules = {.pattern = &bytelevel_gpt2,
                      .prefix = json_get_bool(from->config, "add_prefix_space", false, e),
                      .trim = is_roberta && json_get_bool(from->config, "trim_offsets", true, e)};
    bool bos = json_get_bool(from->config, "add_bos_token", false, e);
    rules.trim_prefix = rules.prefix;
    t->bare_words = !rules.prefix;
    if (e->text[0])
        return err_at(e, "tokenizer_config.json");
    if (read_model(t, from, &rules, e) < 0 || tokenizer_add_said(t, from, e) < 0 ||
        add_templates(t, from, bos, e) < 0)
        return -1;
    return tokenizer_set_decoder(t, "{\"type\": \"ByteLevel\"}", e);
}
