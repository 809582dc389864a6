/* model_tokenizer.h - the tokenizer of a model folder. */
#ifndef WEFT_MODEL_TOKENIZER_H
#define WEFT_MODEL_TOKENIZER_H

#include "text/tokenizer.h"

/* Of the folder, or of the encoder's where it is one that `train` made. How long rows may be,
 * whether there are token types, and what its class is where the tokenizer's own files do not say
 * so, comes from config.json and what is known of its model_type. */
Tokenizer *model_tokenizer(const char *folder, Err *e);

#endif
