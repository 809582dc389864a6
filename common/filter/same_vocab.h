/* same_vocab.h - were a stream's ids made for this model? */
#ifndef WEFT_SAME_VOCAB_H
#define WEFT_SAME_VOCAB_H

#include "io/frame.h"

/* Ids of another vocabulary give numbers that mean nothing. The stream's model being the one in
 * `folder` is enough; else the fingerprints decide. A stream that names no vocabulary fits. */
int same_vocab(const Frame *f, const char *name, const char *folder, Err *e);

#endif
