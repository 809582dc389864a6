/* new_weights.h - parameters that no checkpoint has, drawn as transformers' _init_weights does:
 * matrices and tables normal with the configuration's spread, the padding's row 0, biases 0, norms
 * 1 and 0; GPT-2's output matrices by the number of its layers, T5's by their inputs. Layers of
 * `--head linear` and `mlp` are torch.nn.Linear's: uniform in +-1/sqrt(inputs); so is an adapter's
 * A, and its B is 0. */
#ifndef WEFT_NEW_WEIGHTS_H
#define WEFT_NEW_WEIGHTS_H

#include "model/transformer/transformer_learn.h"

/* All of them where the transformer has no checkpoint, else those that are new. Each is drawn by
 * the seed and its own name, whatever others there are. */
void new_weights(Transformer *t, uint64_t seed);

#endif
