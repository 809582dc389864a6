/* mapfile.h - a whole file as bytes in memory, read as it is touched. */
#ifndef WEFT_MAPFILE_H
#define WEFT_MAPFILE_H

#include "base/err.h"
#include "base/mem.h"

/* out->p until mapfile_close(). -1: no regular file, empty, or of more than `max` bytes. The
 * error does not say which file. */
int mapfile_open(const char *path, size_t max, Str *out, Err *e);
void mapfile_close(Str *file); /* {NULL, 0} is none */

#endif
