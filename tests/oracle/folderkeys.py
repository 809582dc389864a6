"""Writes common/store/folderkeys_tables.h: keys of a model folder's files that transformers knows of
the families here and that change nothing in what weft reads, and those that stand in folders that
people share, where transformers itself looks at none of them. Keys that are gone by, or may have but
some values, are in folderkeys.c.

    python3 tests/oracle/folderkeys.py > common/store/folderkeys_tables.h
"""
import inspect
import re
from pathlib import Path

import transformers
from transformers import AutoConfig, GenerationConfig, PretrainedConfig, PreTrainedTokenizerBase
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING

TABLE = Path(__file__).resolve().parents[2] / "common" / "store" / "folderkeys.c"
FAMILIES = """albert bart bert camembert deberta-v2 distilbert electra gpt2 marian mbart mpnet mt5 roberta t5
xlm-roberta llama mistral modernbert opt qwen2 qwen3""".split()

# Written by training scripts, by older versions, by conversions from elsewhere.
SHARED = {
    "config.json": """_attn_implementation _attn_implementation_autoset _name_or_path _num_labels
        activation_fn adapter_attn_dim adapters add_bias_logits afn attention_probs_dropout
        attn_implementation bf16 bos_token classif_dropout classifier_activation cls_dropout
        cls_token_id conv_act conv_groups
        custom_pipelines decoder_attention_dropout directionality do_blenderbot_90_layernorm
        do_sample down_scale_factor emb_size embedding_init_std eos_token eos_token_ids
        extra_pos_embeddings finetuning_task force_bos_token_to_be_generated fp16 gap_size
        generator_hidden_size gradient_checkpointing head_hidden_scale hidden_dropout
        initializer_gain is_composition language layer_norm_type lm_head_bias ln_type
        mask_token_id max_len max_seq_length max_sequence_length metric_for_best_model
        model_max_length model_name n_special name name_or_path net_type norm_eps
        num_memory_blocks original_max_position_embeddings output_past pad_token pad_token_ids
        pooler_act pooler_dropout pooler_fc_size pooler_hidden_act pooler_hidden_size
        pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type
        pre_trained predict_special_tokens quantized replacing_rate save_step
        sbert_ce_default_activation_function sentence_transformers sep_token_id
        sinusoidal_pos_embds student_decoder_layers student_encoder_layers tie_weights_
        tokenizer_name tokenizer_type torch_dtype train_batch_size training transformers_version
        unk_token_id unsloth_fixed unsloth_version use_fast use_return_dict vocab_file
        world_size xla_device""",
    "tokenizer_config.json": """_commit_hash adapter_transformers_version add_eos backend basic_tokenizer chat_template
        device_map do_basic_tokenize errors full_tokenizer_file init_inputs is_fast is_local
        language_codes local_files_only mask_token_sent max_length merges_file name name_or_path
        never_split offset pad_to_max_length pad_to_multiple_of pad_token_type_id padding
        processor_class remove_space return_token_type_ids sentencepiece_model_file single_word
        sp_model special_tokens_map_file spiece_file stride subfolder target_lang tgt_lang
        tokenizer_file tokenizer_object tokenizer_version truncation truncation_strategy
        use_default_system_prompt use_fast verbose version vocab vocab_file vocab_size vocab_type
        wordpieces_prefix""",
    "generation_config.json": "_from_model_config transformers_version _name_or_path chat_format",
}


def own():
    """What folderkeys.c has of each file."""
    keys = {}
    for file, key in re.findall(r'^    \{"([^"]+)", "([^"]+)"', TABLE.read_text(), re.M):
        keys.setdefault(file, set()).add(key)
    return keys


def parameters(of):
    return {p.name for p in inspect.signature(of).parameters.values()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {"self"}


def configs():
    keys = set(PretrainedConfig().to_dict()) | parameters(PretrainedConfig.__init__)
    keys |= set(PretrainedConfig()._get_global_generation_defaults())
    keys |= set(PretrainedConfig.attribute_map)
    for family in FAMILIES:
        made = AutoConfig.for_model(family)
        keys |= set(made.to_dict()) | parameters(type(made).__init__) | set(made.attribute_map)
    return keys


def tokenizers():
    keys = set(PreTrainedTokenizerBase.SPECIAL_TOKENS_ATTRIBUTES)
    keys |= {"padding_side", "truncation_side", "model_input_names", "chat_template", "auto_map"}
    for family in FAMILIES:
        for kind in TOKENIZER_MAPPING[type(AutoConfig.for_model(family))]:
            keys |= parameters(kind.__init__) if kind else set()
    return keys


def show(file, name, keys):
    print(f"\nstatic const char *const {name}[] = {{")
    line = "   "
    for key in sorted(keys - own().get(file, set())):
        item = f' "{key}",'
        if len(line) + len(item) > 99:
            print(line)
            line = "   "
        line += item
    print(line + "\n};")


print(f"""/* folderkeys_tables.h - made by tests/oracle/folderkeys.py from transformers {transformers.__version__}. */
#ifndef WEFT_FOLDERKEYS_TABLES_H
#define WEFT_FOLDERKEYS_TABLES_H

/* Keys that change nothing in what weft reads, in the order of bytes. */""")
for file, name, keys in (("config.json", "config_known", configs()),
                         ("tokenizer_config.json", "tokenizer_known", tokenizers()),
                         ("generation_config.json", "generation_known",
                          set(GenerationConfig().to_dict()) | set(vars(GenerationConfig())))):
    show(file, name, keys | set(SHARED[file].split()))
print("\n#endif")
