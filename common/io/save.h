/* save.h - a frame as a file: a stream of that one frame, and so a safetensors document, however
 * large it is (out_write cuts frames, for pipes). */
#ifndef WEFT_SAVE_H
#define WEFT_SAVE_H

#include "io/frame.h"

/* Whole or not at all (outfile.h). f is not changed but for its end. */
int save_frame(const char *path, Frame *f, Err *e);

#endif
