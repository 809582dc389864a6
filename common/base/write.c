#include "base/write.h"

#include "base/outfile.h"
#include "base/utf8.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

void put_tsv(Buf *b, Str s)
{
    size_t begin = 0, len, n;
    char code[8];
    for (size_t i = 0; i < s.n; i += n ? n : len) {
        n = utf8_control(s.p + i, s.n - i, &len);
        bool backslash = s.p[i] == '\\';
        if (!n && !backslash)
            continue;
        buf_add(b, s.p + begin, i - begin);
        buf_add(b, backslash ? "\\\\" : code, backslash ? 2 : utf8_escape(s.p + i, n, code));
        begin = i + (n ? n : len);
    }
    buf_add(b, s.p + begin, s.n - begin);
}

void put_column(Buf *b, Str s, size_t width)
{
    size_t end = b->n + width;
    put_tsv(b, s);
    while (b->n < end)
        buf_add(b, " ", 1);
}

static bool needs_quotes(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(",\"\r\n", s.p[i]))
            return true;
    return s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
}

void put_csv(Buf *b, Str s)
{
    if (!needs_quotes(s)) {
        buf_add(b, s.p, s.n);
        return;
    }
    buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.n; i++)
        buf_add(b, s.p[i] == '"' ? "\"\"" : s.p + i, s.p[i] == '"' ? 2 : 1);
    buf_add(b, "\"", 1);
}

/* One character of at least one byte; returns how many bytes it was. */
static size_t put_json_char(Buf *b, const unsigned char *p, size_t n)
{
    if (*p == '"' || *p == '\\') {
        buf_fmt(b, "\\%c", *p);
        return 1;
    }
    if (*p < 0x20) {
        static const char names[] = "btn?fr"; /* of 8 to 13 */
        if (*p >= 8 && *p <= 13 && *p != 11)
            buf_fmt(b, "\\%c", names[*p - 8]);
        else
            buf_fmt(b, "\\u%04x", *p);
        return 1;
    }
    utf8proc_int32_t point;
    utf8proc_ssize_t len = utf8proc_iterate(p, (utf8proc_ssize_t)n, &point);
    if (len < 1) {
        buf_str(b, "\xef\xbf\xbd");
        return 1;
    }
    if (point >= 0x7f && point <= 0x9f) { /* JSON would let them pass, terminals obey them */
        buf_fmt(b, "\\u%04x", (unsigned)point);
        return (size_t)len;
    }
    buf_add(b, p, (size_t)len);
    return (size_t)len;
}

void put_json(Buf *b, Str s)
{
    buf_add(b, "\"", 1);
    for (size_t i = 0; i < s.n;)
        i += put_json_char(b, (const unsigned char *)s.p + i, s.n - i);
    buf_add(b, "\"", 1);
}

void put_json_key(Buf *b, const char *open, const char *key)
{
    buf_fmt(b, "%s\"%s\": ", open, key);
}

void put_float(Buf *b, float x)
{
    if (!isfinite(x)) {
        buf_str(b, "null");
        return;
    }
    char text[32];
    snprintf(text, sizeof text, "%.9g", (double)x);
    buf_str(b, text);
    if (!strpbrk(text, ".e"))
        buf_str(b, ".0");
}

void put_score(Buf *b, double x)
{
    buf_fmt(b, x != 0 && fabs(x) < 1e-4 ? "%.6g" : "%.6f", x);
}

void put_score_line(Buf *b, const char *name, double x)
{
    buf_fmt(b, "%s\t", name);
    put_score(b, x);
    buf_str(b, "\n");
}

void put_count(Buf *b, double x)
{
    buf_fmt(b, "%.15g", x);
}

int put_out(Buf *b, Err *e)
{
    int bad = write_all(STDOUT_FILENO, b->p, b->n);
    b->n = 0;
    return bad < 0 ? err_sys(e, "standard output") : 0;
}
