/* overview.h - what a stream holds in all, and how long its rows are. */
#ifndef WEFT_OVERVIEW_H
#define WEFT_OVERVIEW_H

#include "io/frame.h"
#include "report/print_rows.h"

enum { OVERVIEW_ROWS = 3 }; /* first rows shown */

typedef struct Overview Overview;

Overview *overview_new(const Speller *s);
void overview_add(Overview *o, const Frame *f);
/* Counts, metadata, tensors with their shapes over all frames, the first rows. whole: the stream
 * came to its end; else it says that there is more than this. Frees o. */
void overview_end(Overview *o, bool whole, Buf *out);

/* Tokens a row: {0} is the count of none. */
typedef struct Lengths {
    int64_t *rows; /* [size]: how many rows have so many tokens */
    int64_t size, count, sum;
} Lengths;

void lengths_add(Lengths *l, int64_t tokens);
/* rows, min, median, mean, p90, p95, p99, max (percentiles by nearest rank), then a histogram:
 * from, to, rows, bar. Frees what l holds. */
void lengths_end(Lengths *l, Buf *out);

#endif
