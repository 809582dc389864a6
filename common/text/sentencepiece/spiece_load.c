/* spiece_load.c - a folder with SentencePiece's model but no tokenizer.json: T5's, XLM-R's,
 * ALBERT's, CamemBERT's and Llama's layouts, as transformers makes fast tokenizers of them
 * (convert_slow_tokenizer.py). */
#include "text/sentencepiece/spbpe.h"
#include "text/sentencepiece/spiece.h"
#include "text/sentencepiece/unigram.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <utf8proc.h>

typedef struct Layout Layout;

typedef struct Load {
    Tokenizer *t;
    const Spiece *s;
    const Layout *layout;
    const json_t *config;
    double *score; /* by id */
    int32_t cap;
    bool prefix, legacy; /* add_prefix_space, legacy */
    Err *e;
} Load;

struct Layout {
    const char *const *names;
    int (*entries)(Load *l);
    int32_t unknown; /* its id; -1: as the file says */
    void (*normalise)(const Load *l, Normalizer *n);
    int (*templates)(Load *l);
    bool bytes, mask, prefixes; /* byte fallback; <mask> takes the space before;
                                   add_prefix_space and legacy are asked for */
};

/* ---- entries ---- */

static int add_entry(Load *l, Str text, double score)
{
    int32_t id = l->t->vocab.entries;
    if (id == l->cap) {
        l->cap = l->cap * 2 + 1024;
        l->score = mem_resize(l->score, (size_t)l->cap, sizeof *l->score);
    }
    l->score[id] = score;
    return vocab_add(&l->t->vocab, id, text, l->e);
}

static int add_name(Load *l, const char *text, double score)
{
    return add_entry(l, str_of(text, strlen(text)), score);
}

static int add_pieces(Load *l, size_t from)
{
    for (size_t i = from; i < l->s->n; i++)
        if (add_entry(l, l->s->piece[i].text, (double)l->s->piece[i].score) < 0)
            return -1;
    return 0;
}

/* The pieces, then <extra_id_99> .. <extra_id_0>. */
static int t5_entries(Load *l)
{
    int64_t extra = json_get_int(l->config, "extra_ids", 100, l->e);
    if (l->e->text[0] || add_pieces(l, 0) < 0)
        return -1;
    if (extra < 0 || extra > 100000)
        return err_set(l->e, "extra_ids %lld is out of reason", (long long)extra);
    while (extra--) {
        char name[32];
        snprintf(name, sizeof name, "<extra_id_%lld>", (long long)extra);
        if (add_name(l, name, 0) < 0)
            return -1;
    }
    return 0;
}

/* fairseq's four in the place of SentencePiece's three. */
static int xlmr_entries(Load *l)
{
    static const char *const first[] = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int i = 0; i < 4; i++)
        if (add_name(l, first[i], 0) < 0)
            return -1;
    return add_pieces(l, 3) < 0 ? -1 : add_name(l, "<mask>", 0);
}

static int camembert_entries(Load *l)
{
    static const char *const first[] = {"<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>",
                                        "<unk>NOTUSED"};
    for (int i = 0; i < 5; i++)
        if (add_name(l, first[i], i < 4 ? 0 : -100) < 0)
            return -1;
    return add_pieces(l, 1) < 0 ? -1 : add_name(l, "<mask>", 0);
}

