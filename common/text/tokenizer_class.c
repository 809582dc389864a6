#include "text/tokenizer_class.h"

#include <string.h>

const char *const names_bert[TOK_SPECIALS] = {"[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]"};
const char *const names_roberta[TOK_SPECIALS] = {"<s>", "</s>", "<pad>", "<mask>", "<unk>"};
const char *const names_gpt2[TOK_SPECIALS] = {NULL, NULL, NULL, NULL, "<|endoftext|>"};
const char *const names_t5[TOK_SPECIALS] = {NULL, NULL, "<pad>", NULL, "<unk>"};
const char *const names_albert[TOK_SPECIALS] = {"[CLS]", "[SEP]", "<pad>", "[MASK]", "<unk>"};
const char *const names_llama[TOK_SPECIALS] = {NULL, NULL, NULL, NULL, "<unk>"};
const char *const names_qwen2[TOK_SPECIALS] = {NULL, NULL, "<|endoftext|>", NULL, "<|endoftext|>"};
const char *const names_mpnet[TOK_SPECIALS] = {"<s>", "</s>", "<pad>", "<mask>", "[UNK]"};

static const TokClass classes[] = {
    {.name = "AlbertTokenizer", .special = names_albert, .lstrip = true, .spiece = &spiece_albert},
    {.name = "BartTokenizer", .special = names_roberta, .lstrip = true, .normalized = true},
    {.name = "BertTokenizer", .special = names_bert},
    {.name = "CamembertTokenizer",
     .special = names_roberta,
     .lstrip = true,
     .spiece = &spiece_camembert},
    {.name = "DebertaV2Tokenizer", .special = names_bert, .spiece = &spiece_deberta},
    {.name = "DistilBertTokenizer", .special = names_bert},
    {.name = "ElectraTokenizer", .special = names_bert},
    {.name = "GPT2Tokenizer", .special = names_gpt2},
    {.name = "LlamaTokenizer", .special = names_llama, .spiece = &spiece_llama},
    {.name = "LongformerTokenizer", .special = names_roberta, .lstrip = true},
    {.name = "MPNetTokenizer", .special = names_mpnet, .lstrip = true},
    {.name = "MT5Tokenizer", .special = names_t5, .spiece = &spiece_t5},
    {.name = "MarianTokenizer", .special = names_t5},
    {.name = "MobileBertTokenizer", .special = names_bert},
    {.name = "Qwen2Tokenizer", .special = names_qwen2},
    {.name = "RobertaTokenizer", .special = names_roberta, .lstrip = true},
    {.name = "T5Tokenizer", .special = names_t5, .spiece = &spiece_t5},
    {.name = "XLMRobertaTokenizer",
     .special = names_roberta,
     .lstrip = true,
     .spiece = &spiece_xlmr},
};

const TokClass *tokclass_find(const char *name)
{
    static const TokClass unknown;
    for (size_t i = 0; name && i < sizeof classes / sizeof *classes; i++) {
        size_t n = strlen(classes[i].name);
        if (strncmp(name, classes[i].name, n) == 0 && (!name[n] || strcmp(name + n, "Fast") == 0))
            return classes + i;
    }
    return &unknown;
}
