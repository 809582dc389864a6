/* rows.h - texts become rows of a frame: template, cutting or windows, labels, kept columns.
 *
 *     Rows *r = rows_new(&spec);
 *     rows_add(r, &in, &e); ...             // one record: a row, or several of it
 *     if (rows_full(r)) f = rows_take(r);   // the rows since the last frame
 */
#ifndef WEFT_ROWS_H
#define WEFT_ROWS_H

#include "io/frame.h"
#include "records/records.h"
#include "rows/labels.h"
#include "text/tokenizer.h"

typedef enum Trunc { TRUNC_LONGEST, TRUNC_FIRST, TRUNC_SECOND } Trunc;

typedef struct RowSpec {
    const Tokenizer *tokenizer; /* NULL: texts are ids as numbers, and make rows as they are */
    bool pair, label, weight, start;
    const char **keep; /* names of kept columns */
    int keeps;
    const char *prefix;   /* put before each text; NULL: nothing */
    const Str *candidate; /* second texts, each of which makes a row with every text */
    int candidates;       /* 0: none; then `pair` may be */
    const Labels *labels; /* names of the words' tags; NULL: as they are */
    int64_t max;          /* most tokens a row, special ones included; 0: no limit */
    Trunc trunc;          /* which text of a pair is cut */
    int64_t stride;       /* >= 0: windows that overlap by so many tokens; -1: cut */
} RowSpec;

/* What of it the spec does not ask for may be empty. */
typedef struct RowIn {
    Str text, pair, label;
    float weight;
    int64_t start; /* of the answer that is the label, in characters of `pair`; -1: there is none */
    const Str *keep;
    int64_t source;
    const RecWord *word; /* the text's words, each tokenised by itself; NULL: one text */
    size_t words;
    Str tags; /* p NULL: words without tags, which all words then are */
} RowIn;

typedef struct Rows Rows;

Rows *rows_new(const RowSpec *spec);
/* -1, the record unused: the text that is to be cut is too short for that; windows no longer
 * than their overlap; no ids; a tag that is none of the labels. */
int rows_add(Rows *r, const RowIn *in, Err *e);
int64_t rows_waiting(const Rows *r); /* rows since the last frame */
bool rows_full(const Rows *r);       /* as many as a frame should have (io/stream.h) */
int64_t rows_cut(const Rows *r);     /* rows cut since the beginning */
/* The frame of the rows waiting; without rows it has no tensors either. */
Frame *rows_take(Rows *r);
void rows_free(Rows *r); /* NULL is fine */

#endif
