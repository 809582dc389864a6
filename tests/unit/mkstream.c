/* mkstream - makes a stream from a description on standard input, for tests. A line is a row,
 * its fields behind bars; lines that begin with a word below are about the stream:
 *
 *     meta task class
 *     meta classes ["neg","pos"]
 *     logit 0.5 1.5 | label pos | text good | ids 101 7 102 | keep.id a7 | source 0
 *     frame                       a frame ends here
 *     end                         a frame and the stream end here (as at the end of the input)
 *     fail                        the stream ends in failure
 *
 * Fields: text, pair, label, keep.NAME (text); ids (token.id, row.tokens), part (token.part);
 * logit, vector, target, weight (F32); source (I64). What a row lacks of the first row's fields is
 * empty or 0. */
#include "base/msg.h"
#include "io/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELDS = 16 };

typedef struct Column {
    char *name;
    Str *text;      /* a row each */
    float *number;  /* [rows, width] */
    int64_t width;  /* of number; tokens: all so far */
    int64_t *start; /* tokens: rows + 1 */
} Column;

static Column column[FIELDS];
static int columns;
static int64_t rows;
static char *meta[FIELDS][2];
static int metas;

static bool is_text(const char *name)
{
    return strcmp(name, "text") == 0 || strcmp(name, "pair") == 0 || strcmp(name, "label") == 0 ||
           strncmp(name, "keep.", 5) == 0;
}

static bool is_token(const char *name)
{
    return strcmp(name, "ids") == 0 || strcmp(name, "part") == 0;
}

static Column *find(const char *name)
{
    for (int i = 0; i < columns; i++)
        if (strcmp(column[i].name, name) == 0)
            return &column[i];
    if (columns == FIELDS || rows)
        dief("field '%s' must stand in the first row", name);
    column[columns].name = mem_str(name);
    return &column[columns++];
}

static void numbers(Column *c, char *s)
{
    bool token = is_token(c->name);
    int64_t n = token ? c->width : 0, base = token ? 0 : rows * c->width;
    for (char *end; *s; s = end + strspn(end, " ")) {
        c->number = mem_resize(c->number, (size_t)(base + n + 1), sizeof *c->number);
        c->number[base + n++] = strtof(s, &end);
        if (end == s)
            dief("'%s' is no number", s);
    }
    if (!token && rows && n != c->width)
        dief("'%s' has %lld numbers, not %lld", c->name, (long long)n, (long long)c->width);
    c->width = n;
}

static void field(char *s)
{
    char *name = strsep(&s, " ");
    Column *c = find(name);
    if (is_text(name)) {
        c->text = mem_resize(c->text, (size_t)rows + 1, sizeof *c->text);
        c->text[rows] = str_of(mem_str(s ? s : ""), s ? strlen(s) : 0);
    } else {
        numbers(c, s ? s : "");
    }
}

/* Room for one more row, empty or 0 until its field is read. */
static void blank(Column *c)
{
    if (is_text(c->name)) {
        c->text = mem_resize(c->text, (size_t)rows + 1, sizeof *c->text);
        c->text[rows] = (Str){0};
    } else if (!is_token(c->name)) {
        c->number = mem_resize(c->number, (size_t)((rows + 1) * c->width), sizeof *c->number);
        memset(c->number + rows * c->width, 0, (size_t)c->width * sizeof *c->number);
    }
}

static void row(char *line)
{
    for (int i = 0; i < columns; i++)
        blank(&column[i]);
    for (char *bar, *s = line; s; s = bar) {
        bar = strstr(s, " | ");
        if (bar) {
            *bar = '\0';
            bar += 3;
        }
        field(s);
    }
    rows++;
    for (int i = 0; i < columns; i++) {
        Column *c = &column[i];
        if (!is_token(c->name))
            continue;
        c->start = mem_resize(c->start, (size_t)rows + 1, sizeof *c->start);
        c->start[0] = 0;
        c->start[rows] = c->width;
    }
}

