/* answer.h - answers on paper, the same for every task: lines of cells (TSV, CSV) or a JSON
 * value a row, gathered in a buffer until the program delivers them.
 *
 *     answer_columns(&a, f, "label,score", &e);        // a frame: the columns are settled
 *     answer_row(&a, f, i);                            // its row i is answered next:
 *     answer_line(&a, (Cell[]){cell_text(label), cell_score(0.7)}, 2, margin);
 */
#ifndef WEFT_ANSWER_H
#define WEFT_ANSWER_H

#include "io/frame.h"

typedef enum Format { FORMAT_TSV, FORMAT_JSON, FORMAT_CSV } Format;

enum { TOP_DEFAULT = -1, TOP_ALL = 0 };

typedef struct Cell {
    enum { CELL_TEXT, CELL_COUNT, CELL_SCORE } kind;
    Str text;
    int64_t count;
    double score;
} Cell;

static inline Cell cell_text(Str s)
{
    return (Cell){.kind = CELL_TEXT, .text = s};
}

static inline Cell cell_count(int64_t n)
{
    return (Cell){.kind = CELL_COUNT, .count = n};
}

static inline Cell cell_score(double x)
{
    return (Cell){.kind = CELL_SCORE, .score = x};
}

typedef struct Answers {
    Format format;
    int64_t top;  /* answers a row; TOP_ALL in class order. TSV lines begin with the row's number
                     unless it is TOP_DEFAULT, which is the task's own number */
    int64_t rows; /* begun so far, over all frames */
    bool alone;   /* second texts are the task's, not the record's: CSV does without them */
    Buf out;      /* what is to be delivered */
    /* private */
    Buf lead;    /* what each line of this row begins with */
    char **keep; /* CSV: the kept columns of the first frame, which the header names */
    int keeps;
    NameIndex keep_index;
    bool pair, begun;
} Answers;

/* The cells a line of this task has. CSV: the header, before the first line; a later frame may
 * lack kept columns that the first had, but not bring others. */
int answer_columns(Answers *a, const Frame *f, const char *columns, Err *e);
/* How many of n answers a row shows; `usual` without -k. */
int64_t answer_count(const Answers *a, int64_t usual, int64_t n);
/* The next answers are of this row, or of the record that begins with it. */
void answer_row(Answers *a, const Frame *f, int64_t row);
/* The same for rows that are answered together, in another order: the group's number is one more,
 * then what CSV has of each row before its answer goes to `to`, and back before it is answered. */
void answer_group(Answers *a);
void answer_hold(const Answers *a, const Frame *f, int64_t row, Buf *to);
void answer_held(Answers *a, Str held);
/* margin: what the first score is above the second, for CSV alone; NaN: there is no second. */
void answer_line(Answers *a, const Cell *cell, int cells, double margin);
void answer_free(Answers *a);

#endif
