#include "store/jsoncut.h"

#include "store/jsonfile.h"
#include "store/mapfile.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 30, REST_MAX = 1 << 26 };
static const char *const names[CUTS] = {"vocab", "merges"};

/* The rest as it grows. Cuts are few: a key that comes again is jansson's to refuse. */
typedef struct Cutter {
    JsonCut *to;
    JsonScan scan;
    Buf rest;
    const char *kept; /* up to here the file is in `rest`, or cut out */
    struct {
        size_t at; /* in the rest: what follows was moved up by `bytes` */
        size_t bytes;
    } move[CUTS];
    int moves;
} Cutter;

static int cut(Cutter *c, int table, Err *e)
{
    scan_next(&c->scan);
    const char *from = c->scan.p;
    if (scan_skip(&c->scan, e) < 0)
        return -1;
    if (*from != '{' && *from != '[')
        return 0; /* null, or nonsense: small, and not for us to judge */
    size_t n = (size_t)(c->scan.p - from);
    c->to->table[table] = str_of(from, n);
    buf_add(&c->rest, c->kept, (size_t)(from - c->kept));
    buf_str(&c->rest, "null");
    c->kept = c->scan.p;
    c->move[c->moves].at = c->rest.n;
    c->move[c->moves++].bytes = n - strlen("null");
    return 0;
}

static int table_of(const JsonCut *c, Str key)
{
    for (int i = 0; i < CUTS; i++)
        if (!c->table[i].p && key.n == strlen(names[i]) && !memcmp(key.p, names[i], key.n))
            return i;
    return CUTS;
}

/* The members of an object: of the document's (`model` false) or of the model's. */
static int cut_members(Cutter *c, bool model, Err *e)
{
    bool first = true;
    Str key;
    int more;
    if (scan_take(&c->scan, '{', e) < 0)
        return -1;
    while ((more = scan_more(&c->scan, '}', &first, e)) > 0) {
        if (scan_string(&c->scan, &key, e) < 0 || scan_take(&c->scan, ':', e) < 0)
            return -1;
        int table = model ? table_of(c->to, key) : CUTS;
        int bad;
        if (table < CUTS)
            bad = cut(c, table, e);
        else if (!model && key.n == 5 && !memcmp(key.p, "model", 5) && scan_next(&c->scan) == '{')
            bad = cut_members(c, true, e);
        else
            bad = scan_skip(&c->scan, e);
        if (bad)
            return -1;
    }
    return more;
}

/* Where in the file jansson stopped in the rest. */
static const char *original(const Cutter *c, size_t at)
{
    size_t moved = 0;
    for (int i = 0; i < c->moves; i++)
        if (c->move[i].at <= at)
            moved += c->move[i].bytes;
    at += moved;
    return c->to->file.p + (at < c->to->file.n ? at : c->to->file.n);
}

static int parse_rest(Cutter *c, Err *e)
{
    json_error_t why;
    const char *end = c->to->file.p + c->to->file.n;
    if ((size_t)(end - c->kept) + c->rest.n > REST_MAX)
        return err_set(e, "too large: over %d MB beside vocab and merges", REST_MAX >> 20);
    buf_add(&c->rest, c->kept, (size_t)(end - c->kept));
    c->to->root = json_read(str_of(c->rest.p, c->rest.n), JSON_REJECT_DUPLICATES, &why);
    if (c->to->root)
        return 0;
    c->scan.p = original(c, why.position > 0 ? (size_t)why.position - 1 : 0);
    return err_set(e, "%s", why.text);
}

int jsoncut_open(JsonCut *c, const char *path, Err *e)
{
    *c = (JsonCut){0};
    if (mapfile_open(path, FILE_MAX, &c->file, e) < 0)
        return -1;
    Cutter cutter = {.to = c, .scan = scan_of(c->file.p, c->file.n), .kept = c->file.p};
    int bad = cut_members(&cutter, false, e) < 0 || parse_rest(&cutter, e) < 0;
    if (bad)
        err_at(e, "line %ld", scan_line(&cutter.scan, cutter.scan.p));
    scan_free(&cutter.scan);
    free(cutter.rest.p);
    if (bad)
        jsoncut_close(c);
    return bad ? -1 : 0;
}

void jsoncut_close(JsonCut *c)
{
    json_decref(c->root);
    mapfile_close(&c->file);
    c->root = NULL;
}

JsonScan jsoncut_table(const JsonCut *c, int table)
{
    JsonScan s = scan_of(c->file.p, c->file.n);
    s.p = s.end = c->table[table].p;
    if (s.p) /* of an empty table there may be no place */
        s.end += c->table[table].n;
    return s;
}
