/* answer.h - answers of the class task on paper: one of several labels a row, with scores. */
#ifndef WEFT_ANSWER_H
#define WEFT_ANSWER_H

#include "io/frame.h"
#include "task/classes.h"

typedef enum Format { FORMAT_TSV, FORMAT_JSON, FORMAT_CSV } Format;

enum { TOP_DEFAULT = -1, TOP_ALL = 0 };

typedef struct Answers {
    Format format;
    int64_t top;     /* answers a row; TOP_ALL in class order; TOP_DEFAULT is one, and TSV lines
                        then begin without the row's number */
    bool independent; /* sigmoid, whatever the metadata say */
    int64_t rows;    /* answered so far, over all frames */
    char **keep;     /* CSV: the kept columns of the first frame, which the header names */
    int keeps;
    bool pair, begun;
} Answers;

/* Appends the answers for every row of a frame with row.logit. On a fault e->row is 1 + the
 * frame's row at fault, and the rows before it have been answered. */
int answer_frame(Answers *a, Buf *b, const Frame *f, Err *e);
void answer_free(Answers *a);

/* The frame's row.logit, F32 [rows, n >= 1], and its classes; NULL and a message where they are
 * not those of a class task. */
const float *answer_logits(const Frame *f, Classes *c, Err *e);
/* Are n logits numbers? Else -1 and a message. */
int answer_finite(const float *logit, int64_t n, Err *e);

#endif
