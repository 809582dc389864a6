/* vectors_in.h - what the parts of vectors.h share. */
#ifndef WEFT_VECTORS_IN_H
#define WEFT_VECTORS_IN_H

#include "plot/vectors.h"

/* row.vector of a frame with rows, [rows, *width] and finite. *width is 0 before the first; another
 * width later is an error. */
const float *vectors_of(const Frame *f, int64_t *width, Err *e);

#endif
