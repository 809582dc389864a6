/* mem.h - memory that is there, and bytes that grow. Running out of memory ends the program
 * with a message: no caller can do better. */
#ifndef WEFT_MEM_H
#define WEFT_MEM_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t n);                  /* uninitialised; n = 0 gives a valid pointer */
void *mem_zero(size_t count, size_t size);  /* zeroed; count * size is checked */
void *mem_array(size_t count, size_t size); /* uninitialised; checked */
void *mem_resize(void *p, size_t count, size_t size);
void *mem_aligned(size_t n);      /* on 64 bytes; release with free() */
void *mem_got(void *p, size_t n); /* p, which somebody else took n bytes for, if it is there */
char *mem_str(const char *s);     /* copy; NULL stays NULL */
char *mem_strn(const char *s, size_t n); /* copy of n bytes, NUL behind them */
char *mem_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Bytes that grow. {0} is an empty one; free(b.p) releases it. */
typedef struct Buf {
    char *p;
    size_t n, cap;
} Buf;

char *buf_room(Buf *b, size_t more); /* room for `more` bytes behind b->n; where they go */
void buf_add(Buf *b, const void *p, size_t n);
void buf_str(Buf *b, const char *s);
void buf_fmt(Buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
