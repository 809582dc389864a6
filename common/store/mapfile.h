/* mapfile.h - the files of a model, which are opened here alone: regular files, so that a FIFO, a
 * device or a socket holds nobody up and is no endless file. Errors do not say which file. */
#ifndef WEFT_MAPFILE_H
#define WEFT_MAPFILE_H

#include "base/err.h"
#include "base/mem.h"

/* A descriptor to read from, and how many bytes there are. */
int file_open(const char *path, uint64_t *size, Err *e);
/* All of it, behind what is in b. -1: more than `max` bytes, too. */
int file_read(const char *path, size_t max, Buf *b, Err *e);

/* A whole file as bytes in memory, read as it is touched. out->p until mapfile_close(). -1: empty,
 * or of more than `max` bytes, too. */
int mapfile_open(const char *path, size_t max, Str *out, Err *e);
void mapfile_close(Str *file); /* {NULL, 0} is none */

#endif
