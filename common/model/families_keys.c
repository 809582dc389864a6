/* families_keys.c - keys and defaults of transformers' configuration classes. */
#include "model/families_in.h"

#include <stddef.h>

#pragma GCC diagnostic ignored "-Woverride-init" /* rows say how they differ from a common one */

#define BERT_KEYS                                                                                  \
    .vocab = {"vocab_size", 30522}, .hidden = {"hidden_size", 768},                                \
    .layers = {"num_hidden_layers", 12}, .heads = {"num_attention_heads", 12},                     \
    .inner = {"intermediate_size", 3072}, .positions = {"max_position_embeddings", 512},           \
    .types = {"type_vocab_size", 2}, .pad = {"pad_token_id", 0}, .labels = {"num_labels", 2},      \
    .act = "hidden_act", .act_other = "gelu", .eps = "layer_norm_eps", .eps_other = 1e-12,         \
    BERT_DROPS(0.1), .drop_head = {"classifier_dropout", -1}, .init = {"initializer_range", 0.02}

/* All hidden states alike, and attention's weights. */
#define BERT_DROPS(rate)                                                                           \
    .drop_embed = {"hidden_dropout_prob", rate}, .drop_out = {"hidden_dropout_prob", rate},        \
    .drop_feed = {"hidden_dropout_prob", rate},                                                    \
    .drop_attend = {"attention_probs_dropout_prob", rate}

const Keys bert_keys = {BERT_KEYS};

const Keys roberta_keys = {
    BERT_KEYS,
    .vocab = {"vocab_size", 50265},
    .pad = {"pad_token_id", 1},
};

const Keys xlm_roberta_keys = {BERT_KEYS, .pad = {"pad_token_id", 1}};

const Keys mpnet_keys = {BERT_KEYS, .vocab = {"vocab_size", 30527}, .pad = {"pad_token_id", 1},
                         .types = {NULL, 0}, .drop_head = {"hidden_dropout_prob", 0.1}};

const Keys distilbert_keys = {
    .vocab = {"vocab_size", 30522},
    .hidden = {"dim", 768},
    .layers = {"n_layers", 6},
    .heads = {"n_heads", 12},
    .inner = {"hidden_dim", 3072},
    .positions = {"max_position_embeddings", 512},
    .pad = {"pad_token_id", 0},
    .labels = {"num_labels", 2},
    .act = "activation",
    .act_other = "gelu",
    .eps_other = 1e-12,
    .drop_embed = {"dropout", 0.1},
    .drop_attend = {"attention_dropout", 0.1},
    .drop_feed = {"dropout", 0.1},
    .drop_head = {"seq_classif_dropout", 0.2},
    .init = {"initializer_range", 0.02},
    .drop_token = {"dropout", 0.1},
    .drop_span = {"qa_dropout", 0.1},
};

const Keys electra_keys = {
    BERT_KEYS,
    .hidden = {"hidden_size", 256},
    .heads = {"num_attention_heads", 4},
    .inner = {"intermediate_size", 1024},
    .embedding = {"embedding_size", 128},
};

const Keys deberta_v2_keys = {
    BERT_KEYS,
    .vocab = {"vocab_size", 128100},
    .hidden = {"hidden_size", 1536},
    .layers = {"num_hidden_layers", 24},
    .heads = {"num_attention_heads", 24},
    .inner = {"intermediate_size", 6144},
    .types = {"type_vocab_size", 0},
    .embedding = {"embedding_size", 0},
    .size = {"attention_head_size", 0},
    .eps_other = 1e-7,
};

const Keys albert_keys = {
    BERT_KEYS,
    .vocab = {"vocab_size", 30000},
    .hidden = {"hidden_size", 4096},
    .heads = {"num_attention_heads", 64},
    .inner = {"intermediate_size", 16384},
    .embedding = {"embedding_size", 128},
    .act_other = "gelu_new",
    BERT_DROPS(0),
    .drop_head = {"classifier_dropout_prob", 0.1},
};

