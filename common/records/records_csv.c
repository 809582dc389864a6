/* CSV by libcsv. A block of bytes is parsed at once, and the records found in it wait in a
 * queue that holds the bytes of the columns asked for. */
#include "records/records_in.h"

#include "base/namemap.h"
#include "base/num.h"

#include <csv.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

typedef struct Range {
    size_t at, n;
} Range;

struct Csv {
    const RecSpec *spec;
    struct csv_parser parser;
    int *index;   /* where each column asked for stands in this file */
    Buf names;    /* the header's names as they are, NUL behind each */
    int width;    /* fields a record has; 0 until known */
    bool header;  /* the record being read is a header */
    bool ended;   /* the parser has been told that the file ends */
    int field;    /* fields of the current record so far */
    size_t bytes; /* read since the current record began */
    Range *row;   /* the current record's columns, in `text` */
    Buf text;
    size_t begun;           /* where in `text` the current record begins */
    Range *queue;           /* spec->columns a record */
    size_t head, tail, cap; /* records */
    bool failed;            /* the record behind the queue is at fault */
    Err fault;
};

/* libcsv takes spaces off unquoted fields unless nothing is a space. */
static int no_space(unsigned char c)
{
    (void)c;
    return 0;
}

static void *resize(void *p, size_t n)
{
    return mem_resize(p, n, 1);
}

