/* crossencoder.h - what a folder says to sentence-transformers' CrossEncoder of its one logit. */
#ifndef WEFT_CROSSENCODER_H
#define WEFT_CROSSENCODER_H

#include "base/err.h"

/* The class of torch.nn that makes a score of the logit, such as Sigmoid or Identity; NULL: the
 * folder names none of torch's, or e says what is wrong. The caller frees it. In the first of
 * these that is there: activation_fn in config_sentence_transformers.json, in
 * sentence_transformers in config.json, sbert_ce_default_activation_function there, as versions
 * wrote them one after the other (6.2.0 reads all). */
char *crossencoder_activation(const char *folder, Err *e);

#endif
