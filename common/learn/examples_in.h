/* examples_in.h - rows on their way in; for examples*.c alone. */
#ifndef WEFT_EXAMPLES_IN_H
#define WEFT_EXAMPLES_IN_H

#include "io/record_cursor.h"
#include "io/stream.h"
#include "learn/examples.h"
#include "learn/label_ids.h"

/* What is laid aside, in a file each. */
enum { ASIDE_ROWS, ASIDE_KINDS, ASIDE_TARGETS, ASIDE_SPANS, ASIDE_PARTS, ASIDE_TEXTS, ASIDES };

typedef struct Reading {
    Examples *x;
    ExamplesSpec spec;
    In *in;
    int fd[ASIDES];
    bool begun, kinds, targets; /* a frame has been read; it had token types; token labels */
    int64_t room;               /* rows that arrays have room for */
    char *place;                /* the current file, and how many rows came before it */
    int64_t before;
    RecordCursor at;            /* of rows whose texts are kept */
    int64_t record, text_bytes; /* the last row's; of all texts so far */
} Reading;

/* One row of a frame; `number` is its own in its file, for messages. */
typedef struct ExampleRow {
    const Frame *f;
    int64_t row, number;
} ExampleRow;

/* Which objective a frame is for, where none was asked for. */
Objective examples_objective(const Frame *f);
/* What the frame must have for the objective. */
int labels_need(const Reading *r, const Frame *f, Err *e);
/* The row's label, as x->rows' own: 1: taken, 0: to be left out, -1. */
int labels_take(Reading *r, const ExampleRow *w, Err *e);
/* Targets of the tokens of the frame's rows [from, to), to be laid aside. */
int labels_tokens(Reading *r, const Frame *f, int64_t from, int64_t to, Err *e);

/* examples_soft.c: what `score -k 0 --json` said of the same rows, a JSON array of {"label",
 * "score"} a line, the classes in the order of the first. Fails where lines are more or fewer than
 * rows, where one names other classes than the first, or where its scores do not add up to 1. */
int soft_read(Examples *x, const char *path, Err *e);
/* A row's shares, as row.target has them: finite, not negative, and some. */
int soft_check(const float *share, int64_t n, Err *e);
/* The class of the largest share. */
int32_t soft_top(const float *share, int64_t n);
/* Columns in the order of c. */
int soft_number(Examples *x, const Classes *c, Err *e);

/* examples_text.c: the row's texts, as x->rows' own, and what goes with the tokens of the frame's
 * rows [from, to); then both from where they lie. */
int texts_take(Reading *r, const ExampleRow *w, Err *e);
int texts_tokens(Reading *r, const Frame *f, int64_t from, int64_t to, Err *e);
int texts_map(Reading *r, Err *e);

int examples_lay(const Reading *r, int which, const void *p, size_t bytes, Err *e);
const void *examples_map(int fd, size_t bytes, Err *e);

#endif
