/* wire.h - a frame as bytes: a safetensors document with "weft" first in its metadata
 * (weft-stream(5)). Only io/ includes this. */
#ifndef WEFT_WIRE_H
#define WEFT_WIRE_H

#include "io/frame.h"
#include "store/safetensors.h"

enum { WIRE_TENSORS = 10000 }; /* most tensors a frame */

/* Writes a frame, header and data in one writev(2) where the system takes that much. The end
 * and, if end_rows >= 0, its rows are those of f. 0, or -1 with errno. */
int wire_write(int fd, const Frame *f);

/* The header of such a frame, whose tensors need no data yet; at[i]: where the bytes of tensor i
 * belong, counted from the header's beginning (f->count places). */
void wire_header(const Frame *f, Buf *head, uint64_t *at);

/* A frame from a header and the data behind it, which lies at `data` inside block (one use of
 * it is taken over, also on failure). Not yet frame_check()ed. *foreign: a safetensors document
 * without "weft", which is one complete stream. */
Frame *wire_frame(const StHeader *h, Block *block, void *data, bool *foreign, Err *e);

/* A pipe that holds 1 MiB lets both its ends work at the same time; where the system refuses,
 * or fd is no pipe, nothing happens. */
void wire_widen(int fd);

/* Frames from one file descriptor. What has come of a frame is kept when the next has not come
 * in full, so that nobody waits for a frame longer than it wants. */
typedef struct Source Source;

enum { SOURCE_FRAME = 1, SOURCE_END = 0, SOURCE_CUT = 2, SOURCE_LATER = 3, SOURCE_ERROR = -1 };

Source *source_open(int fd); /* takes over fd */
/* SOURCE_FRAME: *f and *foreign. SOURCE_END: no more bytes. SOURCE_CUT: no more bytes, but
 * some of a frame. SOURCE_LATER: *patience (milliseconds that this call may spend waiting, and
 * counts down; NULL: no bound) ran out. SOURCE_ERROR: *e, without the place. */
int source_next(Source *s, double *patience, Frame **f, bool *foreign, Err *e);
void source_close(Source *s); /* NULL is fine */

#endif
