/* lines.h - text files line by line, for what reads tables and reports. */
#ifndef WEFT_LINES_H
#define WEFT_LINES_H

#include "records/records.h"

/* The lines of one file ("-", or NULL: standard input). */
Records *lines_open(char **file);
/* The next: 1, 0 at the end, -1. The line stays until the next one; rec->in_file is its number. */
int lines_next(Records *r, Record *rec, Err *e);
/* Cuts a line at its tabs into at most `most` fields; how many there are. */
int64_t lines_fields(Str line, Str *field, int64_t most);
/* All lines, each with its newline, behind what is in b. -1: more than `most` bytes, too. */
int lines_all(char **file, size_t most, Buf *b, Err *e);

#endif
