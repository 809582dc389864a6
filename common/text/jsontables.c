#include "text/jsontables.h"

#include "store/mapfile.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

enum { VOCAB_BYTES = 1 << 28 };

static int read_entry(JsonScan *s, Vocab *v, Err *e)
{
    Str text;
    int64_t id;
    if (scan_string(s, &text, e) < 0 || scan_take(s, ':', e) < 0)
        return -1;
    if (scan_int(s, &id, e) < 0)
        return err_at(e, "'%.*s' has no proper id", (int)text.n, text.p);
    if (id < 0 || id > INT32_MAX)
        return err_set(e, "'%.*s' has no proper id: %" PRId64, (int)text.n, text.p, id);
    return vocab_add(v, (int32_t)id, text, e);
}

/* ["text", score] */
static int read_scored(JsonScan *s, Vocab *v, double **score, Err *e)
{
    Str text;
    int32_t id = v->count;
    int32_t cap = v->cap;
    if (scan_take(s, '[', e) < 0 || scan_string(s, &text, e) < 0)
        return -1;
    if (vocab_add(v, id, text, e) < 0)
        return -1;
    if (v->cap != cap)
        *score = mem_resize(*score, (size_t)v->cap, sizeof **score);
    if (scan_take(s, ',', e) < 0)
        return -1;
    if (scan_real(s, *score + id, e) < 0)
        return err_at(e, "'%.*s' has no proper score", (int)text.n, text.p);
    return scan_take(s, ']', e);
}

int jsontables_vocab(const JsonCut *c, Vocab *v, double **score, Err *e)
{
    JsonScan s = jsoncut_table(c, CUT_VOCAB);
    if (!s.p)
        return err_set(e, "model has no vocab");
    bool list = *s.p == '[', first = true;
    size_t bytes = (size_t)(s.end - s.p);
    int more;
    vocab_reserve(v, bytes / 24, bytes / 4); /* lines like `      "the": 262,` are usual */
    s.p++;
    while ((more = scan_more(&s, list ? ']' : '}', &first, e)) > 0)
        if ((list ? read_scored(&s, v, score, e) : read_entry(&s, v, e)) < 0)
            break;
    if (more)
        err_at(e, "line %ld: vocab", scan_line(&s, s.p));
    scan_free(&s);
    return more ? -1 : 0;
}

int jsontables_file(const char *path, Vocab *v, Err *e)
{
    Str file;
    if (mapfile_open(path, VOCAB_BYTES, &file, e) < 0)
        return -1;
    Str table = file;
    for (; table.n && memchr(" \t\r\n", *table.p, 4); table.n--)
        table.p++;
    JsonCut cut = {.table[CUT_VOCAB] = table, .file = file};
    double *score = NULL;
    int bad = table.n && *table.p == '{' ? jsontables_vocab(&cut, v, &score, e)
                                         : err_set(e, "no object of entries with ids");
    mapfile_close(&file);
    return bad;
}

/* "a b", where only one space is; or ["a", "b"]. */
static int read_merge(JsonScan *s, const Vocab *v, MergeList *m, Err *e)
{
    Str left, right;
    if (scan_next(s) == '[') {
        if (scan_take(s, '[', e) < 0 || scan_string(s, &left, e) < 0 || scan_take(s, ',', e) < 0 ||
            scan_string(s, &right, e) < 0 || scan_take(s, ']', e) < 0)
            return -1;
        return merges_add(m, v, left, right, e);
    }
    if (scan_string(s, &left, e) < 0)
        return -1;
    if (left.n >= 8 && memcmp(left.p, "#version", 8) == 0)
        return 0; /* merges.txt's first line, as old files have it */
    const char *space = left.n ? memchr(left.p, ' ', left.n) : NULL;
    if (!space || memchr(space + 1, ' ', left.n - (size_t)(space + 1 - left.p)))
        return err_set(e, "'%.*s' is not two entries with a space between", (int)left.n, left.p);
    right = str_of(space + 1, left.n - (size_t)(space + 1 - left.p));
    left.n = (size_t)(space - left.p);
    return merges_add(m, v, left, right, e);
}

int jsontables_merges(const JsonCut *c, const Vocab *v, MergeList *m, Err *e)
{
    JsonScan s = jsoncut_table(c, CUT_MERGES);
    if (!s.p)
        return err_set(e, "model has no merges");
    if (*s.p != '[')
        return err_set(e, "line %ld: merges is not a list", scan_line(&s, s.p));
    bool first = true;
    int more;
    s.p++;
    while ((more = scan_more(&s, ']', &first, e)) > 0)
        if (read_merge(&s, v, m, e) < 0)
            break;
    if (more)
        err_at(e, "line %ld: merges", scan_line(&s, s.p));
    scan_free(&s);
    return more ? -1 : 0;
}
