/* spiece_load.c - a folder with SentencePiece's model but no tokenizer.json, as transformers makes
 * fast tokenizers of them (convert_slow_tokenizer.py). */
#include "text/sentencepiece/spbpe.h"
#include "text/sentencepiece/spiece_in.h"
#include "text/sentencepiece/unigram.h"

#include <stdlib.h>

/* The class whose layout it is. */
static const TokClass *find_class(const TokFolder *from, Err *e)
{
    const char *named = json_get_str(from->config, "tokenizer_class", from->facts->named, NULL);
    const TokClass *class = tokclass_find(named ? named : from->facts->class);
    if (class->spiece)
        return class;
    char *what = named ? mem_fmt("tokenizer_class '%s'", named) : mem_str(from->facts->kind);
    err_set(e,
            "the layout of %s is not supported: those of T5Tokenizer, XLMRobertaTokenizer, "
            "AlbertTokenizer, CamembertTokenizer, DebertaV2Tokenizer and LlamaTokenizer are; or "
            "save it with a tokenizer.json",
            what);
    free(what);
    return NULL;
}

/* ---- the model ---- */

static int set_bpe(SpieceLoad *l, Normalizer *n, const WordRules *words)
{
    MergeList merges = {0};
    SpBpeRules rules = {.fuse = true, .bytes = l->layout->bytes};
    Str unknown = l->s->unknown_text;
    rules.unknown = vocab_find(&l->t->vocab, unknown);
    int bad = rules.unknown < 0
                  ? err_set(l->e, "no '%.*s' among its pieces", (int)unknown.n, unknown.p)
                  : spiece_merges(l->s, &l->t->vocab, l->score, &merges, l->e);
    if (bad)
        normalizer_free(n);
    else
        spbpe_set(l->t, n, *words, &merges, &rules);
    free(merges.merge);
    return bad;
}

static int set_unigram(SpieceLoad *l, Normalizer *n, const WordRules *words)
{
    UnigramRules rules = {.unknown = l->layout->unknown, .bytes = l->layout->bytes};
    if (rules.unknown < 0)
        rules.unknown = l->s->unknown;
    if (rules.unknown >= 0 && rules.unknown < l->t->vocab.count)
        return unigram_set(l->t, n, words, l->score, &rules, l->e);
    normalizer_free(n);
    return err_set(l->e, "its unk_id %d is none of its %d pieces", (int)rules.unknown,
                   (int)l->t->vocab.count);
}

static const char *prepend_scheme(const SpieceLoad *l)
{
    return !l->prefix ? "never" : l->legacy ? "always" : "first";
}

static void set_words(const SpieceLoad *l, WordRules *words)
{
    if (l->layout->whole && l->legacy)
        return;
    words->punct = l->puncts;
    words->metaspace = true;
    words->split = !l->layout->whole;
    words->put = !l->prefix ? MARK_NEVER : l->legacy ? MARK_ALWAYS : MARK_FIRST;
    memcpy(words->mark, "\u2581", sizeof "\u2581");
}

static int set_model(SpieceLoad *l)
{
    WordRules words = {0};
    Normalizer *n = normalizer_new();
    l->layout->normalise(l, n);
    set_words(l, &words);
    if (l->e->text[0]) {
        normalizer_free(n);
        return -1;
    }
    if (l->s->model == SPIECE_UNIGRAM)
        return set_unigram(l, n, &words);
    if (l->s->model == SPIECE_BPE)
        return set_bpe(l, n, &words);
    normalizer_free(n);
    return err_set(l->e, "model_type %d is not supported: Unigram and BPE are", l->s->model);
}

