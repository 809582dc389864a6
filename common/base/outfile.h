/* outfile.h - files appear whole or not at all: made beside their place and renamed into it
 * when that place is absent or a regular file (symbolic links followed); anything else
 * (/dev/null, a FIFO, >(...)) is written directly. */
#ifndef WEFT_OUTFILE_H
#define WEFT_OUTFILE_H

#include "base/err.h"

#include <stddef.h>
#include <sys/uio.h>

typedef struct OutFile OutFile;

OutFile *outfile_open(const char *path, Err *e);
int outfile_fd(const OutFile *o);
int outfile_write(OutFile *o, const void *p, size_t n, Err *e);
int outfile_commit(OutFile *o, Err *e); /* flush, rename; frees o */
void outfile_abort(OutFile *o);         /* the old file stays; frees o; NULL is fine */

/* write(2) until all n bytes are out; -1 with errno. Where the reader has gone, SIGPIPE ends the
 * program, from here if write(2) has not done it. */
int write_all(int fd, const void *p, size_t n);
int writev_all(int fd, struct iovec *part, int parts); /* changes part */

#endif
