#include "base/mem.h"

#include "base/msg.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *mem_got(void *p, size_t n)
{
    if (!p)
        dief("out of memory (%zu bytes asked for)", n);
    return p;
}

static size_t product(size_t a, size_t b)
{
    size_t n;
    if (__builtin_mul_overflow(a, b, &n))
        dief("out of memory (%zu times %zu bytes asked for)", a, b);
    return n ? n : 1;
}

void *mem_alloc(size_t n)
{
    return mem_got(malloc(n ? n : 1), n);
}

void *mem_zero(size_t count, size_t size)
{
    size_t n = product(count, size);
    return mem_got(calloc(n, 1), n);
}

void *mem_array(size_t count, size_t size)
{
    return mem_alloc(product(count, size));
}

void *mem_resize(void *p, size_t count, size_t size)
{
    size_t n = product(count, size);
    return mem_got(realloc(p, n), n);
}

void *mem_aligned(size_t n)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, n ? n : 1) != 0)
        p = NULL;
    return mem_got(p, n);
}

char *mem_strn(const char *s, size_t n)
{
    char *p = mem_alloc(n + 1);
    memcpy(p, s, n);
    p[n] = '\0';
    return p;
}

char *mem_str(const char *s)
{
    return s ? mem_strn(s, strlen(s)) : NULL;
}

char *mem_fmt(const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&p, fmt, ap);
    va_end(ap);
    return mem_got(n < 0 ? NULL : p, 0);
}

char *buf_room(Buf *b, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(b->n, more, &need))
        dief("out of memory (%zu bytes more asked for)", more);
    if (need > b->cap || !b->p) {
        size_t cap = b->cap + b->cap / 2;
        b->cap = cap < need ? need : cap;
        if (b->cap < 64)
            b->cap = 64;
        b->p = mem_resize(b->p, b->cap, 1);
    }
    return b->p + b->n;
}

void buf_add(Buf *b, const void *p, size_t n)
{
    if (!n)
        return;
    memcpy(buf_room(b, n), p, n);
    b->n += n;
}

void buf_str(Buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_fmt(Buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
}
