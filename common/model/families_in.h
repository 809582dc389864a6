/* families_in.h - families_keys.c: the keys of config.json and their defaults, by family. For
 * families.c alone. */
#ifndef WEFT_FAMILIES_IN_H
#define WEFT_FAMILIES_IN_H

#include "model/families.h"

extern const Keys bert_keys, roberta_keys, xlm_roberta_keys, mpnet_keys, distilbert_keys,
    electra_keys, albert_keys, gpt2_keys, opt_keys, bart_keys, mbart_keys, marian_keys, t5_keys,
    mt5_keys, deberta_v2_keys, llama_keys, mistral_keys, qwen2_keys, qwen3_keys, modernbert_keys;

#endif
