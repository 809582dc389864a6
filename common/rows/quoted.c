#include "rows/quoted.h"

#include "base/utf8.h"
#include "text/unicode.h"

#include <string.h>

size_t quoted_spaces(const char *p, const char *end)
{
    const char *q = p;
    int len = 0;
    while (q < end && (uni_class(utf8_get(q, &len)) & UNI_SPACE))
        q += len;
    return (size_t)(q - p);
}

int quoted_name(Buf *name, const char **at, const char *stops, Err *e)
{
    const char *p = *at + 1, *end = p + strlen(p);
    for (; p < end && (*p != '"' || p[1] == '"'); p++) {
        p += *p == '"';
        buf_add(name, p, 1);
    }
    if (p == end)
        return err_set(e, "a quote is left open: close it");
    p++;
    p += quoted_spaces(p, end);
    if (p < end && !strchr(stops, *p))
        return err_set(e, "text behind a closing quote: double the quotes inside a name");
    *at = p;
    return 0;
}
