#include "store/folderkeys.h"

#include "base/mem.h"
#include "base/msg.h"
#include "store/folderkeys_tables.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const FolderKey folder_keys[] = {
    {"config.json", "model_type", NULL, false},
    {"config.json", "architectures", NULL, false},
    {"config.json", "vocab_size", NULL, false},
    {"config.json", "hidden_size", NULL, false},
    {"config.json", "num_hidden_layers", NULL, false},
    {"config.json", "num_attention_heads", NULL, false},
    {"config.json", "intermediate_size", NULL, false},
    {"config.json", "max_position_embeddings", NULL, false},
    {"config.json", "type_vocab_size", NULL, false},
    {"config.json", "pad_token_id", NULL, false},
    {"config.json", "bos_token_id", NULL, false},
    {"config.json", "eos_token_id", NULL, false},
    {"config.json", "num_labels", NULL, false},
    {"config.json", "id2label", NULL, false},
    {"config.json", "problem_type", NULL, false},
    {"config.json", "sentence_transformers", NULL, false},
    {"config.json", "sbert_ce_default_activation_function", NULL, false},
    {"config.json", "hidden_act", NULL, false},
    {"config.json", "layer_norm_eps", NULL, false},
    {"config.json", "hidden_dropout_prob", NULL, false},
    {"config.json", "attention_probs_dropout_prob", NULL, false},
    {"config.json", "classifier_dropout", NULL, false},
    {"config.json", "classifier_dropout_prob", NULL, false},
    {"config.json", "initializer_range", NULL, false},
    {"config.json", "embedding_size", NULL, false},
    {"config.json", "dim", NULL, false},
    {"config.json", "n_layers", NULL, false},
    {"config.json", "n_heads", NULL, false},
    {"config.json", "hidden_dim", NULL, false},
    {"config.json", "activation", NULL, false},
    {"config.json", "dropout", NULL, false},
    {"config.json", "attention_dropout", NULL, false},
    {"config.json", "seq_classif_dropout", NULL, false},
    {"config.json", "qa_dropout", NULL, false},
    {"config.json", "n_embd", NULL, false},
    {"config.json", "n_layer", NULL, false},
    {"config.json", "n_head", NULL, false},
    {"config.json", "n_inner", NULL, false},
    {"config.json", "n_positions", NULL, false},
    {"config.json", "n_ctx", NULL, false},
    {"config.json", "activation_function", NULL, false},
    {"config.json", "layer_norm_epsilon", NULL, false},
    {"config.json", "embd_pdrop", NULL, false},
    {"config.json", "attn_pdrop", NULL, false},
    {"config.json", "resid_pdrop", NULL, false},
    {"config.json", "scale_attn_weights", NULL, false},
    {"config.json", "scale_attn_by_inverse_layer_idx", NULL, false},
    {"config.json", "d_model", NULL, false},
    {"config.json", "encoder_layers", NULL, false},
    {"config.json", "encoder_attention_heads", NULL, false},
    {"config.json", "encoder_ffn_dim", NULL, false},
    {"config.json", "decoder_layers", NULL, false},
    {"config.json", "decoder_start_token_id", NULL, false},
    {"config.json", "activation_dropout", NULL, false},
    {"config.json", "init_std", NULL, false},
    {"config.json", "scale_embedding", NULL, false},
    {"config.json", "d_kv", NULL, false},
    {"config.json", "d_ff", NULL, false},
    {"config.json", "num_layers", NULL, false},
    {"config.json", "num_heads", NULL, false},
    {"config.json", "num_decoder_layers", NULL, false},
    {"config.json", "feed_forward_proj", NULL, false},
    {"config.json", "dropout_rate", NULL, false},
    {"config.json", "initializer_factor", NULL, false},
    {"config.json", "relative_attention_num_buckets", NULL, false},
    {"config.json", "relative_attention_max_distance", NULL, false},
    {"config.json", "ffn_dim", NULL, false},
    {"config.json", "num_key_value_heads", NULL, false},
    {"config.json", "head_dim", NULL, false},
    {"config.json", "rms_norm_eps", NULL, false},
    {"config.json", "rope_theta", NULL, false},
    {"config.json", "rope_scaling", NULL, false},
    {"config.json", "rope_parameters", NULL, false},
    {"config.json", "sliding_window", NULL, false},
    {"config.json", "layer_types", NULL, false},
    {"config.json", "local_attention", NULL, false},
    {"config.json", "global_attn_every_n_layers", NULL, false},
    {"config.json", "global_rope_theta", NULL, false},
    {"config.json", "local_rope_theta", NULL, false},
    {"config.json", "norm_eps", NULL, false},
    {"config.json", "hidden_activation", NULL, false},
    {"config.json", "embedding_dropout", NULL, false},
    {"config.json", "mlp_dropout", NULL, false},
    {"config.json", "classifier_pooling", NULL, false},
    {"config.json", "relative_attention", NULL, false},
    {"config.json", "max_relative_positions", NULL, false},
    {"config.json", "position_buckets", NULL, false},
    {"config.json", "pos_att_type", NULL, false},
    {"config.json", "share_att_key", NULL, false},
    {"config.json", "norm_rel_ebd", NULL, false},
    {"config.json", "position_biased_input", NULL, false},
    {"config.json", "attention_head_size", NULL, false},
    {"config.json", "pooler_hidden_act", NULL, false},
    {"config.json", "tie_word_embeddings", NULL, false},
    {"config.json", "is_decoder", NULL, false},
    {"config.json", "pruned_heads", NULL, false},
    {"config.json", "tokenizer_class", NULL, false},
    {"config.json", "task_specific_params", NULL, false},
    {"config.json", "normalize", NULL, false},
    {"config.json", "max_length", NULL, false},
    {"config.json", "position_embedding_type", "\"absolute\"", true},
    {"config.json", "add_cross_attention", "false", true},
    {"config.json", "num_hidden_groups", "1", true},
    {"config.json", "inner_group_num", "1", true},
    {"config.json", "decoder_attention_heads", "as encoder_attention_heads", true},
    {"config.json", "decoder_ffn_dim", "as encoder_ffn_dim", true},
    {"config.json", "decoder_vocab_size", "as vocab_size", true},
    {"config.json", "normalize_before", "marian: false", true},
    {"config.json", "normalize_embedding", "marian: false", true},
    {"config.json", "add_final_layer_norm", "marian: false", true},
    {"config.json", "static_position_embeddings", "marian: true", true},
    {"config.json", "share_encoder_decoder_embeddings", "marian: true", true},
    {"config.json", "is_gated_act", "as feed_forward_proj", true},
    {"config.json", "dense_act_fn", "as feed_forward_proj", true},
    {"config.json", "do_layer_norm_before", "opt: true", true},
    {"config.json", "_remove_final_layer_norm", "opt: false", true},
    {"config.json", "layer_norm_elementwise_affine", "opt: true", true},
    {"config.json", "word_embed_proj_dim", "opt: as hidden_size", true},
    {"config.json", "conv_kernel_size", "deberta-v2: 0", true},
    {"config.json", "pooler_hidden_size", "deberta-v2: as hidden_size", true},
    {"config.json", "use_sliding_window", "false", true},
    {"config.json", "partial_rotary_factor", "1", true},
    {"config.json", "classifier_activation", "\"gelu\"", false},
    {"config.json", "classifier_bias", "false", false},
    {"config.json", "norm_bias", "false", false},
    {"config.json", "quantization_config", "null", false},
    {"config.json", "auto_map", "without AutoModel...", true},
    {"tokenizer_config.json", "tokenizer_class", NULL, false},
    {"tokenizer_config.json", "model_max_length", NULL, false},
    {"tokenizer_config.json", "max_len", NULL, false},
    {"tokenizer_config.json", "truncation_side", NULL, false},
    {"tokenizer_config.json", "model_input_names", NULL, false},
    {"tokenizer_config.json", "do_lower_case", NULL, false},
    {"tokenizer_config.json", "split_by_punct", NULL, false},
    {"tokenizer_config.json", "strip_accents", NULL, false},
    {"tokenizer_config.json", "tokenize_chinese_chars", NULL, false},
    {"tokenizer_config.json", "add_prefix_space", NULL, false},
    {"tokenizer_config.json", "trim_offsets", NULL, false},
    {"tokenizer_config.json", "keep_accents", NULL, false},
    {"tokenizer_config.json", "legacy", NULL, false},
    {"tokenizer_config.json", "extra_ids", NULL, false},
    {"tokenizer_config.json", "separate_vocabs", NULL, false},
    {"tokenizer_config.json", "src_lang", NULL, false},
    {"tokenizer_config.json", "legacy_behaviour", NULL, false},
    {"tokenizer_config.json", "add_bos_token", NULL, false},
    {"tokenizer_config.json", "add_eos_token", NULL, false},
    {"tokenizer_config.json", "added_tokens_decoder", NULL, false},
    {"tokenizer_config.json", "additional_special_tokens", NULL, false},
    {"tokenizer_config.json", "extra_special_tokens", NULL, false},
    {"tokenizer_config.json", "model_specific_special_tokens", NULL, false},
    {"tokenizer_config.json", "bos_token", NULL, false},
    {"tokenizer_config.json", "eos_token", NULL, false},
    {"tokenizer_config.json", "unk_token", NULL, false},
    {"tokenizer_config.json", "sep_token", NULL, false},
    {"tokenizer_config.json", "pad_token", NULL, false},
    {"tokenizer_config.json", "cls_token", NULL, false},
    {"tokenizer_config.json", "mask_token", NULL, false},
    {"tokenizer_config.json", "clean_up_tokenization_spaces", NULL, false},
    {"tokenizer_config.json", "split_special_tokens", "false", false},
    {"tokenizer_config.json", "from_slow", "false", false},
    {"tokenizer_config.json", "sp_model_kwargs", "{}", true},
    {"special_tokens_map.json", "bos_token", NULL, false},
    {"special_tokens_map.json", "eos_token", NULL, false},
    {"special_tokens_map.json", "unk_token", NULL, false},
    {"special_tokens_map.json", "sep_token", NULL, false},
    {"special_tokens_map.json", "pad_token", NULL, false},
    {"special_tokens_map.json", "cls_token", NULL, false},
    {"special_tokens_map.json", "mask_token", NULL, false},
    {"special_tokens_map.json", "additional_special_tokens", NULL, false},
    {"tokenizer.json", "model", NULL, false},
    {"tokenizer.json", "normalizer", NULL, false},
    {"tokenizer.json", "pre_tokenizer", NULL, false},
    {"tokenizer.json", "post_processor", NULL, false},
    {"tokenizer.json", "decoder", NULL, false},
    {"tokenizer.json", "added_tokens", NULL, false},
    {"tokenizer.json", "truncation", NULL, false},
    {"sentence_bert_config.json", "max_seq_length", NULL, false},
    {"sentence_bert_config.json", "do_lower_case", NULL, false},
    {"sentence_bert_config.json", "transformer_task",
     "\"feature-extraction\"|\"sequence-classification\"", false},
    {"sentence_bert_config.json", "module_output_name", "\"token_embeddings\"|\"scores\"", false},
    {"sentence_bert_config.json", "modality_config",
     "{\"text\":{\"method\":\"forward\",\"method_output_name\":\"last_hidden_state\"}}|"
     "{\"text\":{\"method\":\"forward\",\"method_output_name\":\"logits\"}}",
     false},
    {"sentence_bert_config.json", "query_expansion", "null", false},
    {"sentence_bert_config.json", "processing_kwargs", "{}", false},
    {"sentence_bert_config.json", "processor_kwargs", "{}", false},
    {"sentence_bert_config.json", "tokenizer_args", "{}", false},
    {"sentence_bert_config.json", "config_args", "{}", false},
    {"sentence_bert_config.json", "config_kwargs", "{}", false},
    {"sentence_bert_config.json", "tokenizer_name_or_path", "null", false},
    {"config_sentence_transformers.json", "prompts", NULL, false},
    {"config_sentence_transformers.json", "default_prompt_name", NULL, false},
    {"config_sentence_transformers.json", "activation_fn", NULL, false},
    {"modules.json", "type", NULL, false},
    {"modules.json", "path", NULL, false},
    {"Pooling", "embedding_dimension", NULL, false},
    {"Pooling", "word_embedding_dimension", NULL, false},
    {"Pooling", "pooling_mode", NULL, false},
    {"Pooling", "pooling_mode_cls_token", NULL, false},
    {"Pooling", "pooling_mode_max_tokens", NULL, false},
    {"Pooling", "pooling_mode_mean_tokens", NULL, false},
    {"Pooling", "pooling_mode_mean_sqrt_len_tokens", NULL, false},
    {"Pooling", "pooling_mode_weightedmean_tokens", NULL, false},
    {"Pooling", "pooling_mode_lasttoken", NULL, false},
    {"Pooling", "include_prompt", NULL, false},
    {"Dense", "in_features", NULL, false},
    {"Dense", "out_features", NULL, false},
    {"Dense", "bias", NULL, false},
    {"Dense", "activation_function", NULL, false},
    {"Dense", "use_residual", NULL, false},
    {"Dense", "module_input_name", "\"sentence_embedding\"", true},
    {"Dense", "module_output_name", "\"sentence_embedding\"", true},
    {"LayerNorm", "dimension", NULL, false},
    {"Normalize", "module_input_name", "\"sentence_embedding\"", true},
    {"Normalize", "module_output_name", "\"sentence_embedding\"", true},
};
const int folder_key_count = sizeof folder_keys / sizeof *folder_keys;