const Keys gpt2_keys = {
    .vocab = {"vocab_size", 50257},
    .hidden = {"n_embd", 768},
    .layers = {"n_layer", 12},
    .heads = {"n_head", 12},
    .inner = {"n_inner", 0},
    .positions = {"n_positions", 1024},
    .pad = {"pad_token_id", -1},
    .labels = {"num_labels", 2},
    .eos = 50256,
    .bos = {"bos_token_id", 50256},
    .act = "activation_function",
    .act_other = "gelu_new",
    .eps = "layer_norm_epsilon",
    .eps_other = 1e-5,
    .drop_embed = {"embd_pdrop", 0.1},
    .drop_attend = {"attn_pdrop", 0.1},
    .drop_out = {"resid_pdrop", 0.1},
    .drop_feed = {"resid_pdrop", 0.1},
    .drop_head = {"classifier_dropout", 0.1},
    .init = {"initializer_range", 0.02},
};

const Keys opt_keys = {
    .vocab = {"vocab_size", 50272},
    .hidden = {"hidden_size", 768},
    .layers = {"num_hidden_layers", 12},
    .heads = {"num_attention_heads", 12},
    .inner = {"ffn_dim", 3072},
    .positions = {"max_position_embeddings", 2048},
    .pad = {"pad_token_id", 1},
    .labels = {"num_labels", 2},
    .eos = 2,
    .bos = {"bos_token_id", 2},
    .act = "activation_function",
    .act_other = "relu",
    .eps_other = 1e-5,
    .drop_attend = {"attention_dropout", 0},
    .drop_out = {"dropout", 0.1},
    .drop_feed = {"dropout", 0.1},
    .drop_head = {NULL, 0},
    .init = {"init_std", 0.02},
};

#define BART_KEYS                                                                                  \
    .vocab = {"vocab_size", 50265}, .hidden = {"d_model", 1024}, .layers = {"encoder_layers", 12}, \
    .heads = {"encoder_attention_heads", 16}, .inner = {"encoder_ffn_dim", 4096},                  \
    .positions = {"max_position_embeddings", 1024}, .decoders = {"decoder_layers", 12},            \
    .pad = {"pad_token_id", 1}, .start = {"decoder_start_token_id", 2},                            \
    .labels = {"num_labels", 3}, .eos = 2, .act = "activation_function", .act_other = "gelu",      \
    .eps_other = 1e-5, .drop_embed = {"dropout", 0.1}, .drop_attend = {"attention_dropout", 0},    \
    .drop_out = {"dropout", 0.1}, .drop_feed = {"dropout", 0.1},                                   \
    .drop_inner = {"activation_dropout", 0}, .drop_head = {"classifier_dropout", 0},               \
    .init = {"init_std", 0.02}

const Keys bart_keys = {BART_KEYS};
const Keys mbart_keys = {BART_KEYS, .labels = {"num_labels", 2}};

const Keys marian_keys = {
    BART_KEYS,
    .vocab = {"vocab_size", 58101},
    .pad = {"pad_token_id", 58100},
    .start = {"decoder_start_token_id", 58100},
    .labels = {"num_labels", 2},
    .eos = 0,
};

#define T5_DROPS                                                                                   \
    .drop_embed = {"dropout_rate", 0.1}, .drop_attend = {"dropout_rate", 0.1},                     \
    .drop_out = {"dropout_rate", 0.1}, .drop_feed = {"dropout_rate", 0.1},                         \
    .drop_inner = {"dropout_rate", 0.1}, .drop_last = {"dropout_rate", 0.1},                       \
    .drop_head = {"classifier_dropout", 0}, .init = {"initializer_factor", 1}

