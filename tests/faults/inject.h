/* inject.h - what sweep.c and inject.c share: a page of memory, the file $FAULTS names. */
#ifndef WEFT_INJECT_H
#define WEFT_INJECT_H

#include <stdatomic.h>

/* Calls that can be made to fail. */
typedef enum Call {
    CALL_ALLOC,    /* malloc, calloc, realloc, posix_memalign, aligned_alloc */
    CALL_READ,     /* read, pread, and of files that fopen opened */
    CALL_WRITE,    /* write, writev, and of files that fopen opened; standard error apart */
    CALL_OPEN,     /* open, openat, fopen, mkostemp */
    CALL_CLOSE,    /* close, fclose: they close, and say that something went wrong */
    CALL_SYNC,     /* fsync, fdatasync */
    CALL_RENAME,   /* rename, renameat2 */
    CALL_FOLDER,   /* mkdir, symlink, rmdir, unlink */
    CALL_TRUNCATE, /* ftruncate */
    CALL_MMAP,
    CALL_THREAD, /* pthread_create */
    CALLS
} Call;

enum { ERROR_SHORT = -1, INJECT_TRACE = 12 };

typedef struct Inject {
    Call call; /* the calls of this kind, counted from 1, ... */
    long at;   /* ... this one fails; 0: none does */
    int on;    /* and all after it */
    int error; /* with this errno; ERROR_SHORT: a part is read or written */
    long who;  /* the process that they are counted in: not in those that it starts */
    long kill; /* at this moment, counted from 1, SIGKILL comes: before and behind each call that
                  changes a file or a folder; 0: never */

    atomic_long calls[CALLS], moments;
    atomic_int fired;
    char where[INJECT_TRACE][64]; /* of the first one that failed: who called, "tok+0x1234" */
} Inject;

#endif
