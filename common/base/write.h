/* write.h - answers on paper: TSV, JSON and CSV fields, appended to a buffer. */
#ifndef WEFT_WRITE_H
#define WEFT_WRITE_H

#include "base/err.h"
#include "base/mem.h"

void put_tsv(Buf *b, Str s);  /* tab, newline, backslash as \t \n \\ */
void put_csv(Buf *b, Str s);  /* RFC 4180: in quotes where it must be */
void put_json(Buf *b, Str s); /* in quotes; bytes that are not UTF-8 become U+FFFD */
/* `open` and the key of an object's member: put_json_key(b, "{", "score") gives {"score": */
void put_json_key(Buf *b, const char *open, const char *key);
void put_float(Buf *b, float x); /* JSON: reads back as the same float; not finite: null */
/* A count that row weights may have made a fraction: "3", "2.5". */
void put_count(Buf *b, double x);

/* Writes everything to standard output and empties the buffer. */
int put_out(Buf *b, Err *e);

#endif
