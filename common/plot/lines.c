#include "plot/lines.h"

#include <string.h>

Records *lines_open(char **file)
{
    return rec_open(file, file ? 1 : 0, &(RecSpec){.kind = REC_LINES});
}

int lines_next(Records *r, Record *rec, Err *e)
{
    int k;
    while ((k = rec_next(r, rec, e)) == REC_IDLE)
        ;
    return k;
}

int64_t lines_fields(Str line, Str *field, int64_t most)
{
    int64_t n = 0;
    for (const char *p = line.p, *end = p + line.n;; n++) {
        const char *tab = p < end ? memchr(p, '\t', (size_t)(end - p)) : NULL;
        if (n < most)
            field[n] = str_of(p, (size_t)((tab ? tab : end) - p));
        if (!tab)
            return n + 1;
        p = tab + 1;
    }
}

int lines_all(char **file, size_t most, Buf *b, Err *e)
{
    Records *r = lines_open(file);
    Record rec;
    int k;
    while ((k = lines_next(r, &rec, e)) > 0) {
        if (b->n + rec.field[0].n + 1 > most) {
            k = err_set(e, "%s: more than %zu bytes", rec.place, most);
            break;
        }
        buf_add(b, rec.field[0].p, rec.field[0].n);
        buf_add(b, "\n", 1);
    }
    rec_close(r);
    return k;
}
