/* npy.h - one tensor of a stream as a NumPy file, version 1.0
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): all frames' pieces
 * along the first axis. The length stands first, so the frames are gone through twice:
 *
 *     Npy n = {.name = "row.vector"};
 *     each frame: npy_count(&n, f, &e)
 *     npy_header(&n, &buf, &e)
 *     each frame: npy_data(&n, f, &buf)
 *
 * BF16 is widened to float32. What counts from a frame's beginning (row.tokens, pick.token,
 * ranges) counts from the stream's. */
#ifndef WEFT_NPY_H
#define WEFT_NPY_H

#include "io/frame.h"

typedef struct Npy {
    const char *name;
    Tensor like;           /* type, rank and shape; shape[0] of all frames so far */
    bool found, empty;     /* empty: only in frames without rows so far */
    int64_t tokens, bytes; /* before the frame that npy_data is given */
} Npy;

int npy_count(Npy *n, const Frame *f, Err *e); /* -1: its type or shape changes midway */
int npy_header(const Npy *n, Buf *b, Err *e);  /* -1: no frame had it */
void npy_data(Npy *n, const Frame *f, Buf *b);

#endif