const Keys t5_keys = {
    .vocab = {"vocab_size", 32128},
    .hidden = {"d_model", 512},
    .layers = {"num_layers", 6},
    .heads = {"num_heads", 8},
    .inner = {"d_ff", 2048},
    .size = {"d_kv", 64},
    .speakers = {"num_decoder_layers", 0},
    .start = {"decoder_start_token_id", 0},
    .pad = {"pad_token_id", 0},
    .labels = {"num_labels", 2},
    .eos = 1,
    .act = "feed_forward_proj",
    .act_other = "relu",
    .eps = "layer_norm_epsilon",
    .eps_other = 1e-6,
    T5_DROPS,
};

const Keys mt5_keys = {
    .vocab = {"vocab_size", 250112},
    .hidden = {"d_model", 512},
    .layers = {"num_layers", 8},
    .heads = {"num_heads", 6},
    .inner = {"d_ff", 1024},
    .size = {"d_kv", 64},
    .speakers = {"num_decoder_layers", 0},
    .start = {"decoder_start_token_id", 0},
    .pad = {"pad_token_id", 0},
    .labels = {"num_labels", 2},
    .eos = 1,
    .act = "feed_forward_proj",
    .act_other = "gated-gelu",
    .eps = "layer_norm_epsilon",
    .eps_other = 1e-6,
    T5_DROPS,
};

#define LLAMA_KEYS                                                                                 \
    .vocab = {"vocab_size", 32000}, .hidden = {"hidden_size", 4096},                               \
    .layers = {"num_hidden_layers", 32}, .heads = {"num_attention_heads", 32},                     \
    .inner = {"intermediate_size", 11008}, .positions = {"max_position_embeddings", 2048},         \
    .size = {"head_dim", 0}, .kv = {"num_key_value_heads", 0}, .pad = {"pad_token_id", -1},        \
    .labels = {"num_labels", 2}, .eos = 2, .bos = {"bos_token_id", 1}, .act = "hidden_act",        \
    .act_other = "silu", .eps = "rms_norm_eps", .eps_other = 1e-6, .base = {"rope_theta", 10000},  \
    .drop_attend = {"attention_dropout", 0}, .drop_head = {NULL, 0},                               \
    .drop_token = {"classifier_dropout", 0.1}, .init = {"initializer_range", 0.02}

const Keys llama_keys = {LLAMA_KEYS};

const Keys mistral_keys = {
    LLAMA_KEYS,
    .inner = {"intermediate_size", 14336},
    .positions = {"max_position_embeddings", 131072},
    .kv = {"num_key_value_heads", 8},
    .window = {"sliding_window", 4096},
};

#define QWEN2_KEYS                                                                                 \
    LLAMA_KEYS, .vocab = {"vocab_size", 151936}, .inner = {"intermediate_size", 22016},            \
                .positions = {"max_position_embeddings", 32768},                                   \
                .kv = {"num_key_value_heads", 32}, .eos = -1, .bos = {"bos_token_id", -1}

const Keys qwen2_keys = {QWEN2_KEYS};
const Keys qwen3_keys = {QWEN2_KEYS, .size = {"head_dim", 128}};

const Keys modernbert_keys = {
    .vocab = {"vocab_size", 50368},
    .hidden = {"hidden_size", 768},
    .layers = {"num_hidden_layers", 22},
    .heads = {"num_attention_heads", 12},
    .inner = {"intermediate_size", 1152},
    .positions = {"max_position_embeddings", 8192},
    .window = {"local_attention", 128},
    .pad = {"pad_token_id", 50283},
    .labels = {"num_labels", 2},
    .eos = 50282,
    .bos = {"bos_token_id", 50281},
    .act = "hidden_activation",
    .act_other = "gelu",
    .eps = "norm_eps",
    .eps_other = 1e-5,
    .base = {"global_rope_theta", 160000},
    .near_base = {"local_rope_theta", 10000},
    .drop_embed = {"embedding_dropout", 0},
    .drop_attend = {"attention_dropout", 0},
    .drop_out = {"attention_dropout", 0},
    .drop_inner = {"mlp_dropout", 0},
    .drop_head = {"classifier_dropout", 0},
    .init = {"initializer_range", 0.02},
};
