/* num.h - the one parser for numbers that come from a user: whole text, within bounds. */
#ifndef WEFT_NUM_H
#define WEFT_NUM_H

#include "base/err.h"

/* Decimal, optional sign. The message says what was given and what is allowed. */
int num_int(const char *s, int64_t min, int64_t max, int64_t *out, Err *e);
/* Decimal or exponent form; no inf, nan, hexadecimal. */
int num_real(const char *s, double min, double max, double *out, Err *e);

#endif
