/* record_cursor.h - which rows are of one input record (windows of a long text, candidates):
 * neighbours with the same row.source, also across frames; single rows where a stream tells no
 * sources. A stream's end closes a record. */
#ifndef WEFT_RECORD_CURSOR_H
#define WEFT_RECORD_CURSOR_H

#include "io/frame.h"

/* Where one is among the records; {0} before the first row. Each row in turn goes through
 * record_step, each frame's end through record_end. */
typedef struct RecordCursor {
    int64_t begun; /* records so far */
    bool open;
    int64_t source;
} RecordCursor;

int64_t record_step(RecordCursor *c, const Frame *f, int64_t row); /* the row's record, from 0 */
void record_end(RecordCursor *c, const Frame *f);

#endif
