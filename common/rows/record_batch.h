/* record_batch.h - records that one thread keeps for another, and the frames that one makes of them.
 * For feed.c. */
#ifndef WEFT_RECORD_BATCH_H
#define WEFT_RECORD_BATCH_H

#include "rows/fields.h"

/* About as much as makes a frame. */
enum { BATCH_BYTES = 28 << 10, BATCH_RECORDS = 1024 };

typedef struct Batch {
    Buf bytes, fields, words, held; /* what records are made of; see batch.c */
    size_t records;
    Frame **frame; /* what became of them, up to the fault */
    int frames;
    int64_t cut;
    bool failed;
    Err fault;
} Batch;

void batch_keep(Batch *b, const Record *rec, int fields);
bool batch_full(const Batch *b, int rows); /* rows: that a record makes, at least */
/* All records into frames; what is kept is then empty. */
void batch_work(Batch *b, const Fields *fields, const RecSpec *input, Rows *rows);
void batch_clear(Batch *b);

/* A record into rows; the fault has place and number. */
int record_rows(const Fields *fields, const RecSpec *input, const Record *rec, Rows *rows, Err *e);

#endif