/* Unicode's Numeric_Type is Digit or Decimal. */
static bool is_digit(uint32_t cp)
{
    static const uint32_t others[][2] = {
        {0xb2, 0xb3},       {0xb9, 0xb9},       {0x1369, 0x1371},   {0x19da, 0x19da},
        {0x2070, 0x2070},   {0x2074, 0x2079},   {0x2080, 0x2089},   {0x2460, 0x2468},
        {0x2474, 0x247c},   {0x2488, 0x2490},   {0x24ea, 0x24ea},   {0x24f5, 0x24fd},
        {0x24ff, 0x24ff},   {0x2776, 0x277e},   {0x2780, 0x2788},   {0x278a, 0x2792},
        {0x10a40, 0x10a43}, {0x10e60, 0x10e68}, {0x11052, 0x1105a}, {0x1f100, 0x1f10a},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (cp >= others[i][0] && cp <= others[i][1])
            return true;
    return utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_ND;
}

/* A digit and then a comma, at its end. */
static bool ends_in_number(Str s)
{
    size_t i = s.n;
    int len;
    if (s.n < 2 || s.p[s.n - 1] != ',')
        return false;
    for (i -= 2; i > 0 && ((unsigned char)s.p[i] & 0xc0) == 0x80; i--)
        ;
    return is_digit(utf8_get(s.p + i, &len));
}

static int albert_entries(Load *l)
{
    for (size_t i = 0; i < l->s->n; i++) {
        const SpiecePiece *p = l->s->piece + i;
        double off = ends_in_number(p->text) ? 100 : 0;
        if (add_entry(l, p->text, (double)p->score - off) < 0)
            return -1;
    }
    return 0;
}

static int llama_entries(Load *l)
{
    for (size_t i = 0; i < 3 && i < l->s->n; i++)
        if (add_entry(l, l->s->piece[i].text, 0) < 0)
            return -1;
    return add_pieces(l, 3);
}

/* ---- normalizers ---- */

static void add_charsmap(const Load *l, Normalizer *n)
{
    if (l->s->charsmap.n)
        normalizer_charsmap(n, l->s->charsmap, l->e);
}

static void usual_normalise(const Load *l, Normalizer *n)
{
    add_charsmap(l, n);
    normalizer_strip(n, false, true);
    normalizer_replace_spaces(n, "\u2581");
}

static void albert_normalise(const Load *l, Normalizer *n)
{
    normalizer_replace(n, "``", "\"");
    normalizer_replace(n, "''", "\"");
    if (!json_get_bool(l->config, "keep_accents", false, l->e)) {
        normalizer_form(n, FORM_NFKD);
        normalizer_strip_accents(n);
    }
    if (json_get_bool(l->config, "do_lower_case", true, l->e))
        normalizer_lowercase(n);
    add_charsmap(l, n);
    normalizer_replace_spaces(n, " ");
}

static void llama_normalise(const Load *l, Normalizer *n)
{
    if (!l->legacy)
        return; /* Metaspace does it then */
    if (l->prefix)
        normalizer_prepend(n, "\u2581");
    normalizer_replace(n, " ", "\u2581");
}

/* ---- templates ---- */

static int name_id(Load *l, const char *text, int32_t *id)
{
    *id = tokenizer_find(l->t, str_of(text, strlen(text)));
    return *id < 0 ? err_set(l->e, "no '%s' among its pieces", text) : 0;
}

static int t5_templates(Load *l)
{
    int32_t end;
    if (name_id(l, "</s>", &end) < 0)
        return -1;
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &l->t->pair : &l->t->single;
        template_add(to, ITEM_FIRST, -1, 0);
        template_add(to, ITEM_SPECIAL, end, 0);
        if (pair) {
            template_add(to, ITEM_SECOND, -1, 0);
            template_add(to, ITEM_SPECIAL, end, 0);
        }
    }
    return 0;
}

static int xlmr_templates(Load *l)
{
    int32_t begin, end;
    if (name_id(l, "<s>", &begin) < 0 || name_id(l, "</s>", &end) < 0)
        return -1;
    tokenizer_roberta_templates(l->t, begin, end);
    return 0;
}

static int albert_templates(Load *l)
{
    int32_t begin, end;
    if (name_id(l, "[CLS]", &begin) < 0 || name_id(l, "[SEP]", &end) < 0)
        return -1;
    tokenizer_bert_templates(l->t, begin, end);
    return 0;
}

static int llama_templates(Load *l)
{
    bool bos = json_get_bool(l->config, "add_bos_token", true, l->e);
    bool eos = json_get_bool(l->config, "add_eos_token", false, l->e);
    int32_t begin, end;
    if (l->e->text[0] || name_id(l, "<s>", &begin) < 0 || name_id(l, "</s>", &end) < 0)
        return -1;
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &l->t->pair : &l->t->single;
        for (int i = 0; i <= pair; i++) {
            if (bos)
                template_add(to, ITEM_SPECIAL, begin, i);
            template_add(to, i ? ITEM_SECOND : ITEM_FIRST, -1, i);
            if (eos)
                template_add(to, ITEM_SPECIAL, end, i);
        }
    }
    return 0;
}

/* ---- the layouts ---- */

static const char *const names_llama[TOK_SPECIALS] = {NULL, NULL, NULL, NULL, "<unk>"};

static const Layout t5 = {names_t5,        t5_entries,   -1,
                          usual_normalise, t5_templates, .prefixes = true};
static const Layout xlmr = {names_roberta,   xlmr_entries,   3,
                            usual_normalise, xlmr_templates, .mask = true};
static const Layout camembert = {names_roberta,   camembert_entries, 3,
                                 usual_normalise, xlmr_templates,    .mask = true};
static const Layout albert = {names_albert,     albert_entries,   -1,
                              albert_normalise, albert_templates, .mask = true};
static const Layout llama = {names_llama,   llama_entries,   0, llama_normalise, llama_templates,
                             .bytes = true, .prefixes = true};

/* By the class of tokenizer_config.json, less "Fast", or config.json's model_type. */
static const struct {
    const char *name, *family;
    const Layout *layout;
} layouts[] = {
    {"T5Tokenizer", "t5", &t5},
    {"T5Tokenizer", "umt5", &t5},
    {"MT5Tokenizer", "mt5", &t5},
    {"T5Tokenizer", "longt5", &t5},
    {"XLMRobertaTokenizer", "xlm-roberta", &xlmr},
    {"XLMRobertaTokenizer", "xlm-roberta-xl", &xlmr},
    {"AlbertTokenizer", "albert", &albert},
    {"CamembertTokenizer", "camembert", &camembert},
    {"LlamaTokenizer", "llama", &llama},
    {"LlamaTokenizer", "mistral", &llama},
};

