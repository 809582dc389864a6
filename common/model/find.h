/* find.h - which folder a model's name means. */
#ifndef WEFT_FIND_H
#define WEFT_FIND_H

#include "base/err.h"

/* The folder of a model, absolute; the caller frees it.
 *   given   what -m or the stream says: a folder, or ORG/NAME[@REV] (or NAME[@REV]) in the
 *           Hugging Face cache, or `default`, the model that comes with weft, unless a model of
 *           that name lies here; NULL: $WEFT_MODEL
 * A name that is not there: the message holds the `weft get` line that brings it. */
char *model_find(const char *given, Err *e);
/* What the stream's `model` says of it: NAME as given where it is one of the cache or
 * `default`, else the absolute folder. The caller frees it. given NULL: $WEFT_MODEL. */
char *model_name(const char *given, const char *folder);
/* The model's own folder: the same, or that of the encoder which a folder that `train` made
 * names. */
char *model_home(const char *folder, Err *e);
/* The folder with the encoder and the tokenizer: in that one, where modules.json of
 * sentence-transformers says. The caller frees it. */
char *model_encoder_folder(const char *folder, Err *e);
char *model_tokenizer_folder(const char *folder, Err *e);

#endif
