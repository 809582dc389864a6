#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(char *dst, size_t size, const char *fmt, va_list ap)
{
    int n = vsnprintf(dst, size, fmt, ap);

    if (n < 0)
        snprintf(dst, size, "error without a text");
    else if ((size_t)n >= size) {
        char *cut = dst + size - 4;
        while (cut > dst && (*cut & 0xc0) == 0x80) /* between two characters */
            cut--;
        memcpy(cut, "...", 4);
    }
}

int err_set(Err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    put(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->usage = false;
    return -1;
}

int err_usage(Err *e, const char *fmt, ...)
{
    if (!e)
        return -1;
    va_list ap;
    va_start(ap, fmt);
    put(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    e->usage = true;
    return -1;
}

int err_at(Err *e, const char *fmt, ...)
{
    if (!e || !e->text[0])
        return -1;
    char old[sizeof e->text], place[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    put(place, sizeof place, fmt, ap);
    va_end(ap);
    memcpy(old, e->text, sizeof old);
    return e->usage ? err_usage(e, "%s: %s", place, old) : err_set(e, "%s: %s", place, old);
}

int err_sys(Err *e, const char *fmt, ...)
{
    int saved = errno;
    if (!e)
        return -1;
    char what[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    put(what, sizeof what, fmt, ap);
    va_end(ap);
    return err_set(e, "%s: %s", what, strerror(saved));
}
