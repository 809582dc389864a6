/* npy.h - one tensor of a stream as a NumPy file, version 1.0
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): all frames' pieces
 * along the first axis.
 *
 * BF16 is widened to float32. What counts from a frame's beginning (row.tokens, pick.token,
 * ranges) counts from the stream's. */
#ifndef WEFT_NPY_H
#define WEFT_NPY_H

#include "io/stream.h"

/* To standard output. The length stands first, so the stream is laid aside. pad -1: as it lies;
 * else a tensor of tokens becomes [rows, pad, ...] (0: as long as the longest row), with zeros
 * behind each row. -1: the tensor is in no frame, its type or shape changes midway, or it cannot be
 * padded; nothing has been written then. */
int npy_stream(const char *name, int64_t pad, In *in, Err *e);

#endif
