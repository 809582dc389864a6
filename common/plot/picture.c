#include "plot/picture.h"

#include "base/outfile.h"
#include "plot/gnuplot.h"
#include "plot/script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int kind_of(const char *path)
{
    static const char *const suffix[] = {".png", ".svg", ".pdf"};
    size_t n = strlen(path);
    for (int i = 0; i < 3; i++)
        if (n > 4 && strcasecmp(path + n - 4, suffix[i]) == 0)
            return i;
    return -1;
}

int picture_check(const char *path, Err *e)
{
    if (kind_of(path) >= 0)
        return 0;
    return err_usage(e, "-o '%s': a picture's name ends in .png, .svg or .pdf", path);
}

/* When it was made stands in a PDF: the same picture shall have the same bytes. */
static void clear_date(Buf *b)
{
    static const char key[] = "/CreationDate (D:", none[] = "19700101000000";
    char *p = memmem(b->p, b->n, key, sizeof key - 1);
    p = p ? p + sizeof key - 1 : NULL;
    for (size_t i = 0; p && i < sizeof none - 1 && p < b->p + b->n && isdigit((unsigned char)*p);
         i++)
        *p++ = none[i];
}

static int draw(const char *path, const Chart *c, Buf *picture, Err *e)
{
    Buf script = {0};
    int kind = kind_of(path);
    script_put(&script, c, (PictureKind)kind);
    int status = gnuplot_run(str_of(script.p, script.n), picture, e);
    if (status == 0 && kind == PICTURE_PDF)
        clear_date(picture);
    free(script.p);
    return status;
}

int picture_write(const char *path, const Chart *c, Err *e)
{
    Buf picture = {0};
    OutFile *o = NULL;
    int status = draw(path, c, &picture, e);
    if (status == 0)
        status = (o = outfile_open(path, e)) ? outfile_write(o, picture.p, picture.n, e) : -1;
    if (status == 0)
        status = outfile_commit(o, e);
    else
        outfile_abort(o);
    free(picture.p);
    return status;
}
