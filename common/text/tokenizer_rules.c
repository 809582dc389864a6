/* tokenizer_rules.c - what transformers' class of a name does with a folder's files beside reading
 * them: classes that read other files than ours, templates that are made anew, words. */
#include "store/folderkeys.h"
#include "text/tokenizer_in.h"

#include <stdlib.h>

/* Classes that have no fast twin, or one that calls more than the library: what they call. */
static const struct {
    const char *class, *needs;
} others[] = {
    {"BartphoTokenizer", "dict.txt"},
    {"BertGenerationTokenizer", "SentencePiece itself"},
    {"BertJapaneseTokenizer", "MeCab, Juman++ or Sudachi"},
    {"BertweetTokenizer", "bpe.codes"},
    {"BioGptTokenizer", "Moses' rules"},
    {"ByT5Tokenizer", "bytes as they are"},
    {"CTRLTokenizer", "a BPE of its own"},
    {"CanineTokenizer", "characters as they are"},
    {"CpmTokenizer", "jieba"},
    {"CpmAntTokenizer", "jieba"},
    {"ErnieMTokenizer", "SentencePiece itself"},
    {"EsmTokenizer", "an alphabet of proteins"},
    {"FSMTTokenizer", "Moses' rules"},
    {"FlaubertTokenizer", "Moses' rules"},
    {"GPTNeoXJapaneseTokenizer", "rules for Japanese"},
    {"GPTSanJapaneseTokenizer", "rules for Japanese"},
    {"GPTSw3Tokenizer", "SentencePiece itself"},
    {"LayoutLMv2Tokenizer", "places on a page"},
    {"LayoutLMv3Tokenizer", "places on a page"},
    {"LayoutXLMTokenizer", "places on a page"},
    {"LukeTokenizer", "entities"},
    {"M2M100Tokenizer", "SentencePiece itself"},
    {"MLukeTokenizer", "entities"},
    {"MarkupLMTokenizer", "places in HTML"},
    {"MyT5Tokenizer", "bytes as they are"},
    {"PLBartTokenizer", "SentencePiece itself"},
    {"PerceiverTokenizer", "bytes as they are"},
    {"PhobertTokenizer", "bpe.codes"},
    {"ProphetNetTokenizer", "rules of its own"},
    {"RoCBertTokenizer", "shapes and sounds"},
    {"RoFormerTokenizer", "jieba"},
    {"Speech2TextTokenizer", "SentencePiece itself"},
    {"TapasTokenizer", "tables"},
    {"UdopTokenizer", "places on a page"},
    {"XLMProphetNetTokenizer", "SentencePiece itself"},
    {"XLMTokenizer", "Moses' rules"},
};

/* Those that read vocab.txt as BERT's class does. */
static const char *const berts[] = {
    "BertTokenizer",        "ConvBertTokenizer",           "DPRContextEncoderTokenizer",
    "DPRReaderTokenizer",   "DPRQuestionEncoderTokenizer", "DistilBertTokenizer",
    "ElectraTokenizer",     "LayoutLMTokenizer",           "LxmertTokenizer",
    "MPNetTokenizer",       "MobileBertTokenizer",         "RetriBertTokenizer",
    "SqueezeBertTokenizer",
};

/* Those that want a space before words which come by themselves (is_split_into_words). */
static const char *const spaced[] = {
    "BartTokenizer",       "BlenderbotTokenizer", "BloomTokenizer",   "CodeGenTokenizer",
    "CohereTokenizer",     "DebertaTokenizer",    "GPT2Tokenizer",    "LEDTokenizer",
    "LongformerTokenizer", "MvpTokenizer",        "RobertaTokenizer", "WhisperTokenizer",
};

/* Those that bring RobertaProcessing's flags to what tokenizer_config.json says, or their own. */
static const char *const robertas[] = {
    "BartTokenizer",       "BlenderbotTokenizer", "LEDTokenizer",
    "LongformerTokenizer", "MvpTokenizer",        "RobertaTokenizer",
};

/* Those that make the template anew whatever tokenizer.json has. */
static const struct {
    const char *class;
    const char *lang; /* the language where src_lang is not said; NULL: the ends alone */
    bool before;      /* the language stands before the text, else behind the end */
    bool begins;      /* add_bos_token where it is not said */
    const char *bos, *eos;
} makers[] = {
    {"MBartTokenizer", "en_XX", false, false, NULL, "</s>"},
    {"MBart50Tokenizer", "en_XX", true, false, NULL, "</s>"},
    {"NllbTokenizer", "eng_Latn", true, false, NULL, "</s>"},
    {"LlamaTokenizer", NULL, false, true, "<s>", "</s>"},
    {"CodeLlamaTokenizer", NULL, false, true, "<s>", "</s>"},
    {"CohereTokenizer", NULL, false, true, "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"},
    {"GemmaTokenizer", NULL, false, true, "<bos>", "<eos>"},
    {"GPTNeoXTokenizer", NULL, false, false, "<|endoftext|>", "<|endoftext|>"},
};
enum { MAKERS = sizeof makers / sizeof *makers };

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *class_name(const TokFolder *from)
{
    const char *said = json_get_str(from->config, "tokenizer_class", from->facts->named, NULL);
    return said ? said : from->facts->class;
}