Csv *rec_csv_open(const RecSpec *spec)
{
    Csv *c = mem_zero(1, sizeof *c);
    c->spec = spec;
    csv_init(&c->parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_delim(&c->parser, (unsigned char)spec->delimiter);
    csv_set_space_func(&c->parser, no_space);
    csv_set_blk_size(&c->parser, BLOCK);
    csv_set_realloc_func(&c->parser, resize);
    c->index = mem_zero((size_t)spec->columns + 1, sizeof *c->index);
    c->row = mem_zero((size_t)spec->columns + 1, sizeof *c->row);
    return c;
}

void rec_csv_close(Csv *c)
{
    if (!c)
        return;
    csv_free(&c->parser);
    free(c->index);
    free(c->names.p);
    free(c->row);
    free(c->text.p);
    free(c->queue);
    free(c);
}

bool rec_csv_in_header(const Csv *c)
{
    return c->header;
}

/* The first fault counts; it is told when the records before it have been given out. */
#define FAIL(c, ...)                                                                               \
    do {                                                                                           \
        if (!(c)->failed)                                                                          \
            err_set(&(c)->fault, __VA_ARGS__);                                                     \
        (c)->failed = true;                                                                        \
    } while (0)

/* The header's names, each once: the second `a` is `a#2`, columns without a name are `#1`,
 * `#2`. A name's next number is kept: those below it are taken for good. */
static char **unique_names(const Csv *c)
{
    char **names = mem_zero((size_t)c->width + 1, sizeof *names);
    const char *p = c->names.p;
    NameMap taken = {0}, next = {0};
    bool fresh;
    for (int i = 0; i < c->width; i++, p += strlen(p) + 1) {
        names[i] = mem_str(*p ? p : "#1");
        namemap_at(&taken, str_of(names[i], strlen(names[i])), &fresh);
        int64_t *k = fresh ? NULL : namemap_at(&next, str_of(p, strlen(p)), &(bool){0});
        while (!fresh) {
            *k = *k ? *k + 1 : 2;
            free(names[i]);
            names[i] = mem_fmt("%s#%" PRId64, p, *k);
            namemap_at(&taken, str_of(names[i], strlen(names[i])), &fresh);
        }
    }
    namemap_free(&taken);
    namemap_free(&next);
    return names;
}

/* The remedy where the one column that was found is several. */
static const char *divided(const char *name)
{
    return strchr(name, ';')    ? ": where semicolons divide them, give -d ';'"
           : strchr(name, '\t') ? ": where tabs divide them, give -d '\\t'"
                                : "";
}

static void fail_missing(Csv *c, const char *name, char **names)
{
    Buf list = {0};
    for (int i = 0; i < c->width; i++)
        buf_fmt(&list, "%s%s", i ? ", " : "", names[i]);
    FAIL(c, "no column '%s': there are %.*s%s", name, (int)list.n, list.n ? list.p : "",
         c->width == 1 ? divided(names[0]) : "");
    free(list.p);
}

/* Where the columns asked for stand: by name first, else by number from 1. */
static void find_columns(Csv *c, char **names)
{
    for (int i = 0; i < c->spec->columns; i++) {
        int64_t number;
        int at = 0;
        while (at < c->width && strcmp(names[at], c->spec->column[i]) != 0)
            at++;
        if (at < c->width)
            c->index[i] = at;
        else if (num_int(c->spec->column[i], 1, c->width, &number, NULL) == 0)
            c->index[i] = (int)number - 1;
        else
            fail_missing(c, c->spec->column[i], names);
    }
}

static void end_header(Csv *c)
{
    char **names = unique_names(c);
    find_columns(c, names);
    for (int i = 0; i < c->width; i++)
        free(names[i]);
    free(names);
    c->header = c->failed; /* a fault here is told as the header's */
}

/* Without a header: numbers, and the first record tells how many there are. */
static void number_columns(Csv *c)
{
    for (int i = 0; i < c->spec->columns; i++) {
        int64_t number = 0;
        if (num_int(c->spec->column[i], 1, INT_MAX, &number, NULL) < 0)
            FAIL(c, "no column '%s': without a header columns are numbers, from 1",
                 c->spec->column[i]);
        c->index[i] = (int)number - 1;
    }
}

static void check_numbers(Csv *c)
{
    for (int i = 0; i < c->spec->columns; i++)
        if (c->index[i] >= c->width)
            FAIL(c, "no column %s: there are 1 to %d%s", c->spec->column[i], c->width,
                 c->width == 1 ? ": where another sign than ',' divides them, give -d" : "");
}

void rec_csv_begin(Csv *c)
{
    c->width = c->field = 0;
    c->bytes = 0;
    c->names.n = 0;
    c->header = c->spec->header;
    c->ended = false;
    if (!c->header)
        number_columns(c);
}

static void on_field(void *p, size_t n, void *ctx)
{
    Csv *c = ctx;
    int at = c->field++;
    if (c->failed)
        return;
    if (c->header) {
        if (c->field > REC_COLUMNS)
            FAIL(c, "more than %d columns: cut out those that you want", REC_COLUMNS);
        buf_add(&c->names, p, strnlen(p ? p : "", n));
        buf_add(&c->names, "", 1);
        return;
    }
    for (int i = 0; i < c->spec->columns; i++)
        if (c->index[i] == at) {
            c->row[i] = (Range){c->text.n, n};
            buf_add(&c->text, p, n);
        }
}

static void enqueue(Csv *c)
{
    size_t columns = (size_t)c->spec->columns;
    if (c->tail == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 256;
        c->queue = mem_resize(c->queue, c->cap * (columns + 1), sizeof *c->queue);
    }
    memcpy(c->queue + c->tail++ * columns, c->row, columns * sizeof *c->row);
    c->begun = c->text.n;
}

static void on_record(int end, void *ctx)
{
    Csv *c = ctx;
    int fields = c->field;
    (void)end;
    c->field = 0;
    c->bytes = 0;
    if (c->failed)
        return;
    if (c->header) {
        c->width = fields;
        end_header(c);
        return;
    }
    if (!c->width) {
        c->width = fields;
        check_numbers(c);
    }
    if (c->failed)
        return;
    if (fields != c->width)
        FAIL(c, "%d field%s, but the %s has %d: quote fields that hold the delimiter", fields,
             fields == 1 ? "" : "s", c->spec->header ? "header" : "first record", c->width);
    else
        enqueue(c);
}

/* One block through the parser. Strict, but for a quote inside an unquoted field: that is
 * taken as it stands, as Python's csv and csvkit take it. */
static void parse(Csv *c, const char *p, size_t n)
{
    while (n && !c->failed) {
        size_t done = csv_parse(&c->parser, p, n, on_field, on_record, c);
        p += done;
        n -= done;
        if (!n || c->failed)
            break;
        if (csv_error(&c->parser) != CSV_EPARSE) {
            FAIL(c, "%s", csv_strerror(csv_error(&c->parser)));
        } else if (c->parser.quoted) {
            FAIL(c, "text behind a closing quote: double the quotes inside a field");
        } else {
            csv_set_opts(&c->parser, 0);
            if (csv_parse(&c->parser, p, 1, on_field, on_record, c) != 1)
                FAIL(c, "%s", csv_strerror(csv_error(&c->parser)));
            csv_set_opts(&c->parser, CSV_STRICT | CSV_STRICT_FINI);
            p++;
            n--;
        }
    }
}

/* More records into the queue: 1, REC_IDLE, 0, -1. */
static int read_on(Csv *c, Window *in, Err *e)
{
    if (in->begin == in->end) {
        int k = window_fill(in, e);
        if (k == 0 && !c->ended) {
            c->ended = true;
            if (csv_fini(&c->parser, on_field, on_record, c) != 0)
                FAIL(c, "a quote is left open at the end of the file: close it");
            return 1;
        }
        if (k != 1)
            return k;
    }
    size_t n = in->end - in->begin;
    if (n > BLOCK)
        n = BLOCK;
    c->bytes += n;
    parse(c, in->p + in->begin, n);
    in->begin += n;
    if (c->bytes > (size_t)REC_MAX + BLOCK)
        FAIL(c, "longer than %d bytes: is a quote left open?", REC_MAX);
    return 1;
}

/* All that waited has been given out: what the current record has so far moves to the front. */
static void reset_queue(Csv *c)
{
    if (c->begun)
        memmove(c->text.p, c->text.p + c->begun, c->text.n - c->begun);
    c->text.n -= c->begun;
    for (int i = 0; i < c->spec->columns; i++)
        c->row[i].at -= c->begun; /* of fields still to come: overwritten then */
    c->begun = 0;
    c->head = c->tail = 0;
}

int rec_csv_next(Csv *c, Window *in, Str *field, Err *e)
{
    int columns = c->spec->columns;
    while (c->head == c->tail) {
        if (c->failed) {
            *e = c->fault;
            return -1;
        }
        reset_queue(c);
        int k = read_on(c, in, e);
        if (k != 1)
            return k;
    }
    const Range *row = c->queue + c->head++ * (size_t)columns;
    for (int i = 0; i < columns; i++) {
        field[i] = str_of(c->text.p ? c->text.p + row[i].at : "", row[i].n);
        if (in->suspect && rec_text(field[i], e) < 0)
            return err_at(e, "column '%s'", c->spec->column[i]);
    }
    return 1;
}
