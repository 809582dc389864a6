/* begins.h - does this begin like a stream? Nothing is read from it to find out: `head` asks before
 * it becomes another program, `tok` before it takes bytes for text. Uses libc alone. */
#ifndef WEFT_BEGINS_H
#define WEFT_BEGINS_H

#include <stdbool.h>

/* Standard input, a pipe (whose first bytes are waited for) or a file. */
bool stdin_begins_stream(void);
/* A regular file; any other may be read but once. */
bool file_begins_stream(const char *path);
/* The same of what only weft's own streams begin with, so that no text and no other document is
 * taken for one. Bytes that could still become one wait a tenth of a second for the next. */
bool stdin_is_stream(void);
bool file_is_stream(const char *path);

#endif
