#include "model/model_tokenizer.h"

#include "model/bag.h"
#include "model/config.h"
#include "model/find.h"
#include "store/jsonfile.h"
#include "text/tokenizer_class.h"

#include <stdlib.h>
#include <string.h>

/* Those that families.c lacks are for `tok` alone. */
typedef struct Kind {
    const char *type, *class; /* model_type; tokenizer class, as transformers has it */
    int64_t types;            /* where config.json is silent; 0: its tokenizer makes none */
    Positions positions;      /* of those that families.c lacks */
} Kind;

/* The first of a class stands for it where config.json has no model_type. */
static const Kind kinds[] = {
    {.type = "albert", .class = "AlbertTokenizer", .types = 2},
    {.type = "bart", .class = "BartTokenizer"},
    {.type = "bert", .class = "BertTokenizer", .types = 2},
    {.type = "camembert", .class = "CamembertTokenizer"},
    {.type = "deberta-v2", .class = "DebertaV2Tokenizer"},
    {.type = "distilbert", .class = "DistilBertTokenizer"},
    {.type = "electra", .class = "ElectraTokenizer", .types = 2},
    {.type = "gpt2", .class = "GPT2Tokenizer"},
    {.type = "llama", .class = "LlamaTokenizer"},
    {.type = "longformer", .class = "LongformerTokenizer", .positions = POSITIONS_BEHIND_PAD},
    {.type = "marian", .class = "MarianTokenizer"},
    {.type = "mistral", .class = "LlamaTokenizer"},
    {.type = "mobilebert", .class = "MobileBertTokenizer", .types = 2},
    {.type = "mpnet", .class = "MPNetTokenizer"},
    {.type = "mt5", .class = "MT5Tokenizer"},
    {.type = "opt", .class = "GPT2Tokenizer"},
    {.type = "qwen2", .class = "Qwen2Tokenizer"},
    {.type = "qwen3", .class = "Qwen2Tokenizer"},
    {.type = "roberta", .class = "RobertaTokenizer"},
    {.type = "t5", .class = "T5Tokenizer"},
    {.type = "longt5", .class = "T5Tokenizer", .positions = POSITIONS_DISTANCE},
    {.type = "umt5", .class = "T5Tokenizer", .positions = POSITIONS_DISTANCE},
    {.type = "xlm-roberta", .class = "XLMRobertaTokenizer"},
    {.type = "xlm-roberta-xl", .class = "XLMRobertaTokenizer", .positions = POSITIONS_BEHIND_PAD},
    /* Whose class has more to say of a tokenizer.json, or reads vocab.txt, or cannot be read. */
    {.type = "biogpt", .class = "BioGptTokenizer"},
    {.type = "bloom", .class = "BloomTokenizer"},
    {.type = "canine", .class = "CanineTokenizer"},
    {.type = "codegen", .class = "CodeGenTokenizer"},
    {.type = "cohere", .class = "CohereTokenizer"},
    {.type = "convbert", .class = "ConvBertTokenizer", .types = 2},
    {.type = "ctrl", .class = "CTRLTokenizer"},
    {.type = "data2vec-text", .class = "RobertaTokenizer", .positions = POSITIONS_BEHIND_PAD},
    {.type = "deberta", .class = "DebertaTokenizer"},
    {.type = "ernie", .class = "BertTokenizer", .types = 2},
    {.type = "esm", .class = "EsmTokenizer"},
    {.type = "flaubert", .class = "FlaubertTokenizer"},
    {.type = "fsmt", .class = "FSMTTokenizer"},
    {.type = "funnel", .class = "FunnelTokenizer", .types = 3},
    {.type = "gemma", .class = "GemmaTokenizer"},
    {.type = "gemma2", .class = "GemmaTokenizer"},
    {.type = "gemma3_text", .class = "GemmaTokenizer"},
    {.type = "gpt_neo", .class = "GPT2Tokenizer"},
    {.type = "gpt_neox", .class = "GPTNeoXTokenizer"},
    {.type = "gptj", .class = "GPT2Tokenizer"},
    {.type = "ibert", .class = "RobertaTokenizer", .positions = POSITIONS_BEHIND_PAD},
    {.type = "layoutlm", .class = "LayoutLMTokenizer", .types = 2},
    {.type = "led", .class = "LEDTokenizer"},
    {.type = "luke", .class = "LukeTokenizer"},
    {.type = "m2m_100", .class = "M2M100Tokenizer"},
    {.type = "mbart", .class = "MBartTokenizer"},
    {.type = "megatron-bert", .class = "BertTokenizer", .types = 2},
    {.type = "mvp", .class = "MvpTokenizer"},
    {.type = "plbart", .class = "PLBartTokenizer"},
    {.type = "prophetnet", .class = "ProphetNetTokenizer"},
    {.type = "roc_bert", .class = "RoCBertTokenizer", .types = 2},
    {.type = "roformer", .class = "RoFormerTokenizer", .types = 2},
    {.type = "squeezebert", .class = "SqueezeBertTokenizer", .types = 2},
    {.type = "tapas", .class = "TapasTokenizer"},
    {.type = "visual_bert", .class = "BertTokenizer", .types = 2},
    {.type = "xlm", .class = "XLMTokenizer"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };
static const Kind unknown = {.type = ""};

static const Kind *kind_of_type(const char *type)
{
    for (int i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds + i;
    return &unknown;
}

static const Kind *kind_of_class(const char *class)
{
    const TokClass *wanted = tokclass_find(class);
    for (int i = 0; i < KINDS && wanted->name; i++)
        if (tokclass_find(kinds[i].class) == wanted)
            return kinds + i;
    return &unknown;
}

/* Of a folder without a model_type: by the class that tokenizer_config.json names. */
static const Kind *kind_of_files(const char *folder, Err *e)
{
    json_t *config = jsonfile_load(folder, "tokenizer_config.json", true, e);
    const Kind *kind = kind_of_class(json_get_str(config, "tokenizer_class", NULL, NULL));
    json_decref(config);
    return kind;
}

/* The smallest that config.json says, by whatever name; 0: none. */
static int64_t max_length(const json_t *config, const Kind *kind)
{
    static const char *const keys[] = {"max_position_embeddings", "n_positions", "n_ctx"};
    const Family *family = family_find(kind->type);
    Positions positions = family ? family->positions : kind->positions;
    if (positions == POSITIONS_DISTANCE)
        return 0; /* it has no positions to run out of */
    int64_t least = 0;
    for (int i = 0; i < 3; i++) {
        int64_t n = json_get_int(config, keys[i], 0, NULL);
        if (i == 0 && positions == POSITIONS_BEHIND_PAD) {
            int64_t pad = json_get_int(config, "pad_token_id", 1, NULL);
            n = pad < 0 ? n : pad < n ? n - pad - 1 : 0;
        }
        if (n > 0 && (!least || n < least))
            least = n;
    }
    return least;
}

static Tokenizer *load_bag(const char *folder, const BagFacts *bag, Err *e)
{
    TokFacts facts = {.kind = "static embeddings",
                      .max_length = bag->max_length,
                      .alone = true,
                      .known = bag->model2vec};
    return tokenizer_load(folder, &facts, e);
}

static Tokenizer *load(const char *folder, const json_t *config, Err *e)
{
    const char *said = config ? config_type(config, folder) : NULL, *type = said ? said : "";
    const Kind *kind = *type ? kind_of_type(type) : kind_of_files(folder, e);
    if (e->text[0])
        return NULL;
    char *words = mem_fmt("model_type '%s'", type);
    TokFacts facts = {.class = kind->class,
                      .named = json_get_str(config, "tokenizer_class", NULL, NULL),
                      .kind = words,
                      .max_length = max_length(config, kind),
                      /* One type is none. */
                      .typed = *type,
                      .types = json_get_int(config, "type_vocab_size", kind->types, NULL) > 1};
    Tokenizer *t = tokenizer_load(folder, &facts, e);
    free(words);
    return t;
}

Tokenizer *model_tokenizer(const char *folder, Err *e)
{
    e->text[0] = '\0';
    char *from = model_tokenizer_folder(folder, e);
    BagFacts facts;
    int bag = from ? bag_is(from, &facts, e) : -1;
    json_t *config = bag == 0 ? jsonfile_load(from, "config.json", true, e) : NULL;
    Tokenizer *t = bag < 0 || e->text[0] ? NULL
                   : bag                 ? load_bag(from, &facts, e)
                                         : load(from, config, e);
    json_decref(config);
    free(from);
    return t;
}
