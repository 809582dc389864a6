/* write.h - answers on paper: TSV, JSON and CSV fields, appended to a buffer. */
#ifndef WEFT_WRITE_H
#define WEFT_WRITE_H

#include "base/err.h"
#include "base/mem.h"

/* Tab, newline, backslash as \t \n \\; each byte of other control characters, and those that are no
 * UTF-8, as \xNN: no field makes a line, or tells a terminal what to do. */
void put_tsv(Buf *b, Str s);
void put_column(Buf *b, Str s, size_t width); /* the same, with blanks up to so many bytes */
void put_csv(Buf *b, Str s);                  /* RFC 4180: in quotes where it must be */
void put_json(Buf *b, Str s); /* in quotes; control characters as \uNNNN or shorter, bytes that are
                                 not UTF-8 as U+FFFD */
/* `open` and the key of an object's member: put_json_key(b, "{", "score") gives {"score": */
void put_json_key(Buf *b, const char *open, const char *key);
void put_float(Buf *b, float x); /* JSON: reads back as the same float; not finite: null */
/* A score or a measure, to read: six decimals; of what is so small that they would leave fewer than
 * three digits, six digits ("3.10267e-10"). */
void put_score(Buf *b, double x);
/* The same behind a name and a tab, as a line. */
void put_score_line(Buf *b, const char *name, double x);
/* A count that row weights may have made a fraction: "3", "2.5". */
void put_count(Buf *b, double x);

/* Writes everything to standard output and empties the buffer. */
int put_out(Buf *b, Err *e);

#endif