/* With "Fast" or without it. */
static bool is_class(const TokFolder *from, const char *name)
{
    const char *is = class_name(from);
    size_t n = strlen(name);
    return is && strncmp(is, name, n) == 0 && (!is[n] || strcmp(is + n, "Fast") == 0);
}

static bool is_one_of(const TokFolder *from, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_class(from, names[i]))
            return true;
    return false;
}

int rules_check(const TokFolder *from, Err *e)
{
    for (size_t i = 0; i < COUNT(others); i++)
        if (is_class(from, others[i].class))
            return err_set(e,
                           "tokenizer_class '%s' is not supported: it calls for %s, which weft "
                           "lacks",
                           class_name(from), others[i].needs);
    folderkeys_note(from->path, "tokenizer_config.json", from->config);
    if (folderkeys_check("tokenizer_config.json", from->config, e) < 0)
        return err_at(e, "tokenizer_config.json");
    if (folderkeys_check("sentence_bert_config.json", from->sentence, e) < 0)
        return err_at(e, "sentence_bert_config.json");
    return 0;
}

int rules_check_vocab(const TokFolder *from, Err *e)
{
    const char *is = class_name(from);
    if (is_one_of(from, berts, COUNT(berts)) || (!is && !from->facts->typed))
        return 0;
    char *what = is ? mem_fmt("tokenizer_class '%s'", is) : mem_str(from->facts->kind);
    err_set(e,
            "vocab.txt of %s is not supported: BertTokenizer's and that of its kin is; say so "
            "in tokenizer_config.json if it is one, or save it with a tokenizer.json",
            what);
    free(what);
    return -1;
}

bool rules_want_space(const TokFolder *from)
{
    return is_one_of(from, spaced, COUNT(spaced));
}

bool rules_are_roberta(const TokFolder *from)
{
    return is_one_of(from, robertas, COUNT(robertas));
}

bool rules_remake_llama(const TokFolder *from)
{
    return is_class(from, "LlamaTokenizer") &&
           json_is_boolean(json_object_get(from->config, "add_prefix_space"));
}

static int find_maker(const TokFolder *from)
{
    int i = 0;
    while (i < MAKERS && !is_class(from, makers[i].class))
        i++;
    return i;
}

bool rules_make_template(const TokFolder *from)
{
    return find_maker(from) < MAKERS;
}

static int find_text(const Tokenizer *t, const char *key, const char *text, int32_t *id, Err *e)
{
    *id = tokenizer_find(t, str_of(text, strlen(text)));
    return *id >= 0
               ? 0
               : err_set(e, "tokenizer_config.json: %s '%s' is not in the vocabulary", key, text);
}

/* What stands before each text and behind it; -1: nothing. */
static void make(Tokenizer *t, int32_t before, const int32_t behind[2], bool each)
{
    for (int pair = 0; pair < 2; pair++) {
        Template *to = pair ? &t->pair : &t->single;
        to->count = to->specials = 0;
        for (int text = 0; text <= pair; text++) {
            int type = each ? text : 0;
            if (before >= 0 && (each || text == 0))
                template_add(to, ITEM_SPECIAL, before, type);
            template_add(to, text ? ITEM_SECOND : ITEM_FIRST, -1, type);
            for (int i = 0; i < 2 && (each || text == pair); i++)
                if (behind[i] >= 0)
                    template_add(to, ITEM_SPECIAL, behind[i], type);
        }
    }
}

int rules_template(Tokenizer *t, const TokFolder *from, Err *e)
{
    int i = find_maker(from);
    if (i == MAKERS)
        return 0;
    const char *bos = tokenizer_said(from, "bos_token"), *eos = tokenizer_said(from, "eos_token");
    int32_t before = -1, behind[2] = {-1, -1};
    bos = bos ? bos : makers[i].bos;
    eos = eos ? eos : makers[i].eos;
    if (makers[i].lang) {
        const char *lang = json_get_str(from->config, "src_lang", makers[i].lang, e);
        bool legacy = json_get_bool(from->config, "legacy_behaviour", false, e);
        bool first = makers[i].before && !(legacy && is_class(from, "NllbTokenizer"));
        int32_t id;
        if (e->text[0] || find_text(t, "src_lang", lang, &id, e) < 0 ||
            find_text(t, "eos_token", eos, &behind[0], e) < 0)
            return -1;
        before = first ? id : -1;
        behind[1] = first ? -1 : id;
    } else {
        bool begins = json_get_bool(from->config, "add_bos_token", makers[i].begins, e);
        bool ends = json_get_bool(from->config, "add_eos_token", false, e);
        if (e->text[0] || (begins && find_text(t, "bos_token", bos, &before, e) < 0) ||
            (ends && find_text(t, "eos_token", eos, &behind[0], e) < 0))
            return -1;
    }
    make(t, before, behind, !makers[i].lang);
    return 0;
}