static void add_numbers(Frame *f, const char *name, DType type, const Column *c, int64_t n,
                        int rank)
{
    void *p = frame_add(f, name, type, rank, (int64_t[]){n, c->width});
    int64_t count = rank == 2 ? n * c->width : n;
    for (int64_t i = 0; i < count; i++)
        if (type == DT_F32)
            ((float *)p)[i] = c->number[i];
        else if (type == DT_I64)
            ((int64_t *)p)[i] = (int64_t)c->number[i];
        else if (type == DT_I32)
            ((int32_t *)p)[i] = (int32_t)c->number[i];
        else
            ((uint8_t *)p)[i] = (uint8_t)c->number[i];
}

static bool is_wide(const char *name)
{
    return strcmp(name, "logit") == 0 || strcmp(name, "vector") == 0 || strcmp(name, "target") == 0;
}

static void add_column(Frame *f, const Column *c)
{
    char name[256];
    snprintf(name, sizeof name, "row.%s", c->name);
    if (is_text(c->name))
        frame_add_text(f, name, c->text, rows);
    else if (strcmp(c->name, "part") == 0)
        add_numbers(f, "token.part", DT_U8, c, c->width, 1);
    else if (strcmp(c->name, "ids") != 0)
        add_numbers(f, name, strcmp(c->name, "source") == 0 ? DT_I64 : DT_F32, c, rows,
                    is_wide(c->name) ? 2 : 1);
    else {
        int64_t *start = frame_add(f, "row.tokens", DT_I64, 1, (int64_t[]){rows + 1});
        memcpy(start, c->start, (size_t)(rows + 1) * sizeof *start);
        add_numbers(f, "token.id", DT_I32, c, c->width, 1);
    }
}

static void forget_rows(void)
{
    for (Column *c = column; c < column + columns; c++) {
        for (int64_t i = 0; c->text && i < rows; i++)
            free((char *)c->text[i].p);
        free(c->text);
        free(c->name);
        free(c->number);
        free(c->start);
    }
    memset(column, 0, sizeof column);
    columns = 0;
    rows = 0;
}

static void put_frame(Out *out, End end)
{
    Err e = {0};
    int64_t tokens = 0;
    for (int i = 0; i < columns; i++)
        tokens = is_token(column[i].name) ? column[i].width : tokens;
    Frame *f = frame_new(rows, tokens);
    for (int i = 0; i < columns && rows; i++)
        add_column(f, &column[i]);
    for (int i = 0; i < metas; i++)
        frame_set_meta(f, meta[i][0], meta[i][1]);
    f->end = end;
    if (frame_check(f, &e) < 0 || out_write(out, f, &e) < 0)
        die(&e);
    forget_rows();
}

static void set_meta(char *s)
{
    char *key = strsep(&s, " ");
    int i = 0;
    while (i < metas && strcmp(meta[i][0], key) != 0)
        i++;
    if (i == FIELDS)
        dief("too many keys");
    meta[i][0] = mem_str(key);
    meta[i][1] = mem_str(s ? s : "");
    metas += i == metas;
}

int main(void)
{
    Err e = {0};
    Out *out = out_open();
    char line[65536];
    bool ended = false;
    msg_prog = "mkstream";
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "fail") == 0) {
            if (rows)
                put_frame(out, END_NONE);
            out_fail(out);
        } else if (strcmp(line, "frame") == 0)
            put_frame(out, END_NONE);
        else if (strcmp(line, "end") == 0)
            put_frame(out, END_OK);
        else if (strncmp(line, "meta ", 5) == 0)
            set_meta(line + 5);
        else if (*line)
            row(line);
        ended = strcmp(line, "fail") == 0 || strcmp(line, "end") == 0;
    }
    if (!ended)
        put_frame(out, END_OK);
    return out_close(out, &e) < 0 ? (die(&e), 1) : 0;
}
