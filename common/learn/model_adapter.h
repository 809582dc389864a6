/* model_adapter.h - adapters as peft writes and reads them (PeftModel.from_pretrained over the
 * model that they adapt): adapter_config.json, and in adapter_model.safetensors
 *
 *     base_model.model.MODULE.lora_A.weight    [rank, inputs]
 *     base_model.model.MODULE.lora_B.weight    [outputs, rank]
 *     base_model.model.TENSOR                  of what learns as it is: the head */
#ifndef WEFT_MODEL_ADAPTER_H
#define WEFT_MODEL_ADAPTER_H

#include "base/outfolder.h"
#include "learn/model_setup.h"

#define ADAPTER_CONFIG "adapter_config.json"
#define ADAPTER_TENSORS "adapter_model.safetensors"

/* Both files into the folder. */
int model_adapter_write(const ModelSetup *m, const TrainSpec *t, Objective o, const float *numbers,
                        OutFolder *into, Err *e);
/* The second one alone; a head of ours is elsewhere. */
int model_adapter_tensors(const ModelSetup *m, const float *numbers, OutFolder *into, Err *e);
/* From it to the numbers. */
int model_adapter_read(const ModelSetup *m, const char *folder, float *numbers, Err *e);

#endif
