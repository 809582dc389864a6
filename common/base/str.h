/* str.h - a string of bytes by pointer and length, not NUL-terminated; what it points to is not
 * its own. */
#ifndef WEFT_STR_H
#define WEFT_STR_H

#include <stddef.h>

typedef struct Str {
    const char *p;
    size_t n;
} Str;

static inline Str str_of(const char *p, size_t n)
{
    return (Str){p, n};
}

#endif
