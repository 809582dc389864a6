/* progress.h - --progress: how many rows are through, told each second and at the end. */
#ifndef WEFT_PROGRESS_H
#define WEFT_PROGRESS_H

#include <stdint.h>

void progress_begin(void);        /* it is wanted; else nothing below says anything */
void progress_rows(int64_t more); /* from one thread at a time */
void progress_end(void);          /* no row will follow */

#endif
