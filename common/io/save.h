/* save.h - a frame, or a whole stream, as a file: a stream of one frame, and so a safetensors
 * document, however large it is (out_write cuts frames, for pipes). */
#ifndef WEFT_SAVE_H
#define WEFT_SAVE_H

#include "io/stream.h"

/* Whole or not at all (outfile.h). f is not changed but for its end. */
int save_frame(const char *path, Frame *f, Err *e);
/* All that comes; -1 also where its frames do not agree. Frames without rows (ends) bring none,
 * unless there are no others. */
int save_stream(const char *path, In *in, Err *e);

#endif
