/* digest.h - a hash of each tensor of a stream, row by row: equal where the same rows hold the
 * same values in the same order, however they fall into frames. */
#ifndef WEFT_DIGEST_H
#define WEFT_DIGEST_H

#include "io/frame.h"

typedef struct Digest Digest;

Digest *digest_new(void);
void digest_add(Digest *d, const Frame *f);
/* "rows N", then NAME TAB TYPE TAB 32 hexadecimal digits, by name. Bytes that ranges point into
 * are hashed with the ranges: X.utf8 has no line of its own. Frees d. */
void digest_end(Digest *d, Buf *out);

#endif
