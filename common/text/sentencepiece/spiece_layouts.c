/* spiece_layouts.c - what T5's, XLM-R's, CamemBERT's, ALBERT's, DeBERTa's and Llama's classes make
 * of SentencePiece's file, as transformers does (convert_slow_tokenizer.py). */
#include "text/sentencepiece/spiece_in.h"

#include "base/utf8.h"

#include <utf8proc.h>

/* ---- entries ---- */

static int add_entry(SpieceLoad *l, Str text, double score)
{
    int32_t id = l->t->vocab.entries;
    if (id == l->cap) {
        l->cap = l->cap * 2 + 1024;
        l->score = mem_resize(l->score, (size_t)l->cap, sizeof *l->score);
    }
    l->score[id] = score;
    return vocab_add(&l->t->vocab, id, text, l->e);
}

static int add_name(SpieceLoad *l, const char *text, double score)
{
    return add_entry(l, str_of(text, strlen(text)), score);
}

static int add_pieces(SpieceLoad *l, size_t from)
{
    for (size_t i = from; i < l->s->n; i++)
        if (add_entry(l, l->s->piece[i].text, (double)l->s->piece[i].score) < 0)
            return -1;
    return 0;
}

/* The pieces, then <extra_id_99> .. <extra_id_0>. */
static int t5_entries(SpieceLoad *l)
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
static int xlmr_entries(SpieceLoad *l)
{
    static const char *const first[] = {"<s>", "<pad>", "</s>", "<unk>"};
    for (int i = 0; i < 4; i++)
        if (add_name(l, first[i], 0) < 0)
            return -1;
    return add_pieces(l, 3) < 0 ? -1 : add_name(l, "<mask>", 0);
}

static int camembert_entries(SpieceLoad *l)
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

static int albert_entries(SpieceLoad *l)
{
    for (size_t i = 0; i < l->s->n; i++) {
        const SpiecePiece *p = l->s->piece + i;
        double off = ends_in_number(p->text) ? 100 : 0;
        if (add_entry(l, p->text, (double)p->score - off) < 0)
            return -1;
    }
    return 0;
}

static int deberta_entries(SpieceLoad *l)
{
    return add_pieces(l, 0);
}

static int llama_entries(SpieceLoad *l)
{
    for (size_t i = 0; i < 3 && i < l->s->n; i++)
        if (add_entry(l, l->s->piece[i].text, 0) < 0)
            return -1;
    return add_pieces(l, 3);
}

/* ---- normalizers ---- */

static void add_charsmap(const SpieceLoad *l, Normalizer *n)
{
    if (l->s->charsmap.n)
        normalizer_charsmap(n, l->s->charsmap, l->e);
}

static void usual_normalise(const SpieceLoad *l, Normalizer *n)
{
    add_charsmap(l, n);
    normalizer_strip(n, false, true);
    normalizer_replace_spaces(n, "\u2581");
}

static void albert_normalise(const SpieceLoad *l, Normalizer *n)
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

static void deberta_normalise(const SpieceLoad *l, Normalizer *n)
{
    if (json_get_bool(l->config, "do_lower_case", false, l->e))
        normalizer_lowercase(n);
    normalizer_strip(n, true, true);
    add_charsmap(l, n);
    normalizer_replace_spaces(n, " ");
}

static void llama_normalise(const SpieceLoad *l, Normalizer *n)
{
    if (!l->legacy)
        return; /* Metaspace does it then */
    if (l->prefix)
        normalizer_prepend(n, "\u2581");
    normalizer_replace(n, " ", "\u2581");
}

/* ---- templates ---- */

static int name_id(SpieceLoad *l, const char *text, int32_t *id)
{
    *id = tokenizer_find(l->t, str_of(text, strlen(text)));
    return *id < 0 ? err_set(l->e, "no '%s' among its pieces", text) : 0;
}

static int t5_templates(SpieceLoad *l)
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

static int xlmr_templates(SpieceLoad *l)
{
    int32_t begin, end;
    if (name_id(l, "<s>", &begin) < 0 || name_id(l, "</s>", &end) < 0)
        return -1;
    tokenizer_roberta_templates(l->t, begin, end);
    return 0;
}

static int albert_templates(SpieceLoad *l)
{
    int32_t begin, end;
    if (name_id(l, "[CLS]", &begin) < 0 || name_id(l, "[SEP]", &end) < 0)
        return -1;
    tokenizer_bert_templates(l->t, begin, end);
    return 0;
}

static int llama_templates(SpieceLoad *l)
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

/* ---- special tokens of their own ---- */

static int t5_own(SpieceLoad *l)
{
    for (int32_t id = 0; id < l->t->vocab.count; id++) {
        Str s = vocab_text(&l->t->vocab, id);
        if (s.n >= 10 && memcmp(s.p, "<extra_id_", 10) == 0 && spiece_add_special(l, s, false) < 0)
            return -1;
    }
    return 0;
}

/* What fairseq left. */
static int camembert_own(SpieceLoad *l)
{
    static const char *const unused[] = {"<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"};
    bool listed = json_object_get(l->config, "additional_special_tokens") != NULL;
    for (int i = 0; !listed && i < 3; i++)
        if (spiece_add_special(l, str_of(unused[i], strlen(unused[i])), false) < 0)
            return -1;
    return 0;
}

/* Its class alone has the unknown token sought in normalised text. */
static int deberta_own(SpieceLoad *l)
{
    json_t *o = json_pack("{s:s, s:b}", "content", "[UNK]", "normalized", 1);
    int bad =
        tokenizer_find(l->t, str_of("[UNK]", 5)) < 0 ? 0 : tokenizer_add(l->t, o, -1, true, l->e);
    json_decref(o);
    return bad;
}

/* ---- the layouts ---- */

const SpieceLayout spiece_t5 = {.entries = t5_entries,
                                .unknown = -1,
                                .normalise = usual_normalise,
                                .templates = t5_templates,
                                .own = t5_own,
                                .prefixes = true};

const SpieceLayout spiece_xlmr = {.entries = xlmr_entries,
                                  .unknown = 3,
                                  .normalise = usual_normalise,
                                  .templates = xlmr_templates};

const SpieceLayout spiece_camembert = {.entries = camembert_entries,
                                       .unknown = 3,
                                       .normalise = usual_normalise,
                                       .templates = xlmr_templates,
                                       .own = camembert_own};

const SpieceLayout spiece_albert = {.entries = albert_entries,
                                    .unknown = -1,
                                    .normalise = albert_normalise,
                                    .templates = albert_templates};

const SpieceLayout spiece_deberta = {.entries = deberta_entries,
                                     .unknown = -1,
                                     .normalise = deberta_normalise,
                                     .templates = albert_templates,
                                     .own = deberta_own,
                                     .puncts = true};

const SpieceLayout spiece_llama = {.entries = llama_entries,
                                   .unknown = 0,
                                   .normalise = llama_normalise,
                                   .templates = llama_templates,
                                   .bytes = true,
                                   .prefixes = true,
                                   .whole = true};
