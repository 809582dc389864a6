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
int outfile_commit(OutFile *o, Err *e); /* onto the disk, and renamed; frees o */
/* A file of this text and a newline, from open to commit. */
int outfile_text(const char *path, const char *text, Err *e);
void outfile_abort(OutFile *o); /* the old file stays; frees o; NULL is fine */
/* The same for files that belong together, all or none: where it fails, the old ones stand again.
 * A program that is killed (-9) right then leaves no old file beside a new one; those that are
 * missing then lie beside their places, the old ones as .NAME.PID.0.old. Two of them that have one
 * place are an error. Frees all n. */
int outfile_commit_all(OutFile **o, int n, Err *e);

/* fsync(2), where the file system knows it; of the folder that path lies in. -1 with errno. */
int sync_fd(int fd);
int sync_folder_of(const char *path);

/* write(2) until all n bytes are out; -1 with errno. Where the reader has gone, SIGPIPE ends the
 * program, from here if write(2) has not done it. */
int write_all(int fd, const void *p, size_t n);
int writev_all(int fd, struct iovec *part, int parts); /* changes part */

#endif
