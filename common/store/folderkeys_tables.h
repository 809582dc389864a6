/* folderkeys_tables.h - made by tests/oracle/folderkeys.py from transformers 4.57.6. */
#ifndef WEFT_FOLDERKEYS_TABLES_H
#define WEFT_FOLDERKEYS_TABLES_H

/* Keys that change nothing in what weft reads, in the order of bytes. */

static const char *const config_known[] = {
    "_attn_implementation", "_attn_implementation_autoset", "_name_or_path", "_num_labels",
    "activation_fn", "adapter_attn_dim", "adapters", "add_bias_logits", "afn", "attention_bias",
    "attention_probs_dropout", "attn_implementation", "bad_words_ids", "begin_suppress_tokens",
    "bf16", "bos_token", "chunk_size_feed_forward", "classif_dropout", "cls_dropout",
    "cls_token_id", "conv_act", "conv_groups", "cross_attention_hidden_size", "custom_pipelines",
    "decoder_attention_dropout", "decoder_bias", "decoder_layerdrop", "deterministic_flash_attn",
    "directionality", "diversity_penalty", "do_blenderbot_90_layernorm", "do_sample",
    "down_scale_factor", "dtype", "early_stopping", "emb_size", "embedding_init_std",
    "enable_bias", "encoder_layerdrop", "encoder_no_repeat_ngram_size", "eos_token",
    "eos_token_ids", "exponential_decay_length_penalty", "extra_pos_embeddings", "finetuning_task",
    "force_bos_token_to_be_generated", "forced_bos_token_id", "forced_eos_token_id", "fp16",
    "gap_size", "generator_hidden_size", "gradient_checkpointing", "head_hidden_scale",
    "hidden_dropout", "initializer_cutoff_factor", "initializer_gain", "is_composition",
    "is_encoder_decoder", "label2id", "language", "layer_norm_type", "layerdrop", "legacy",
    "length_penalty", "lm_head_bias", "ln_type", "mask_token_id", "max_len", "max_seq_length",
    "max_sequence_length", "max_window_layers", "metric_for_best_model", "min_length", "mlp_bias",
    "model_max_length", "model_name", "n_special", "name", "name_or_path", "net_type",
    "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_memory_blocks",
    "num_return_sequences", "original_max_position_embeddings", "output_attentions",
    "output_hidden_states", "output_past", "output_scores", "pad_token", "pad_token_ids",
    "pooler_act", "pooler_dropout", "pooler_fc_size", "pooler_num_attention_heads",
    "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type", "pre_trained",
    "predict_special_tokens", "prefix", "pretraining_tp", "quantized", "reference_compile",
    "remove_invalid_values", "reorder_and_upcast_attn", "repad_logits_with_grad",
    "repetition_penalty", "replacing_rate", "return_dict", "return_dict_in_generate", "save_step",
    "sep_token_id", "sinusoidal_pos_embds", "sparse_pred_ignore_index", "sparse_prediction",
    "student_decoder_layers", "student_encoder_layers", "summary_activation",
    "summary_first_dropout", "summary_last_dropout", "summary_proj_to_labels", "summary_type",
    "summary_use_proj", "suppress_tokens", "temperature", "tf_legacy_loss", "tie_encoder_decoder",
    "tie_weights_", "tokenizer_name", "tokenizer_type", "top_k", "top_p", "torch_dtype",
    "torchscript", "train_batch_size", "training", "transformers_version", "typical_p",
    "unk_token_id", "unsloth_fixed", "unsloth_version", "use_bfloat16", "use_cache", "use_fast",
    "use_return_dict", "vocab_file", "world_size", "xla_device",
};

static const char *const tokenizer_known[] = {
    "_commit_hash", "adapter_transformers_version", "add_eos", "auto_map", "backend",
    "basic_tokenizer", "chat_template", "device_map", "do_basic_tokenize", "errors",
    "full_tokenizer_file", "init_inputs", "is_fast", "is_local", "language_codes",
    "local_files_only", "mask_token_sent", "max_length", "merges_file", "name", "name_or_path",
    "never_split", "offset", "pad_to_max_length", "pad_to_multiple_of", "pad_token_type_id",
    "padding", "padding_side", "processor_class", "remove_space", "return_token_type_ids",
    "sentencepiece_model_file", "single_word", "source_lang", "source_spm", "sp_model",
    "spaces_between_special_tokens", "special_tokens_map_file", "spiece_file", "stride",
    "subfolder", "target_lang", "target_spm", "target_vocab_file", "tgt_lang", "tokenizer_file",
    "tokenizer_object", "tokenizer_version", "truncation", "truncation_strategy",
    "use_default_system_prompt", "use_fast", "verbose", "version", "vocab", "vocab_file",
    "vocab_size", "vocab_type", "wordpieces_prefix",
};

static const char *const generation_known[] = {
    "_commit_hash", "_from_model_config", "_name_or_path", "assistant_confidence_threshold",
    "assistant_early_exit", "assistant_lookbehind", "bad_words_ids", "begin_suppress_tokens",
    "bos_token_id", "cache_config", "cache_implementation", "chat_format", "compile_config",
    "constraints", "decoder_start_token_id", "disable_compile", "diversity_penalty", "do_sample",
    "dola_layers", "early_stopping", "encoder_no_repeat_ngram_size", "encoder_repetition_penalty",
    "eos_token_id", "epsilon_cutoff", "eta_cutoff", "exponential_decay_length_penalty",
    "force_words_ids", "forced_bos_token_id", "forced_eos_token_id", "guidance_scale",
    "is_assistant", "length_penalty", "low_memory", "max_length", "max_matching_ngram_size",
    "max_new_tokens", "max_time", "min_length", "min_new_tokens", "min_p", "no_repeat_ngram_size",
    "num_assistant_tokens", "num_assistant_tokens_schedule", "num_beam_groups", "num_beams",
    "num_return_sequences", "output_attentions", "output_hidden_states", "output_logits",
    "output_scores", "pad_token_id", "penalty_alpha", "prefill_chunk_size",
    "prompt_lookup_num_tokens", "remove_invalid_values", "renormalize_logits",
    "repetition_penalty", "return_dict_in_generate", "return_legacy_cache", "sequence_bias",
    "stop_strings", "suppress_tokens", "target_lookbehind", "temperature", "token_healing",
    "top_k", "top_p", "transformers_version", "typical_p", "use_cache", "watermarking_config",
};

#endif
