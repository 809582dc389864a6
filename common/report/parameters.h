/* parameters.h - a checkpoint's parameters by part, counted as transformers' num_parameters()
 * does: a matrix that two layers share counts once, and buffers, which nothing learns, not at
 * all. */
#ifndef WEFT_PARAMETERS_H
#define WEFT_PARAMETERS_H

#include "model/transformer/params.h"
#include "model/weights.h"

/* Which part of a model a tensor belongs to: as the model's parameters have it, and where they lack
 * it, as names usually tell. prefix: before names of its encoder, or "". */
Part parameters_part(const Params *model, const char *name, const char *prefix);

/* The parameters of each of n tensors. tied: the output matrix over the vocabulary is that of
 * the word embeddings. */
void parameters_count(const StView *view, int n, bool tied, int64_t *parameters);

#endif
