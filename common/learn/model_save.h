/* model_save.h - a trained model as a folder that transformers loads by from_pretrained and our
 * programs run: config.json, model.safetensors under Hugging Face's names, the tokenizer's files;
 * a head of Linear layers of ours in head.safetensors beside it. */
#ifndef WEFT_MODEL_SAVE_H
#define WEFT_MODEL_SAVE_H

#include "learn/model_setup.h"

/* Everything into the folder `into`, which is there and empty. `numbers` are the parameters, host
 * memory; `training` a JSON object for people, or NULL. */
int model_save_files(const ModelSetup *m, const TrainSpec *t, const TrainData *d,
                     const float *numbers, const char *training, const char *into, Err *e);

#endif
