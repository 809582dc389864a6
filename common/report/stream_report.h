/* stream_report.h - a stream to read, one way of several, on standard output. */
#ifndef WEFT_STREAM_REPORT_H
#define WEFT_STREAM_REPORT_H

#include "io/stream.h"
#include "report/digest.h"
#include "report/overview.h"
#include "report/stream_speller.h"

typedef enum ReportKind {
    REPORT_OVERVIEW, /* overview.h */
    REPORT_ROWS,     /* print_rows.h: a JSON object a row, */
    REPORT_PADDED,   /* or padded */
    REPORT_DIGEST,   /* digest.h */
    REPORT_LENGTHS   /* overview.h */
} ReportKind;

typedef struct StreamReport {
    ReportKind kind;
    int64_t pad; /* tokens; 0: those of the longest row, for which the stream is laid aside */
    StreamSpeller spelling;
    /* private */
    Overview *overview;
    Digest *digest;
    Lengths lengths;
    Buf out;
} StreamReport;

/* What is said of a frame goes out with it. -1: *e, place included; what came before the fault has
 * been told, but no hash or distribution of half a stream. */
int stream_report(StreamReport *r, In *in, Err *e);
void stream_report_clear(StreamReport *r);

#endif
