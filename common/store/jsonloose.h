/* jsonloose.h - a line of JSON in which only some members are asked for. What jansson will not
 * have in the others - NaN, Infinity, numbers beyond 63 bits or a double, a name that stands there
 * twice, half a surrogate - is no fault there. */
#ifndef WEFT_JSONLOOSE_H
#define WEFT_JSONLOOSE_H

#include "base/err.h"
#include "base/mem.h"

/* Appends the object without the values that are not wanted, which are null then; a wanted number
 * that jansson has no room for is a string of its digits. -1: no object, a wanted member twice, or
 * not JSON, even so. */
int json_loose(Str line, const char *const *wanted, int n, Buf *out, Err *e);

#endif
