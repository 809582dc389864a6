/* families.c - names are those of transformers' modules. */
#include "model/families.h"

#include "model/families_in.h"

#include <stdio.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Woverride-init" /* rows say how they differ from a common one */

#define BERT_LAYER "encoder.layer.%d."
#define BERT_NAMES                                                                                 \
    .word = "embeddings.word_embeddings", .pooler = "pooler.dense", .encoder = {BERT_ENCODER},     \
    .classifier = "classifier", .pool = "pooler"
#define BERT_ENCODER                                                                               \
    .position = "embeddings.position_embeddings", .kind = "embeddings.token_type_embeddings",      \
    .embed_norm = "embeddings.LayerNorm", .query = BERT_LAYER "attention.self.query",              \
    .key = BERT_LAYER "attention.self.key", .value = BERT_LAYER "attention.self.value",            \
    .attend_out = BERT_LAYER "attention.output.dense",                                             \
    .attend_norm = BERT_LAYER "attention.output.LayerNorm", .up = BERT_LAYER "intermediate.dense", \
    .down = BERT_LAYER "output.dense", .feed_norm = BERT_LAYER "output.LayerNorm"

#define LLAMA_LAYER "layers.%d."
#define LLAMA_FAMILY                                                                               \
    .prefix = "model.", .word = "embed_tokens",                                                    \
    .encoder = {.query = LLAMA_LAYER "self_attn.q_proj",                                           \
                .key = LLAMA_LAYER "self_attn.k_proj",                                             \
                .value = LLAMA_LAYER "self_attn.v_proj",                                           \
                .attend_out = LLAMA_LAYER "self_attn.o_proj",                                      \
                .attend_norm = LLAMA_LAYER "input_layernorm",                                      \
                .gate = LLAMA_LAYER "mlp.gate_proj",                                               \
                .gated = LLAMA_LAYER "mlp.up_proj",                                                \
                .down = LLAMA_LAYER "mlp.down_proj",                                               \
                .feed_norm = LLAMA_LAYER "post_attention_layernorm",                               \
                .last_norm = "norm"},                                                              \
    .positions = POSITIONS_ROTARY, .norms = NORMS_BEFORE, .rms = true, .bare = true,               \
    .causal = true, .untied = true, .classifier = "score", .pool = "last", .speaks = "lm_head"
#define MODERNBERT_LAYER "layers.%d."
#define MPNET_LAYER "encoder.layer.%d.attention."
#define OPT_LAYER "decoder.layers.%d."
#define ALBERT_LAYER "encoder.albert_layer_groups.0.albert_layers.0."
#define DEBERTA_SELF BERT_LAYER "attention.self."
#define DISTILBERT_LAYER "transformer.layer.%d."
#define GPT2_LAYER "h.%d."
#define T5_LAYER "encoder.block.%d.layer."
#define T5_SPEAKER "decoder.block.%d.layer."

/* half is "encoder." or "decoder." */
#define BART_HALF(half)                                                                            \
    .position = half "embed_positions", .embed_norm = half "layernorm_embedding",                  \
    .query = half "layers.%d.self_attn.q_proj", .key = half "layers.%d.self_attn.k_proj",          \
    .value = half "layers.%d.self_attn.v_proj", .attend_out = half "layers.%d.self_attn.out_proj", \
    .attend_norm = half "layers.%d.self_attn_layer_norm", .up = half "layers.%d.fc1",              \
    .down = half "layers.%d.fc2", .feed_norm = half "layers.%d.final_layer_norm"
#define BART_CROSS                                                                                 \
    .cross_query = "decoder.layers.%d.encoder_attn.q_proj",                                        \
    .cross_key = "decoder.layers.%d.encoder_attn.k_proj",                                          \
    .cross_value = "decoder.layers.%d.encoder_attn.v_proj",                                        \
    .cross_out = "decoder.layers.%d.encoder_attn.out_proj",                                        \
    .cross_norm = "decoder.layers.%d.encoder_attn_layer_norm"
#define BART_FAMILY                                                                                \
    .prefix = "model.", .word = "shared", .tied = "encoder.embed_tokens", .first = 2,              \
    .classifier = "classification_head.out_proj", .pool = "mean", .speaks = "lm_head"