static bool is_only(const char *only, const json_t *v)
{
    bool same = false;
    for (const char *p = only; *p && !same; p += *p == '|') {
        size_t n = strcspn(p, "|");
        json_t *one = json_loadb(p, n, JSON_DECODE_ANY, NULL);
        same = one && json_equal(one, v);
        json_decref(one);
        p += n;
    }
    return same;
}

int folderkeys_check(const char *file, const json_t *j, Err *e)
{
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    for (int i = 0; i < folder_key_count; i++) {
        const FolderKey *k = &folder_keys[i];
        const json_t *v = json_object_get(j, k->key);
        if (!k->only || k->elsewhere || strcmp(k->file, name) != 0 || !v || json_is_null(v) ||
            is_only(k->only, v))
            continue;
        char *said = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        err_set(e, "%s %.200s is not supported%s%s", k->key, said,
                strcmp(k->only, "null") != 0 ? ": only " : "",
                strcmp(k->only, "null") != 0 ? k->only : "");
        free(said);
        return -1;
    }
    return 0;
}

/* ---- keys that nobody knows ---- */

static int by_text(const void *key, const void *item)
{
    return strcmp(key, *(const char *const *)item);
}

#define COUNT(list) (sizeof(list) / sizeof *(list))

static bool is_known(const char *file, const char *key)
{
    static const struct {
        const char *file;
        const char *const *key;
        size_t n;
    } lists[] = {
        {"config.json", config_known, COUNT(config_known)},
        {"tokenizer_config.json", tokenizer_known, COUNT(tokenizer_known)},
        {"generation_config.json", generation_known, COUNT(generation_known)},
    };
    for (int i = 0; i < folder_key_count; i++)
        if (strcmp(folder_keys[i].file, file) == 0 && strcmp(folder_keys[i].key, key) == 0)
            return true;
    for (size_t i = 0; i < COUNT(lists); i++)
        if (strcmp(lists[i].file, file) == 0)
            return bsearch(key, lists[i].key, lists[i].n, sizeof *lists[i].key, by_text) != NULL;
    return true;
}

static bool says_nothing(const json_t *v)
{
    return json_is_null(v) || json_is_false(v) ||
           (json_is_string(v) && json_string_length(v) == 0) ||
           (json_is_array(v) && json_array_size(v) == 0) ||
           (json_is_object(v) && json_object_size(v) == 0);
}

/* Was it told before? A program reads a folder's files more than once. */
static bool is_told(const char *what)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static Buf told; /* texts, each with its NUL */
    size_t n = strlen(what) + 1;
    pthread_mutex_lock(&lock);
    bool before = told.n >= n && memmem(told.p, told.n, what, n);
    if (!before)
        buf_add(&told, what, n);
    pthread_mutex_unlock(&lock);
    return before;
}

void folderkeys_note(const char *folder, const char *file, const json_t *j)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)j, key, v) {
        if (is_known(file, key) || says_nothing(v))
            continue;
        char *what = mem_fmt("%s/%s: '%.100s'", folder, file, key);
        if (!is_told(what))
            msg_note("%s is not a key that weft knows: it is not looked at", what);
        free(what);
    }
}
