/* answers.h - what `score --csv` or `score --json` says of rows, one answer each. */
#ifndef WEFT_ANSWERS_H
#define WEFT_ANSWERS_H

#include "plot/chart.h"

/* A reliability diagram; it wants gold labels, which only CSV has. Of a file, NULL: standard
 * input. */
Chart *calibration_chart(char **file, Err *e);
/* A histogram of margins. JSON tells them where it has two answers a row or more (-k 2). */
Chart *margins_chart(char **file, Err *e);

#endif
