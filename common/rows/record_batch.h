/* record_batch.h - records that one thread keeps for another, and the frames that one makes of
 * them. For feed.c. */
#ifndef WEFT_RECORD_BATCH_H
#define WEFT_RECORD_BATCH_H

#include "rows/fields.h"

/* About as much as makes a frame. */
enum { RECORD_BATCH_BYTES = 28 << 10, RECORD_BATCH_RECORDS = 1024 };

typedef struct RecordBatch {
    Buf bytes, fields, words, held; /* what records are made of; see record_batch.c */
    size_t records;
    Frame **frame; /* what became of them, up to the fault */
    int frames;
    int64_t cut;
    bool failed;
    Err fault;
} RecordBatch;

void record_batch_keep(RecordBatch *b, const Record *rec, int fields);
bool record_batch_full(const RecordBatch *b, int rows); /* rows: that a record makes, at least */
/* All records into frames; what is kept is then empty. */
void record_batch_work(RecordBatch *b, const Fields *fields, const RecSpec *input, Rows *rows);
void record_batch_clear(RecordBatch *b);

/* A record into rows; the fault has place and number. */
int record_rows(const Fields *fields, const RecSpec *input, const Record *rec, Rows *rows, Err *e);

#endif
