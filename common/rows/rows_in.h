/* rows_in.h - what rows are made of; for rows*.c alone. */
#ifndef WEFT_ROWS_IN_H
#define WEFT_ROWS_IN_H

#include "rows/rows.h"

/* A column of texts: their bytes, for each row its range, and the next row's. */
typedef struct Column {
    char *name, *bytes_name; /* "row.text", "text.utf8" */
    Buf bytes, ranges;
    int64_t next[2];
} Column;

/* A row as long as it waits. Its tokens are those of the template. */
typedef struct Held {
    int64_t end, source, start; /* end: of its tokens, in the frame */
    size_t n[2];                /* tokens of the first and the second text */
    float weight;
} Held;

/* Tags of a frame's tokens: bytes, and where in them each token's is. */
typedef struct Tags {
    bool any; /* the input has tags */
    Buf bytes, ranges;
    Buf known;  /* ranges of tags that are there already, as far as they are few */
    Buf word;   /* of the record's words: the tag's range */
    Buf begins; /* of each token of the record: which word it begins; -1: none */
} Tags;

struct Rows {
    RowSpec spec;
    TokWork *work;
    const Template *template;
    bool left;        /* what is too long is cut at its beginning, and windows come from the end */
    int32_t left_out; /* what rows are without, once they are cut; -1: nothing */
    int64_t characters; /* of a text that count; 0: all */
    Tokens all;         /* of the frame that is being made */
    Buf held;
    int64_t rows, cut;
    Column *column, *text, *pair; /* text, pair: two of them, or NULL */
    int columns;
    Tokens first, second; /* of the record, where they cannot go straight to `all` */
    Tokens *candidate;    /* of spec.candidate */
    size_t longest;       /* of these */
    Tags tags;
};

/* Which tokens of a text a row has. */
typedef struct Slice {
    size_t at, n;
} Slice;

/* Ends a row whose tokens lie in r->all. */
void rows_end(Rows *r, const RowIn *in, size_t first, size_t second);
/* The record's tokens into rows: the text is where the column has it. */
int rows_fill(Rows *r, const RowIn *in, Str text, Err *e);
int rows_fill_ids(Rows *r, const RowIn *in, Err *e);

/* The record's words into r->first, and what they are called into r->tags. */
int words_tokenise(Rows *r, const RowIn *in, Str text, size_t limit, Err *e);
/* The tags of the tokens that a slice of r->first adds to r->all; of n that have none. */
void words_tag(Rows *r, Slice first);
void words_tag_none(Rows *r, size_t n);

#endif
