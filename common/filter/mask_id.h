/* mask_id.h - which token is the mask. */
#ifndef WEFT_MASK_ID_H
#define WEFT_MASK_ID_H

#include "io/frame.h"

/* The mask token's id: as `tok` says it in the frame, else from the tokenizer of the model in
 * `folder`, which messages call `name`; that takes longer. */
int mask_id(const Frame *f, const char *folder, const char *name, int32_t *id, Err *e);

#endif
