/* quoted.h - names in lists that options take, as CSV quotes them: a,"b, c","say ""d""". */
#ifndef WEFT_QUOTED_H
#define WEFT_QUOTED_H

#include "base/err.h"
#include "base/mem.h"

/* The name whose opening quote is at *at, behind what is in `name`. *at moves behind the closing
 * quote and white space, to the end or to one of the characters of `stops`; what else stands there
 * is an error. The text is UTF-8. */
int quoted_name(Buf *name, const char **at, const char *stops, Err *e);
/* Bytes of white space (Unicode's) from p on, up to `end`. */
size_t quoted_spaces(const char *p, const char *end);

#endif
