#include "plot/draw_in.h"

#include "base/num.h"
#include "base/utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utf8proc.h>

static int64_t page_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int64_t n;
    if (columns && num_int(columns, PAGE_LEAST, PAGE_MOST, &n, NULL) == 0)
        return n;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= PAGE_LEAST)
        return size.ws_col < PAGE_MOST ? size.ws_col : PAGE_MOST;
    return 80;
}

/* Of a locale that this machine has not, its name says what the terminal wants. */
static bool wants_utf8(void)
{
    static const char *const variable[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *name = NULL;
    if (setlocale(LC_CTYPE, ""))
        return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    for (int i = 0; i < 3 && !(name && *name); i++)
        name = getenv(variable[i]);
    const char *dot = name ? strchr(name, '.') : NULL;
    return dot && (strncasecmp(dot, ".utf-8", 6) == 0 || strncasecmp(dot, ".utf8", 5) == 0);
}

Page page_of_output(void)
{
    const char *term = getenv("TERM"), *none = getenv("NO_COLOR");
    return (Page){
        .width = page_width(),
        .utf8 = wants_utf8(),
        .colour = isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb") != 0,
    };
}

/* A character's bytes and columns. */
static int64_t columns_of(const char *p, int *len, const Page *page)
{
    int width = utf8proc_charwidth((utf8proc_int32_t)utf8_get(p, len));
    return page->utf8 ? width : 1;
}

int64_t text_columns(const char *text, const Page *p)
{
    int64_t n = 0;
    for (int len; *text; text += len)
        n += columns_of(text, &len, p);
    return n;
}

void put_columns(Buf *b, const char *text, int64_t columns, const Page *p)
{
    for (int len; *text; text += len) {
        int64_t n = columns_of(text, &len, p);
        if ((columns -= n) < 0)
            return;
        if (p->utf8 || len == 1)
            buf_add(b, text, (size_t)len);
        else
            buf_str(b, "?");
    }
}

void put_blanks(Buf *b, int64_t n)
{
    if (n > 0)
        buf_fmt(b, "%*s", (int)n, "");
}

void put_middle(Buf *b, const char *text, int64_t columns, const Page *p)
{
    put_blanks(b, (columns - text_columns(text, p)) / 2);
    put_columns(b, text, columns, p);
}

void put_right(Buf *b, const char *text, int64_t columns, const Page *p)
{
    put_blanks(b, columns - text_columns(text, p));
    put_columns(b, text, columns, p);
}

void end_line(Buf *b)
{
    while (b->n && b->p[b->n - 1] == ' ')
        b->n--;
    buf_str(b, "\n");
}

int draw_chart(Buf *out, const Chart *c, const Page *p, Err *e)
{
    if (c->panels)
        return draw_heat(out, c, p, e);
    draw_curves(out, c, p);
    return 0;
}