#define T5_FAMILY                                                                                  \
    .prefix = "transformer.", .word = "shared", .tied = "encoder.embed_tokens",                    \
    .encoder = {.query = T5_LAYER "0.SelfAttention.q",                                             \
                .key = T5_LAYER "0.SelfAttention.k",                                               \
                .value = T5_LAYER "0.SelfAttention.v",                                             \
                .attend_out = T5_LAYER "0.SelfAttention.o",                                        \
                .attend_norm = T5_LAYER "0.layer_norm",                                            \
                .up = T5_LAYER "1.DenseReluDense.wi",                                              \
                .gate = T5_LAYER "1.DenseReluDense.wi_0",                                          \
                .gated = T5_LAYER "1.DenseReluDense.wi_1",                                         \
                .down = T5_LAYER "1.DenseReluDense.wo",                                            \
                .feed_norm = T5_LAYER "1.layer_norm",                                              \
                .last_norm = "encoder.final_layer_norm",                                           \
                .distance = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"},      \
    .decoder = {.query = T5_SPEAKER "0.SelfAttention.q",                                           \
                .key = T5_SPEAKER "0.SelfAttention.k",                                             \
                .value = T5_SPEAKER "0.SelfAttention.v",                                           \
                .attend_out = T5_SPEAKER "0.SelfAttention.o",                                      \
                .attend_norm = T5_SPEAKER "0.layer_norm",                                          \
                .cross_query = T5_SPEAKER "1.EncDecAttention.q",                                   \
                .cross_key = T5_SPEAKER "1.EncDecAttention.k",                                     \
                .cross_value = T5_SPEAKER "1.EncDecAttention.v",                                   \
                .cross_out = T5_SPEAKER "1.EncDecAttention.o",                                     \
                .cross_norm = T5_SPEAKER "1.layer_norm",                                           \
                .up = T5_SPEAKER "2.DenseReluDense.wi",                                            \
                .gate = T5_SPEAKER "2.DenseReluDense.wi_0",                                        \
                .gated = T5_SPEAKER "2.DenseReluDense.wi_1",                                       \
                .down = T5_SPEAKER "2.DenseReluDense.wo",                                          \
                .feed_norm = T5_SPEAKER "2.layer_norm",                                            \
                .last_norm = "decoder.final_layer_norm",                                           \
                .distance = "decoder.block.0.layer.0.SelfAttention.relative_attention_bias"},      \
    .norms = NORMS_BEFORE, .positions = POSITIONS_DISTANCE, .rms = true, .bare = true,             \
    .pad_learns = true, .unscaled = true, .pool = "mean", .speaks = "lm_head"

static const Family families[] = {
    {
        .type = "albert",
        .class = "Albert",
        .prefix = "albert.",
        .keys = &albert_keys,
        .word = "embeddings.word_embeddings",
        .encoder = {.position = "embeddings.position_embeddings",
                    .kind = "embeddings.token_type_embeddings",
                    .embed_norm = "embeddings.LayerNorm",
                    .project = "encoder.embedding_hidden_mapping_in",
                    .query = ALBERT_LAYER "attention.query",
                    .key = ALBERT_LAYER "attention.key",
                    .value = ALBERT_LAYER "attention.value",
                    .attend_out = ALBERT_LAYER "attention.dense",
                    .attend_norm = ALBERT_LAYER "attention.LayerNorm",
                    .up = ALBERT_LAYER "ffn",
                    .down = ALBERT_LAYER "ffn_output",
                    .feed_norm = ALBERT_LAYER "full_layer_layer_norm"},
        .pooler = "pooler",
        .classifier = "classifier",
        .pool = "pooler",
    },
    {.type = "bart",
     .class = "Bart",
     .keys = &bart_keys,
     BART_FAMILY,
     .encoder = {BART_HALF("encoder.")},
     .decoder = {BART_HALF("decoder."), BART_CROSS}},
    {.type = "bert",
     .class = "Bert",
     .decides = true,
     .prefix = "bert.",
     .keys = &bert_keys,
     BERT_NAMES},
    {.type = "camembert",
     .class = "Camembert",
     .decides = true,
     .prefix = "roberta.",
     .keys = &xlm_roberta_keys,
     BERT_NAMES,
     .positions = POSITIONS_BEHIND_PAD},
    {.type = "deberta-v2",
     .class = "DebertaV2",
     .prefix = "deberta.",
     .keys = &deberta_v2_keys,
     BERT_NAMES,
     .positions = POSITIONS_RELATIVE,
     .raised = true,
     .pooler = NULL,
     .encoder.query = DEBERTA_SELF "query_proj",
     .encoder.key = DEBERTA_SELF "key_proj",
     .encoder.value = DEBERTA_SELF "value_proj",
     .encoder.project = "embeddings.embed_proj",
     .encoder.relative = "encoder.rel_embeddings",
     .encoder.relative_norm = "encoder.LayerNorm",
     .encoder.far_key = DEBERTA_SELF "pos_key_proj",
     .encoder.far_query = DEBERTA_SELF "pos_query_proj",
     .pool = "cls"},
    {
        .type = "distilbert",
        .class = "DistilBert",
        .prefix = "distilbert.",
        .keys = &distilbert_keys,
        .word = "embeddings.word_embeddings",
        .encoder = {.position = "embeddings.position_embeddings",
                    .embed_norm = "embeddings.LayerNorm",
                    .query = DISTILBERT_LAYER "attention.q_lin",
                    .key = DISTILBERT_LAYER "attention.k_lin",
                    .value = DISTILBERT_LAYER "attention.v_lin",
                    .attend_out = DISTILBERT_LAYER "attention.out_lin",
                    .attend_norm = DISTILBERT_LAYER "sa_layer_norm",
                    .up = DISTILBERT_LAYER "ffn.lin1",
                    .down = DISTILBERT_LAYER "ffn.lin2",
                    .feed_norm = DISTILBERT_LAYER "output_layer_norm"},
        .classifier = "classifier",
        .pool = "cls",
    },
    {.type = "electra",
     .class = "Electra",
     .decides = true,
     .prefix = "electra.",
     .keys = &electra_keys,
     BERT_NAMES,
     .pooler = NULL,
     .encoder.project = "embeddings_project",
     .pool = "cls"},
    {
        .type = "gpt2",
        .class = "GPT2",
        .prefix = "transformer.",
        .keys = &gpt2_keys,
        .word = "wte",
        .encoder = {.position = "wpe",
                    .qkv = GPT2_LAYER "attn.c_attn",
                    .attend_out = GPT2_LAYER "attn.c_proj",
                    .attend_norm = GPT2_LAYER "ln_1",
                    .up = GPT2_LAYER "mlp.c_fc",
                    .down = GPT2_LAYER "mlp.c_proj",
                    .feed_norm = GPT2_LAYER "ln_2",
                    .last_norm = "ln_f"},
        .norms = NORMS_BEFORE,
        .by_input = true,
        .pad_learns = true,
        .causal = true,
        .classifier = "score",
        .pool = "last",
        .speaks = "lm_head",
    },
    {.type = "llama", .class = "Llama", .keys = &llama_keys, LLAMA_FAMILY},
    {.type = "marian",
     .class = "Marian",
     .keys = &marian_keys,
     BART_FAMILY,
     .positions = POSITIONS_WAVES,
     .first = 0,
     .encodes = true,
     .encoder = {BART_HALF("encoder."), .embed_norm = NULL},
     .decoder = {BART_HALF("decoder."), BART_CROSS, .embed_norm = NULL}},
    {.type = "mbart",
     .class = "MBart",
     .keys = &mbart_keys,
     BART_FAMILY,
     .norms = NORMS_BEFORE,
     .start_last = true,
     .encoder = {BART_HALF("encoder."), .last_norm = "encoder.layer_norm"},
     .decoder = {BART_HALF("decoder."), BART_CROSS, .last_norm = "decoder.layer_norm"}},
    {.type = "mistral", .class = "Mistral", .keys = &mistral_keys, LLAMA_FAMILY},
    {.type = "modernbert",
     .class = "ModernBert",
     .prefix = "model.",
     .keys = &modernbert_keys,
     .word = "embeddings.tok_embeddings",
     .encoder = {.embed_norm = "embeddings.norm",
                 .qkv = MODERNBERT_LAYER "attn.Wqkv",
                 .attend_out = MODERNBERT_LAYER "attn.Wo",
                 .attend_norm = MODERNBERT_LAYER "attn_norm",
                 .gate = MODERNBERT_LAYER "mlp.Wi",
                 .down = MODERNBERT_LAYER "mlp.Wo",
                 .feed_norm = MODERNBERT_LAYER "mlp_norm",
                 .last_norm = "final_norm"},
     .positions = POSITIONS_ROTARY,
     .norms = NORMS_BEFORE,
     .unnormed = true,
     .bare = true,
     .classifier = "classifier",
     .pool = "cls"},
    {.type = "mpnet",
     .class = "MPNet",
     .prefix = "mpnet.",
     .keys = &mpnet_keys,
     BERT_NAMES,
     .positions = POSITIONS_BEHIND_PAD,
     .encoder.kind = NULL,
     .encoder.query = MPNET_LAYER "attn.q",
     .encoder.key = MPNET_LAYER "attn.k",
     .encoder.value = MPNET_LAYER "attn.v",
     .encoder.attend_out = MPNET_LAYER "attn.o",
     .encoder.attend_norm = MPNET_LAYER "LayerNorm",
     .encoder.distance = "encoder.relative_attention_bias"},
    {.type = "mt5", .class = "MT5", .keys = &mt5_keys, T5_FAMILY, .untied = true},
    {.type = "opt",
     .class = "OPT",
     .prefix = "model.",
     .keys = &opt_keys,
     .word = "decoder.embed_tokens",
     .encoder = {.position = "decoder.embed_positions",
                 .query = OPT_LAYER "self_attn.q_proj",
                 .key = OPT_LAYER "self_attn.k_proj",
                 .value = OPT_LAYER "self_attn.v_proj",
                 .attend_out = OPT_LAYER "self_attn.out_proj",
                 .attend_norm = OPT_LAYER "self_attn_layer_norm",
                 .up = OPT_LAYER "fc1",
                 .down = OPT_LAYER "fc2",
                 .feed_norm = OPT_LAYER "final_layer_norm",
                 .last_norm = "decoder.final_layer_norm"},
     .first = 2,
     .norms = NORMS_BEFORE,
     .causal = true,
     .classifier = "score",
     .pool = "last",
     .speaks = "lm_head"},
    {.type = "qwen2", .class = "Qwen2", .keys = &qwen2_keys, LLAMA_FAMILY},
    {.type = "qwen3",
     .class = "Qwen3",
     .keys = &qwen3_keys,
     LLAMA_FAMILY,
     .encoder.query_norm = LLAMA_LAYER "self_attn.q_norm",
     .encoder.key_norm = LLAMA_LAYER "self_attn.k_norm"},
    {.type = "roberta",
     .class = "Roberta",
     .decides = true,
     .prefix = "roberta.",
     .keys = &roberta_keys,
     BERT_NAMES,
     .positions = POSITIONS_BEHIND_PAD},
    {.type = "t5", .class = "T5", .keys = &t5_keys, T5_FAMILY},
    {.type = "xlm-roberta",
     .class = "XLMRoberta",
     .decides = true,
     .prefix = "roberta.",
     .keys = &xlm_roberta_keys,
     BERT_NAMES,
     .positions = POSITIONS_BEHIND_PAD},
};

enum { FAMILIES = sizeof families / sizeof *families };

const Family *family_find(const char *type)
{
    for (int i = 0; i < FAMILIES; i++)
        if (strcmp(families[i].type, type) == 0)
            return &families[i];
    return NULL;
}

/* The words with which a class's name goes on behind its family's. */
static bool goes_on(const char *rest)
{
    static const char *const words[] = {"Model",        "For",        "LMHead", "DoubleHeads",
                                        "EncoderModel", "PreTrained", "MTModel"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(rest, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Is `word` in the folder's own name (in the cache: the model's), with no letter or digit beside
 * it? */
static bool names(const char *folder, const char *word)
{
    const char *cached = strstr(folder, "/snapshots/"), *end = cached ? cached : strchr(folder, 0);
    const char *name = end;
    size_t n = strlen(word);
    while (name > folder && name[-1] != '/')
        name--;
    for (const char *p = name; (p = strstr(p, word)) && p < end; p++)
        if ((p == name || !is_letter(p[-1])) && !is_letter(p[n]))
            return true;
    return false;
}

const Family *family_guess(const char *architecture, const char *folder)
{
    /* Names with another architecture's in them. */
    static const char *const others[] = {
        "bert-generation", "bert_generation",      "megatron-bert",  "roc_bert",
        "visual_bert",     "roberta-prelayernorm", "xlm-roberta-xl", "big_bird"};
    const Family *found = NULL;
    for (int i = 0; i < FAMILIES; i++) {
        const Family *f = &families[i];
        size_t n = strlen(f->class);
        if (strncmp(architecture, f->class, n) == 0 && goes_on(architecture + n))
            return f;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(folder, others[i]))
            return NULL;
    for (int i = 0; i < FAMILIES && !*architecture; i++)
        if (names(folder, families[i].type) &&
            (!found || strlen(found->type) < strlen(families[i].type)))
            found = &families[i];
    return found;
}

const char *family_names(void)
{
    static char all[512];
    size_t n = 0;
    for (int i = 0; i < FAMILIES && !all[n]; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", families[i].type);
    return all;
}