static int set_decoder(const SpieceLoad *l)
{
    static const char bytes[] = "{\"type\": \"Sequence\", \"decoders\": [{\"type\": "
                                "\"Replace\", \"pattern\": {\"String\": "
                                "\"\u2581\"}, \"content\": \" \"}, {\"type\": "
                                "\"ByteFallback\"}, {\"type\": \"Fuse\"}%s]}";
    char *json =
        l->layout->bytes
            ? mem_fmt(bytes, l->prefix
                                 ? ", {\"type\": \"Strip\", \"content\": \" \", \"start\": 1, "
                                   "\"stop\": 0}"
                                 : "")
            : mem_fmt("{\"type\": \"Metaspace\", \"replacement\": \"\u2581\", \"prepend_scheme\": "
                      "\"%s\", \"split\": true}",
                      prepend_scheme(l));
    int bad = tokenizer_set_decoder(l->t, json, l->e);
    free(json);
    return bad;
}

/* Control pieces are special tokens, those of the user's are found in texts too. */
static int add_added(SpieceLoad *l)
{
    for (size_t i = 0; i < l->s->n; i++) {
        const SpiecePiece *p = l->s->piece + i;
        if ((p->type != SPIECE_CONTROL && p->type != SPIECE_USER) || !p->text.n ||
            memchr(p->text.p, '\0', p->text.n))
            continue;
        json_t *o = json_pack("{s:s%, s:b}", "content", p->text.p, p->text.n, "normalized", 0);
        int bad = tokenizer_add(l->t, o, -1, p->type == SPIECE_CONTROL, l->e);
        json_decref(o);
        if (bad)
            return -1;
    }
    return 0;
}

int spiece_add_special(SpieceLoad *l, Str text, bool lstrip)
{
    json_t *o = json_pack("{s:s%, s:b, s:b}", "content", text.p, text.n, "lstrip", (int)lstrip,
                          "normalized", 0);
    int bad = tokenizer_add(l->t, o, -1, true, l->e);
    json_decref(o);
    return bad;
}

/* Its special tokens are there even where the file lacks them. */
static int add_missing(SpieceLoad *l, const TokFolder *from)
{
    static const Special order[] = {TOK_UNK, TOK_SEP, TOK_PAD, TOK_CLS, TOK_MASK};
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const char *text = special_text(l->t, from, order[i]);
        if (!text || tokenizer_find(l->t, str_of(text, strlen(text))) >= 0)
            continue;
        bool strips = order[i] == TOK_MASK && l->t->class->lstrip;
        if (spiece_add_special(l, str_of(text, strlen(text)), strips) < 0)
            return -1;
    }
    return 0;
}

static int load(SpieceLoad *l, const TokFolder *from)
{
    Tokenizer *t = l->t;
    if (l->layout->prefixes) {
        l->prefix = json_get_bool(l->config, "add_prefix_space", true, l->e);
        l->legacy = json_get_bool(l->config, "legacy", true, l->e);
    }
    l->puncts = l->layout->puncts && json_get_bool(l->config, "split_by_punct", false, l->e);
    if (l->e->text[0])
        return err_at(l->e, "tokenizer_config.json");
    t->usual = t->class->special;
    if (l->layout->entries(l) < 0 || set_model(l) < 0 || add_added(l) < 0 ||
        (l->layout->own && l->layout->own(l) < 0) || tokenizer_add_said(t, from, l->e) < 0 ||
        add_missing(l, from) < 0 || l->layout->templates(l) < 0)
        return -1;
    return set_decoder(l);
}

int spiece_from_file(Tokenizer *t, const TokFolder *from, const char *name, Err *e)
{
    Spiece s;
    SpieceLoad l = {
        .t = t, .s = &s, .config = from->config, .prefix = true, .legacy = true, .e = e};
    const TokClass *class = find_class(from, e);
    char *path = mem_fmt("%s/%s", from->path, name);
    int bad = class ? spiece_read(&s, path, e) : -1;
    free(path);
    if (bad)
        return -1;
    t->class = class;
    l.layout = class->spiece;
    bad = load(&l, from);
    spiece_free(&s);
    free(l.score);
    return bad;
}
