/* save.h - a whole stream as a file: a stream of one frame, and so a safetensors document, however
 * large it is (out_write cuts frames, for pipes). */
#ifndef WEFT_SAVE_H
#define WEFT_SAVE_H

#include "io/stream.h"

/* All that comes, whole or not at all (outfile.h); -1 also where its frames do not agree. Frames
 * without rows (ends) bring none, unless there are no others. Memory holds a frame or two: the
 * input is laid aside, and its frames' pieces of each tensor are written where they belong. */
int save_stream(const char *path, In *in, Err *e);

#endif