static const Layout *find_layout(const char *folder, const json_t *config, Err *e)
{
    json_t *model = jsonfile_load(folder, "config.json", true, e);
    if (e->text[0])
        return NULL;
    const char *family = json_get_str(model, "model_type", "", NULL);
    const char *name = json_get_str(config, "tokenizer_class", NULL, NULL);
    if (!name)
        name = json_get_str(model, "tokenizer_class", NULL, NULL);
    const Layout *found = NULL;
    size_t n = name ? strlen(name) : 0;
    if (n > 4 && strcmp(name + n - 4, "Fast") == 0)
        n -= 4;
    for (size_t i = 0; !found && i < sizeof layouts / sizeof *layouts; i++)
        if (name ? strlen(layouts[i].name) == n && memcmp(layouts[i].name, name, n) == 0
                 : strcmp(layouts[i].family, family) == 0)
            found = layouts[i].layout;
    if (!found)
        err_set(e,
                "the layout of %s '%s' is not supported: those of T5Tokenizer, "
                "XLMRobertaTokenizer, AlbertTokenizer, CamembertTokenizer and LlamaTokenizer "
                "are; or save it with a tokenizer.json",
                name ? "tokenizer_class" : "model_type", name ? name : family);
    json_decref(model);
    return found;
}

/* ---- the model ---- */

static int set_bpe(Load *l, Normalizer *n, const WordRules *words)
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

static int set_unigram(Load *l, Normalizer *n, const WordRules *words)
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

static const char *prepend_scheme(const Load *l)
{
    return !l->prefix ? "never" : l->legacy ? "always" : "first";
}

static void set_words(const Load *l, WordRules *words)
{
    bool is_llama = l->layout == &llama;
    if (is_llama && l->legacy)
        return;
    words->metaspace = true;
    words->split = !is_llama;
    words->put = !l->prefix ? MARK_NEVER : l->legacy ? MARK_ALWAYS : MARK_FIRST;
    memcpy(words->mark, "\u2581", sizeof "\u2581");
}

static int set_model(Load *l)
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

static int set_decoder(const Load *l)
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
static int add_added(Load *l)
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

static int add_special(Load *l, Str text, bool strips)
{
    json_t *o = json_pack("{s:s%, s:b, s:b}", "content", text.p, text.n, "lstrip", (int)strips,
                          "normalized", 0);
    int bad = tokenizer_add(l->t, o, -1, true, l->e);
    json_decref(o);
    return bad;
}

/* What the class adds by itself: <extra_id_...> of T5, what fairseq left in CamemBERT. */
static int add_own(Load *l)
{
    static const char *const unused[] = {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"};
    bool listed = json_object_get(l->config, "additional_special_tokens") != NULL;
    for (int i = 0; l->layout == &camembert && !listed && i < 3; i++)
        if (add_special(l, str_of(unused[i], strlen(unused[i])), false) < 0)
            return -1;
    for (int32_t id = 0; l->layout == &t5 && id < l->t->vocab.count; id++) {
        Str s = vocab_text(&l->t->vocab, id);
        if (s.n >= 10 && memcmp(s.p, "<extra_id_", 10) == 0 && add_special(l, s, false) < 0)
            return -1;
    }
    return 0;
}

/* Its special tokens are there even where the file lacks them. */
static int add_missing(Load *l, const json_t *map)
{
    static const Special order[] = {TOK_UNK, TOK_SEP, TOK_PAD, TOK_CLS, TOK_MASK};
    for (int i = 0; i < TOK_SPECIALS; i++) {
        const char *text = special_text(l->t, l->config, map, order[i]);
        if (!text || tokenizer_find(l->t, str_of(text, strlen(text))) >= 0)
            continue;
        bool strips = order[i] == TOK_MASK && l->layout->mask;
        if (add_special(l, str_of(text, strlen(text)), strips) < 0)
            return -1;
    }
    return 0;
}

static int load(Load *l, const char *folder, const json_t *map)
{
    if (l->layout->prefixes) {
        l->prefix = json_get_bool(l->config, "add_prefix_space", true, l->e);
        l->legacy = json_get_bool(l->config, "legacy", true, l->e);
    }
    if (l->e->text[0])
        return err_at(l->e, "tokenizer_config.json");
    l->t->usual = l->layout->names;
    l->t->mask.lstrip = l->layout->mask;
    if (l->layout->entries(l) < 0 || set_model(l) < 0 || add_added(l) < 0 || add_own(l) < 0 ||
        tokenizer_add_said(l->t, folder, l->config, map, l->e) < 0 || add_missing(l, map) < 0 ||
        l->layout->templates(l) < 0)
        return -1;
    return set_decoder(l);
}

int spiece_from_file(Tokenizer *t, const char *path, const json_t *config, const json_t *map,
                     Err *e)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash ? mem_strn(path, (size_t)(slash - path)) : mem_str(".");
    Spiece s;
    Load l = {.t = t, .s = &s, .config = config, .prefix = true, .legacy = true, .e = e};
    int bad = -1;
    l.layout = find_layout(folder, config, e);
    if (l.layout && spiece_read(&s, path, e) == 0) {
        bad = load(&l, folder, map);
        spiece_free(&s);
    }
    free(l.score);
    free(folder);
    return bad ? err_at(e, "%s", path) : 0;
}
