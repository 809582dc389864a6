/* unigram_json.c - Unigram of a tokenizer.json. */
#include "text/sentencepiece/piecetrie.h"
#include "text/sentencepiece/unigram.h"

#include <stdlib.h>

int unigram_set(Tokenizer *t, Normalizer *normalizer, const WordRules *words, const double *score,
                const UnigramRules *rules, Err *e)
{
    Buf b = {0};
    if (t->vocab.count >= PIECETRIE_IDS) {
        normalizer_free(normalizer);
        return err_set(e, "vocab: over %d entries", PIECETRIE_IDS - 1);
    }
    buf_fmt(&b, "unigram %d %d", (int)rules->unknown, rules->bytes);
    normalizer_describe(normalizer, &b);
    words_describe(words, &b);
    buf_add(&b, "", 1);
    tokenizer_identify(t, b.p, score, (size_t)t->vocab.count * sizeof *score);
    free(b.p);
    t->special[TOK_UNK] = rules->unknown;
    t->model =
        words_model(normalizer, words, &unigram_splitter, unigram_new(&t->vocab, score, rules));
    return 0;
}

static int read_rules(const Tokenizer *t, const json_t *model, UnigramRules *r, Err *e)
{
    int64_t unknown = json_get_int(model, "unk_id", -1, e);
    r->bytes = json_get_bool(model, "byte_fallback", false, e);
    if (e->text[0])
        return err_at(e, "model");
    if (json_get_real(model, "alpha", 0, NULL) != 0)
        return err_set(e, "model Unigram: alpha is not supported, which chooses by chance");
    if (unknown < 0 || unknown >= t->vocab.count)
        return err_set(e, "model Unigram: unk_id %lld is not in its vocabulary of %d entries",
                       (long long)unknown, (int)t->vocab.count);
    r->unknown = (int32_t)unknown;
    return 0;
}

int unigram_from_json(Tokenizer *t, const TokFile *f, Err *e)
{
    UnigramRules rules = {0};
    WordRules words = {0};
    if (!f->score)
        return err_set(e, "model Unigram: its vocab has no scores");
    if (read_rules(t, f->model, &rules, e) < 0 || words_read(&words, f->words, e) < 0)
        return -1;
    Normalizer *n = normalizer_new();
    if (normalizer_read_apart(n, f->normalizer, e) < 0) {
        normalizer_free(n);
        return -1;
    }
    return unigram_set(t, n, &words, f->score, &rules, e);
}
