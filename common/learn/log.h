/* log.h - how training went, as TSV: the columns of INTERFACE's `train`, a line when there is
 * something to tell, each on its way at once so that `tail -f` follows. */
#ifndef WEFT_LOG_H
#define WEFT_LOG_H

#include "base/err.h"
#include "measure/metrics.h"

typedef struct LogLine { /* NAN: not measured, an empty field */
    int64_t step;
    double epoch, loss, lr, grad_norm, rows_per_s, tokens_per_s, seconds;
    const Summary *valid; /* NULL: not measured */
} LogLine;

typedef struct Log Log;

Log *log_open(const char *path, Err *e); /* writes the header */
/* The same behind what an earlier run wrote: its lines past the step are cut. */
Log *log_go_on(const char *path, int64_t step, Err *e);
int log_line(Log *l, const LogLine *line, Err *e);
int log_close(Log *l, Err *e); /* frees l; NULL is fine */

#endif
