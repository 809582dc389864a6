/* model_save.h - a trained model as a folder that transformers loads by from_pretrained and our
 * programs run: config.json, model.safetensors under Hugging Face's names, the tokenizer's files;
 * a head of Linear layers of ours in head.safetensors beside it. Or adapters alone, in place of the
 * model (model_adapter.h). */
#ifndef WEFT_MODEL_SAVE_H
#define WEFT_MODEL_SAVE_H

#include "base/outfolder.h"
#include "learn/model_setup.h"

/* What goes along from the model that a training begins with, as it is. */
#define MODEL_FILES_COPIED                                                                         \
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",     \
        "vocab.txt", "vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model",        \
        "tokenizer.model", "source.spm", "target.spm", "generation_config.json"

/* Everything into the folder. `numbers` are the parameters, host memory; `training` a JSON object
 * for people. */
int model_save_files(const ModelSetup *m, const TrainSpec *t, const TrainData *d,
                     const float *numbers, const char *training, OutFolder *into, Err *e);
/* The parameters of a folder that was written so; with adapters what learns, of a checkpoint. */
int model_read_files(const ModelSetup *m, const char *folder, float *numbers, Err *e);

#endif
