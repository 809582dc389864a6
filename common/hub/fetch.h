/* fetch.h - a model's files from a hub into the Hugging Face cache, so that `transformers` finds
 * them there offline as model_find() does.
 *
 * From $HF_ENDPOINT (https://huggingface.co), with $HF_TOKEN or the token that `hf auth login`
 * left. Each file is asked for by its commit; its ETag names the blob, and is its SHA-256 or its
 * git hash, which is checked. What broke off is gone on with, within the call or the next time
 * (blobs/ETAG.incomplete). The branch's ref is written last. */
#ifndef WEFT_FETCH_H
#define WEFT_FETCH_H

#include "base/err.h"

#include <stdbool.h>

/* name: NAME or ORG/NAME, @REV behind it. The snapshot's folder, which the caller frees, or NULL
 * with a message that begins with the model's name. HF_HUB_OFFLINE: only what is there already.
 * shown: progress goes to standard error. */
char *fetch_model(const char *name, bool shown, Err *e);

#endif
